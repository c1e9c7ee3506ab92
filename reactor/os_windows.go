package reactor

import (
	"errors"
	"fmt"
	"math"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/sig"
)

// The driver of Windows: sockets that do not block, under a poll.Poller that is told
// after each call that would have. Pipes, terminals and files it has no way to wait for.

// osDriver is the operating system's Driver.
type osDriver struct {
	poller  *poll.Poller
	waker   *poll.Waker
	start   time.Time
	signals *sig.Source // made at the first Notify
	rows    []row       // by Sock; 0 is none
	free    Sock
	used    Sock
}

// row is one open socket.
type row struct {
	data   uint64 // as registered, 0 before; in a free row, the next one
	h      windows.Handle
	nature nature
	watch  poll.Interest // as registered
	is     marks
	wrote  int64 // when something was last
}

type marks uint8

const (
	six      marks = 1 << iota // an IPv6 socket
	dialling                   // its connection is on its way
)

type nature uint8

const (
	tcpStream nature = iota + 1
	datagrams
	listening
)

func newOSDriver(socks int) (*osDriver, error) {
	p, err := poll.New()
	if err != nil {
		return nil, err
	}
	w, err := poll.NewWaker(p, internalWaker)
	if err != nil {
		p.Close()
		return nil, err
	}
	return &osDriver{poller: p, waker: w, start: time.Now(), rows: make([]row, 4*socks+256)}, nil
}

func (d *osDriver) Now() int64 { return int64(time.Since(d.start)) + 1 }

func (d *osDriver) Wake() { d.waker.Wake() }

func (d *osDriver) Wait(dst []poll.Event, until int64) (int, error) {
	switch until {
	case math.MaxInt64:
		return d.poller.Wait(dst, -1)
	case 0:
		return d.poller.Wait(dst, 0)
	}
	return d.poller.Wait(dst, time.Duration(max(0, until-d.Now())))
}

func (d *osDriver) Notify(set Signals, came func(Signals)) error {
	if d.signals == nil {
		source, err := sig.Open(func() { came(Signals(d.signals.Take())) })
		if err != nil {
			return err
		}
		d.signals = source // before the first signal is asked for
	}
	return d.signals.Notify(sig.Set(set))
}

func (d *osDriver) End() error {
	if d.signals != nil {
		d.signals.Close()
	}
	d.waker.Close()
	return d.poller.Close()
}

// add gives a socket that does not block yet a row.
func (d *osDriver) add(h windows.Handle, n nature, is marks) (Sock, error) {
	if err := block(h, false); err != nil {
		windows.Closesocket(h)
		return 0, err
	}
	s := d.free
	if s != 0 {
		d.free = Sock(d.rows[s].data)
	} else {
		if int(d.used)+1 >= len(d.rows) {
			windows.Closesocket(h)
			return 0, fmt.Errorf("%d descriptors: %w", d.used, ErrFull)
		}
		d.used++
		s = d.used
	}
	d.rows[s] = row{h: h, nature: n, is: is}
	return s, nil
}

func (d *osDriver) drop(s Sock) {
	d.rows[s] = row{data: uint64(d.free), h: windows.InvalidHandle}
	d.free = s
}

// Register asks for input. Output is asked for by whoever waits for it: a connection
// that is on its way, and the first call that would block.
func (d *osDriver) Register(s Sock, data uint64) error {
	r := &d.rows[s]
	r.data, r.watch = data, poll.Readable|poll.Edge
	if r.is&dialling != 0 {
		r.watch |= poll.Writable
	}
	return d.poller.Register(int(r.h), poll.Token(data), r.watch)
}

func (d *osDriver) Traits(s Sock) Traits {
	switch d.rows[s].nature {
	case datagrams:
		return Datagram
	case listening:
		return Listening
	}
	return 0
}

