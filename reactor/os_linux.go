package reactor

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/sig"
)

// The driver of Linux: descriptors under a poll.Poller, edge-triggered, with raw
// system calls for what cannot block. A raw call does not tell the scheduler, so
// none may take long: maxIO bounds how much one copies.
const maxIO = 256 << 10

// osDriver is the operating system's Driver.
type osDriver struct {
	poller  *poll.Poller
	edges   bool // the poller's kernel knows them
	waker   *poll.Waker
	start   time.Time
	signals *sig.Source // made at the first Notify
	rows    []row       // by Sock; 0 is none
	free    Sock
	used    Sock
	retries retries
}

// row is one open descriptor: 16 bytes.
type row struct {
	data   uint64 // as registered; in a free row, the next one
	fd     int32
	nature nature
	watch  poll.Interest // as registered
	is     marks
}

type marks uint8

const (
	shared   marks = 1 << iota // adopted: others may have the same description, and options of their own
	six                        // an IPv6 socket
	refused                    // it is in retries.socks
	dialling                   // it is in retries.dials
	packets                    // a listener of sockets with whole messages
)

type nature uint8

const (
	tcpStream nature = iota + 1
	unixStream
	unixPacket // whole messages, and an end
	inetDatagram
	unixDatagram
	listening
	pipeIn
	pipeOut
	fifo
	device // tty and whatever else can be polled
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
	d := &osDriver{poller: p, edges: p.Edges(), waker: w, start: time.Now(), rows: make([]row, 4*socks+256)}
	d.rows[0].fd = -1
	return d, nil
}

func (d *osDriver) Now() int64 { return int64(time.Since(d.start)) + 1 }

func (d *osDriver) Wake() { d.waker.Wake() }

func (d *osDriver) Wait(dst []poll.Event, until int64) (int, error) {
	told := 0
	if len(d.retries.socks) > 0 {
		if told = d.retryNow(dst); told == len(dst) {
			return told, nil
		}
		if until = min(until, d.retries.at); told > 0 {
			until = 0
		}
	}
	timeout := time.Duration(-1)
	if until != math.MaxInt64 {
		if timeout = 0; until != 0 {
			timeout = max(0, time.Duration(until-d.Now()))
		}
	}
	n, err := d.poller.Wait(dst[told:], timeout)
	return told + n, err
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

func (d *osDriver) add(fd int, n nature) (Sock, error) {
	s := d.free
	if s != 0 {
		d.free = Sock(d.rows[s].data)
	} else {
		if int(d.used)+1 >= len(d.rows) {
			syscall.Close(fd)
			return 0, fmt.Errorf("%d descriptors: %w", d.used, ErrFull)
		}
		d.used++
		s = d.used
	}
	d.rows[s] = row{fd: int32(fd), nature: n}
	return s, nil
}

func (d *osDriver) drop(s Sock) {
	if d.rows[s].is&dialling != 0 {
		d.connected(s)
	}
	d.rows[s] = row{data: uint64(d.free), fd: -1}
	d.free = s
}

// interest is how each nature is registered. Where the row for OUT is empty, a
// first would-block adds it: most such descriptors never see one.
var interest = [...]poll.Interest{
	tcpStream:    poll.Readable | poll.Writable | poll.Priority | poll.Edge,
	unixStream:   poll.Readable | poll.Edge,
	unixPacket:   poll.Readable | poll.Edge,
	inetDatagram: poll.Readable | poll.Edge,
	unixDatagram: poll.Readable | poll.Edge,
	listening:    poll.Readable | poll.Edge,
	pipeIn:       poll.Readable | poll.Edge,
	pipeOut:      poll.Writable | poll.Edge,
	fifo:         poll.Readable | poll.Writable | poll.Edge,
	device:       poll.Readable | poll.Edge,
}

func (d *osDriver) Register(s Sock, data uint64) error {
	r := &d.rows[s]
	r.data, r.watch = data, interest[r.nature]
	if r.is&dialling != 0 {
		d.retry(s)
	}
	return notPollable(d.poller.Register(int(r.fd), poll.Token(data), r.watch))
}

func notPollable(err error) error {
	if errors.Is(err, poll.ErrNotPollable) {
		return fmt.Errorf("%w: %w", ErrNotPollable, err)
	}
	return err
}

func (d *osDriver) Traits(s Sock) Traits {
	switch d.rows[s].nature {
	case inetDatagram, unixDatagram, unixPacket:
		return Datagram
	case listening:
		return Listening
	case pipeIn:
		return ReadOnly | Plain
	case pipeOut:
		return WriteOnly | Plain
	case fifo, device:
		return Plain
	}
	return 0
}

// blocked follows a call that would block.
func (d *osDriver) blocked(r *row, dir poll.Interest) {
	if !d.edges || r.watch&dir == 0 {
		d.watchAgain(r, dir)
	}
}

// watchAgain adds a direction to what is watched; backends without edges are told to
// watch it once more.
func (d *osDriver) watchAgain(r *row, dir poll.Interest) {
	if r.watch&dir == 0 && r.data != 0 {
		r.watch |= dir
		d.poller.Modify(int(r.fd), poll.Token(r.data), r.watch)
		return
	}
	d.poller.Rearm(int(r.fd), poll.Token(r.data), dir|poll.Edge)
}

func (d *osDriver) Read(s Sock, b []byte) (int, Flow, error) {
	r := &d.rows[s]
	most := len(b)
	switch {
	case most == 0:
		return 0, 0, nil
	case r.nature == pipeOut:
		return 0, Gone, syscall.EPIPE // what looked readable is that its reader is gone
	}
	b = b[:min(most, maxIO)]
	// read(2) of a socket goes the longer way through the file system.
	call, flags := uintptr(unix.SYS_READ), uintptr(0)
	if r.nature <= unixDatagram {
		call, flags = unix.SYS_RECVFROM, syscall.MSG_DONTWAIT // whoever has a duplicate may have made it block
	}
	for {
		got, _, errno := syscall.RawSyscall6(call, uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), flags, 0, 0)
		switch n := int(got); errno {
		case 0:
			raceWrite(b[:n])
			if n == 0 && r.nature != inetDatagram && r.nature != unixDatagram {
				return 0, End, nil
			}
			if n < len(b) && n < most && r.nature == tcpStream {
				d.blocked(r, poll.Readable)
				return n, Drained, nil
			}
			return n, 0, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			d.blocked(r, poll.Readable)
			return 0, Drained, nil
		case syscall.EIO:
			if r.nature == device {
				return 0, End, nil // the terminal's other end is gone
			}
			return 0, Gone, errno
		default:
			if !r.forgives(errno) {
				return 0, Gone, errno
			}
		}
	}
}