// blocked follows a call that would block: the poller is told to watch for the
// direction, anew or once more.
func (d *osDriver) blocked(r *row, dir poll.Interest) {
	switch {
	case r.data == 0:
	case r.watch&dir == 0:
		r.watch |= dir
		d.poller.Modify(int(r.h), poll.Token(r.data), r.watch)
	default:
		d.poller.Rearm(int(r.h), poll.Token(r.data), dir|poll.Edge)
	}
}

func (d *osDriver) Read(s Sock, b []byte) (int, Flow, error) {
	r := &d.rows[s]
	if len(b) == 0 {
		return 0, 0, nil
	}
	for {
		got, _, errno := syscall.SyscallN(recv.Addr(), uintptr(r.h), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(length(b)), 0)
		n := int(int32(got))
		switch {
		case n > 0:
			raceWrite(b[:n])
			if n < length(b) && r.nature == tcpStream {
				d.blocked(r, poll.Readable) // who is told at once if that is not so
				return n, Drained, nil
			}
			return n, 0, nil
		case n == 0:
			if r.nature == datagrams {
				return 0, 0, nil
			}
			return 0, End, nil
		case errno == windows.WSAEWOULDBLOCK:
			d.blocked(r, poll.Readable)
			return 0, Drained, nil
		case errno == windows.WSAESHUTDOWN:
			return 0, End, nil // by this side
		case errno == windows.WSAEMSGSIZE && r.nature == datagrams:
			raceWrite(b)
			return length(b), 0, nil // the rest of it is gone
		case r.nature != datagrams || !forgiven(errno):
			return 0, Gone, portable(errno)
		}
	}
}

// forgiven tells whether an error is of a datagram that was sent: an ICMP message. It
// was told by being asked for, and is not the socket's end.
func forgiven(errno syscall.Errno) bool {
	switch errno {
	case windows.WSAECONNRESET, windows.WSAECONNREFUSED, windows.WSAENETRESET, windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH:
		return true
	}
	return false
}

func (d *osDriver) Write(s Sock, b []byte) (int, Flow, error) {
	r := &d.rows[s]
	raceRead(b)
	for {
		sent, _, errno := syscall.SyscallN(send.Addr(), uintptr(r.h), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(length(b)), 0)
		n := int(int32(sent))
		if n >= 0 {
			return d.wrote(r, n, len(b), 0)
		}
		if r.nature != datagrams || !forgiven(errno) { // the answer to an earlier datagram
			return d.wrote(r, 0, len(b), errno)
		}
	}
}

func (d *osDriver) Writev(s Sock, v *Vec) (int, Flow, error) {
	r := &d.rows[s]
	var bufs [MaxVec]windows.WSABuf
	total := 0
	for i, b := range v.B[:v.N] {
		raceRead(b)
		bufs[i] = windows.WSABuf{Len: uint32(len(b)), Buf: unsafe.SliceData(b)}
		total += len(b)
	}
	var n uint32
	failed, _, errno := syscall.SyscallN(sendv.Addr(), uintptr(r.h), uintptr(unsafe.Pointer(&bufs)), uintptr(v.N),
		uintptr(unsafe.Pointer(&n)), 0, 0, 0)
	if failed == 0 {
		errno = 0
	}
	return d.wrote(r, int(n), total, errno)
}

// wrote is what a write of size bytes taught: one that was cut short met a full
// buffer.
func (d *osDriver) wrote(r *row, n, size int, errno syscall.Errno) (int, Flow, error) {
	switch {
	case errno == windows.WSAEWOULDBLOCK:
		n = 0
	case errno != 0:
		return 0, Gone, portable(errno)
	}
	if n > 0 && r.nature == tcpStream {
		r.wrote = d.Now()
	}
	if n == size {
		return n, 0, nil
	}
	d.blocked(r, poll.Writable)
	return n, Full, nil
}