// forgives tells whether an error is of a datagram that was sent: an ICMP message, or
// a peer that is gone. It was told by being asked for, and is not the socket's end.
func (r *row) forgives(errno syscall.Errno) bool {
	if r.nature != inetDatagram && r.nature != unixDatagram {
		return false
	}
	switch errno {
	case syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENETDOWN, syscall.ENONET,
		syscall.ENOPROTOOPT, syscall.EOPNOTSUPP, syscall.EPROTO, syscall.EMSGSIZE, syscall.EACCES, syscall.ECONNRESET:
		return true
	}
	return false
}

func (d *osDriver) Write(s Sock, b []byte) (int, Flow, error) {
	r := &d.rows[s]
	b = b[:min(len(b), maxIO)]
	call, flags := uintptr(unix.SYS_WRITE), uintptr(0)
	if r.nature <= unixDatagram { // where a peer that is gone shall not be a signal
		call, flags = unix.SYS_SENDTO, syscall.MSG_NOSIGNAL|syscall.MSG_DONTWAIT
	}
	raceRead(b)
	for {
		n, _, errno := syscall.RawSyscall6(call, uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), flags, 0, 0)
		switch {
		case errno == 0 && int(n) == len(b):
			return len(b), 0, nil
		case errno == syscall.EINTR, errno == syscall.ECONNREFUSED && r.nature == inetDatagram: // the answer to an earlier datagram
		default:
			return d.wrote(s, int(n), len(b), errno)
		}
	}
}

func (d *osDriver) Writev(s Sock, v *Vec) (int, Flow, error) {
	r := &d.rows[s]
	var iov [MaxVec]unix.Iovec
	n, total := 0, 0
	for ; n < v.N && total+len(v.B[n]) <= maxIO; n++ {
		iov[n].Base = unsafe.SliceData(v.B[n])
		iov[n].SetLen(len(v.B[n]))
		total += len(v.B[n])
	}
	if n <= 1 {
		return d.Write(s, v.B[0])
	}
	for {
		sent, errno := rawWritev(r, iov[:n], v)
		if errno != syscall.EINTR {
			return d.wrote(s, sent, total, errno)
		}
	}
}

// wrote is what a write of size bytes taught: one that was cut short met a full
// buffer.
func (d *osDriver) wrote(s Sock, n, size int, errno syscall.Errno) (int, Flow, error) {
	switch {
	case errno == syscall.EAGAIN:
		n = 0
	case errno == syscall.ENOBUFS && d.Traits(s)&Datagram != 0:
		d.retry(s)
		return 0, Full, nil
	case errno != 0:
		return 0, Gone, errno
	case n == size:
		return n, 0, nil
	}
	d.blocked(&d.rows[s], poll.Writable)
	return n, Full, nil
}