func (d *osDriver) Shutdown(s Sock, how How) error {
	// SD_RECEIVE, SD_SEND and SD_BOTH are 0, 1 and 2: one less than How's bits.
	if err := windows.Shutdown(d.rows[s].h, int(how)-1); err != windows.WSAENOTCONN {
		return portable(err)
	}
	return nil
}

// Unsent goes by the time, as Winsock has no question for it that every version
// answers: what was not written long ago may be on its way.
func (d *osDriver) Unsent(s Sock) bool {
	r := &d.rows[s]
	return r.nature == tcpStream && r.wrote != 0 && d.Now()-r.wrote < int64(ackWithin)
}

// ackWithin is what a peer takes to acknowledge, which it may delay for 200 ms.
const ackWithin = 250 * time.Millisecond

func (d *osDriver) Close(s Sock) error {
	r := d.rows[s]
	d.drop(s)
	if r.data != 0 {
		d.poller.Remove(int(r.h))
	}
	return windows.Closesocket(r.h)
}

// Adopt duplicates a socket. It must not block, nor may what it is a duplicate of
// from here on: that is a property of both.
func (d *osDriver) Adopt(of uintptr) (Sock, error) {
	h, info, err := duplicate(windows.Handle(of))
	if errors.Is(err, windows.WSAENOTSOCK) {
		return 0, fmt.Errorf("%w: want a socket: %w", ErrNotPollable, err)
	}
	if err != nil {
		return 0, err
	}
	n, is := tcpStream, marks(0)
	if info.SocketType == windows.SOCK_DGRAM {
		n = datagrams
	} else if on, err := windows.GetsockoptInt(h, windows.SOL_SOCKET, soAcceptConn); err == nil && on != 0 {
		n = listening
	}
	if info.AddressFamily == windows.AF_INET6 {
		is = six
	}
	return d.add(h, n, is)
}

// duplicate is another handle of a socket, and what that is.
func duplicate(of windows.Handle) (h windows.Handle, info windows.WSAProtocolInfo, err error) {
	if _, err = windows.GetsockoptInt(of, windows.SOL_SOCKET, soType); err != nil {
		return 0, info, portable(err)
	}
	if err = windows.WSADuplicateSocket(of, windows.GetCurrentProcessId(), &info); err != nil {
		return 0, info, os.NewSyscallError("WSADuplicateSocket", portable(err))
	}
	const told = -1 // by info: FROM_PROTOCOL_INFO
	if h, err = windows.WSASocket(told, told, told, &info, 0, windows.WSA_FLAG_OVERLAPPED); err != nil {
		return 0, info, os.NewSyscallError("WSASocket", portable(err))
	}
	windows.SetHandleInformation(h, windows.HANDLE_FLAG_INHERIT, 0)
	return h, info, nil
}

// Release gives a socket out as a system call expects it: blocking, and tied to no
// completion port, as one adopted from package net is to Go's. net.FileConn takes it
// back, since Go 1.25.
func (d *osDriver) Release(s Sock) (uintptr, error) {
	h := d.rows[s].h
	if err := d.poller.Remove(int(h)); err != nil {
		return 0, err
	}
	d.drop(s)
	untie(h)
	return uintptr(h), block(h, true)
}

// untie frees a socket from its completion port. Windows before 8.1 and Wine 8
// cannot: the socket then is good for all but net.FileConn.
func untie(h windows.Handle) {
	var nothing struct{ port, key uintptr } // FILE_COMPLETION_INFORMATION
	windows.NtSetInformationFile(h, new(windows.IO_STATUS_BLOCK), (*byte)(unsafe.Pointer(&nothing)),
		uint32(unsafe.Sizeof(nothing)), windows.FileReplaceCompletionInformation)
}

// exhausted tells whether an accept failed for want of handles or memory.
func exhausted(err error) bool {
	return errors.Is(err, ErrFull) || errors.Is(err, windows.WSAEMFILE) || errors.Is(err, windows.WSAENOBUFS)
}