func rawWritev(r *row, iov []unix.Iovec, v *Vec) (int, syscall.Errno) {
	for i := range iov {
		raceRead(v.B[i])
	}
	var n uintptr
	var errno syscall.Errno
	if r.nature <= unixDatagram {
		msg := unix.Msghdr{Iov: &iov[0]}
		msg.SetIovlen(len(iov))
		n, _, errno = syscall.RawSyscall(unix.SYS_SENDMSG, uintptr(r.fd), uintptr(unsafe.Pointer(&msg)), syscall.MSG_NOSIGNAL|syscall.MSG_DONTWAIT)
	} else {
		n, _, errno = syscall.RawSyscall(unix.SYS_WRITEV, uintptr(r.fd), uintptr(unsafe.Pointer(&iov[0])), uintptr(len(iov)))
	}
	runtime.KeepAlive(v)
	return int(n), errno
}

func (d *osDriver) Shutdown(s Sock, how How) error {
	r := &d.rows[s]
	if r.nature > listening {
		if r.nature == pipeOut && how&ShutWrite != 0 {
			return d.closePipe(r)
		}
		return nil // a terminal has no half to close
	}
	// SHUT_RD, SHUT_WR and SHUT_RDWR are 0, 1 and 2: one less than How's bits.
	if err := unix.Shutdown(int(r.fd), int(how)-1); err != unix.ENOTCONN {
		return err
	}
	return nil
}

// closePipe ends a pipe's direction in the only way that there is. The row stays,
// without a descriptor.
func (d *osDriver) closePipe(r *row) error {
	if r.fd < 0 {
		return nil
	}
	d.poller.Remove(int(r.fd))
	err := syscall.Close(int(r.fd))
	r.fd = -1
	return err
}

// Unsent asks for the length of a TCP connection's queue; of others what was written
// is the peer's at once.
func (d *osDriver) Unsent(s Sock) bool {
	r := &d.rows[s]
	var n int32
	if r.nature == tcpStream {
		syscall.RawSyscall(unix.SYS_IOCTL, uintptr(r.fd), unix.SIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	}
	return n > 0
}

func (d *osDriver) Close(s Sock) error {
	r := d.rows[s]
	d.drop(s)
	if r.fd < 0 {
		return nil // closePipe was here
	}
	if r.nature <= listening && r.is&shared == 0 { // what was adopted has its options, and its path, from somebody else
		if r.nature == listening {
			unlink(r.fd)
		}
		_, _, errno := syscall.RawSyscall(unix.SYS_CLOSE, uintptr(r.fd), 0, 0)
		if errno != 0 {
			return errno
		}
		return nil
	}
	// Whatever has the same description, a parent's terminal say, must not keep it registered.
	d.poller.Remove(int(r.fd))
	return syscall.Close(int(r.fd)) // may block: a terminal drains, SO_LINGER may be set
}

// Adopt duplicates an open descriptor and finds out what it is.
func (d *osDriver) Adopt(of uintptr) (Sock, error) {
	fd, err := unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	n, err := natureOf(fd)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		unix.Close(fd)
		return 0, err
	}
	s, err := d.add(fd, n)
	if err == nil {
		d.rows[s].is = shared
		if domain, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN); domain == unix.AF_INET6 {
			d.rows[s].is |= six
		}
		if typ, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); typ == unix.SOCK_SEQPACKET {
			d.rows[s].is |= packets
		}
	}
	return s, err
}

func natureOf(fd int) (nature, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFSOCK:
		return socketNature(fd)
	case unix.S_IFIFO:
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		switch flags & unix.O_ACCMODE {
		case unix.O_RDONLY:
			return pipeIn, err
		case unix.O_WRONLY:
			return pipeOut, err
		}
		return fifo, err
	case unix.S_IFREG, unix.S_IFDIR, unix.S_IFBLK:
		return 0, fmt.Errorf("a regular file, directory or disk: %w", ErrNotPollable)
	}
	return device, nil
}

func socketNature(fd int) (nature, error) {
	typ, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return 0, err
	}
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return 0, err
	}
	if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err == nil && on != 0 {
		return listening, nil
	}
	inet := domain == unix.AF_INET || domain == unix.AF_INET6
	switch {
	case typ == unix.SOCK_STREAM && inet:
		return tcpStream, nil
	case typ == unix.SOCK_DGRAM && inet:
		return inetDatagram, nil
	case typ == unix.SOCK_DGRAM:
		return unixDatagram, nil
	case typ == unix.SOCK_SEQPACKET:
		return unixPacket, nil
	}
	return unixStream, nil
}

func (d *osDriver) Release(s Sock) (uintptr, error) {
	fd := d.rows[s].fd
	if err := d.poller.Remove(int(fd)); err != nil {
		return 0, err
	}
	d.drop(s)
	return uintptr(fd), nil
}

// exhausted tells whether an accept failed for want of descriptors or memory.
func exhausted(err error) bool {
	errno, ok := err.(syscall.Errno)
	return errors.Is(err, ErrFull) || ok && (errno == unix.EMFILE || errno == unix.ENFILE || errno == unix.ENOMEM || errno == unix.ENOBUFS)
}
