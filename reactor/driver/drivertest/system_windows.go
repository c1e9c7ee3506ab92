package drivertest

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// The System of Windows. It has internet sockets, and handles of files to check that they
// are refused.

var (
	ws2         = windows.NewLazySystemDLL("ws2_32.dll")
	acceptProc  = ws2.NewProc("accept")
	ioctlsocket = ws2.NewProc("ioctlsocket")
)

const (
	fionbio = 0x8004667E
	soError = 0x1007
	soType  = 0x1008
)

// setNonblock makes a socket nonblocking if on is 1, and blocking if it is 0.
func setNonblock(h windows.Handle, on uint32) error {
	if failed, _, err := ioctlsocket.Call(uintptr(h), fionbio, uintptr(unsafe.Pointer(&on))); failed != 0 {
		return os.NewSyscallError("ioctlsocket", err)
	}
	return nil
}

// add makes h nonblocking and returns a File for it.
func (m *machine) add(h windows.Handle) (File, error) {
	if err := setNonblock(h, 1); err != nil {
		windows.Closesocket(h)
		return 0, err
	}
	return m.put(&file{fd: int(h)}), nil
}

func (m *machine) handle(f File) windows.Handle { return windows.Handle(m.get(f).fd) }

func (m *machine) CloseAll() error {
	m.calls.Wait()
	for _, f := range m.files {
		if !f.closed && !f.borrowed {
			closeHandle(windows.Handle(f.fd))
		}
	}
	return m.p.Close()
}

// closeHandle closes a socket or a file.
func closeHandle(h windows.Handle) error {
	err := windows.Closesocket(h)
	if err == windows.WSAENOTSOCK {
		err = windows.CloseHandle(h)
	}
	return err
}

// blocked converts the error of an operation. If the operation would have blocked, it
// re-arms the direction.
func (m *machine) blocked(h File, dir poll.Interest, err error) error {
	if err == nil {
		return nil
	}
	kind, _ := windows.GetsockoptInt(m.handle(h), windows.SOL_SOCKET, soType)
	if err = UnixError(err, kind == windows.SOCK_DGRAM); err != ErrWouldBlock {
		return err
	}
	return m.wouldBlock(h, dir)
}

func buffer(b []byte) *windows.WSABuf {
	return &windows.WSABuf{Len: uint32(len(b)), Buf: unsafe.SliceData(b)}
}

func (m *machine) Read(h File, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil // Winsock would block until there is data
	}
	var n, flags uint32
	if err := windows.WSARecv(m.handle(h), buffer(b), 1, &n, &flags, nil, nil); err != nil {
		return 0, m.blocked(h, poll.Readable, err)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return int(n), nil
}

func (m *machine) Write(h File, b []byte) (int, error) {
	var n uint32
	err := windows.WSASend(m.handle(h), buffer(b), 1, &n, 0, nil, nil)
	return int(n), m.blocked(h, poll.Writable, err)
}

func (m *machine) RecvFrom(h File, b []byte) (int, string, error) {
	var n, flags uint32
	var from windows.RawSockaddrAny
	size := int32(unsafe.Sizeof(from))
	err := windows.WSARecvFrom(m.handle(h), buffer(b), 1, &n, &flags, &from, &size, nil, nil)
	if err == windows.WSAEMSGSIZE {
		n, err = uint32(len(b)), nil // the rest is discarded
	}
	if err != nil {
		return 0, "", m.blocked(h, poll.Readable, err)
	}
	sa, err := from.Sockaddr()
	return int(n), addrOf(sa), err
}

func (m *machine) SendTo(h File, b []byte, to string) (int, error) {
	sa, err := sockaddr("udp", to)
	if err == nil {
		var n uint32
		err = windows.WSASendto(m.handle(h), buffer(b), 1, &n, 0, sa, nil, nil)
	}
	return len(b), m.blocked(h, poll.Writable, err)
}

func (m *machine) Shutdown(h File, how driver.How) error {
	return windows.Shutdown(m.handle(h), int(how)-1) // SD_RECEIVE and SD_SEND are 0 and 1
}

func (m *machine) Reset(h File) error {
	err := windows.SetsockoptLinger(m.handle(h), windows.SOL_SOCKET, windows.SO_LINGER, &windows.Linger{Onoff: 1})
	return errors.Join(err, m.Close(h))
}

func (m *machine) Close(h File) error {
	f := m.get(h)
	if f.closed {
		return windows.ERROR_INVALID_HANDLE
	}
	f.closed = true
	return closeHandle(windows.Handle(f.fd))
}

func (m *machine) Number(h File) (int, error) { return m.get(h).fd, nil }

func (m *machine) Pipe() (r, w File, err error) { return 0, 0, lack("pipe that can be waited for") }

func (m *machine) Pair(network string) (a, b File, err error) { return m.PairOf(m, network) }

func (m *machine) Open(path string) (File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ, windows.FILE_SHARE_READ, nil, windows.OPEN_EXISTING,
		windows.FILE_FLAG_BACKUP_SEMANTICS, 0) // needed for a directory
	if err != nil {
		return 0, err
	}
	return m.put(&file{fd: int(h)}), nil
}

func (m *machine) Dup(h File) (File, error) {
	var info windows.WSAProtocolInfo
	if err := windows.WSADuplicateSocket(m.handle(h), windows.GetCurrentProcessId(), &info); err != nil {
		return 0, err
	}
	const fromInfo = -1 // FROM_PROTOCOL_INFO
	dup, err := windows.WSASocket(fromInfo, fromInfo, fromInfo, &info, 0, windows.WSA_FLAG_OVERLAPPED)
	if err != nil {
		return 0, err
	}
	return m.add(dup)
}

// Adopt borrows a socket of package net. Such a socket is blocking, as package net uses
// overlapped operations, so it is made nonblocking until Release.
func (m *machine) Adopt(c syscall.Conn) (File, error) {
	if _, ok := c.(*os.File); ok {
		return 0, lack("pipe that can be waited for")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	number := -1
	if err := raw.Control(func(h uintptr) { number = int(h) }); err != nil {
		return 0, err
	}
	return m.put(&file{fd: number, borrowed: true}), setNonblock(windows.Handle(number), 1)
}

func (m *machine) Release(h File) error {
	m.get(h).closed = true
	return setNonblock(m.handle(h), 0)
}

// socket opens a socket of a network. It also returns addr for Winsock.
func (m *machine) socket(network, addr string) (File, windows.Sockaddr, error) {
	sa, err := sockaddr(network, addr)
	if err != nil {
		return 0, nil, err
	}
	kind, protocol := int32(windows.SOCK_STREAM), int32(windows.IPPROTO_TCP)
	if network == "udp" {
		kind, protocol = windows.SOCK_DGRAM, windows.IPPROTO_UDP
	}
	h, err := windows.WSASocket(windows.AF_INET, kind, protocol, nil, 0, windows.WSA_FLAG_OVERLAPPED|windows.WSA_FLAG_NO_HANDLE_INHERIT)
	if err != nil {
		return 0, nil, os.NewSyscallError("WSASocket", err)
	}
	f, err := m.add(h)
	return f, sa, err
}

func (m *machine) Listen(network, addr string) (File, string, error) {
	f, name, err := m.Bind(network, addr)
	if err == nil {
		err = windows.Listen(m.handle(f), 128)
	}
	return f, name, err
}

func (m *machine) Bind(network, addr string) (File, string, error) {
	f, sa, err := m.socket(network, addr)
	if err == nil {
		err = windows.Bind(m.handle(f), sa)
	}
	if err != nil {
		return 0, "", err
	}
	name, err := windows.Getsockname(m.handle(f))
	return f, addrOf(name), err
}

func (m *machine) Dial(network, addr string) (File, error) {
	f, sa, err := m.socket(network, addr)
	if err != nil {
		return 0, err
	}
	if err := windows.Connect(m.handle(f), sa); err != nil && err != windows.WSAEWOULDBLOCK {
		return 0, err
	}
	return f, nil
}

func (m *machine) Finish(h File) error {
	errno, err := windows.GetsockoptInt(m.handle(h), windows.SOL_SOCKET, soError)
	if err == nil && errno != 0 {
		err = syscall.Errno(errno)
	}
	if err == nil {
		_, err = windows.Getpeername(m.handle(h))
	}
	return m.blocked(h, 0, err)
}

func (m *machine) Accept(h File) (File, error) {
	s, _, err := acceptProc.Call(uintptr(m.get(h).fd), 0, 0)
	if windows.Handle(s) == windows.InvalidHandle {
		return 0, m.blocked(h, poll.Readable, err)
	}
	return m.add(windows.Handle(s))
}

// sockaddr converts an address for Winsock.
func sockaddr(network, addr string) (windows.Sockaddr, error) {
	if network == "unix" || network == "unixgram" {
		return nil, lack(network + " socket")
	}
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	if !ap.Addr().Is4() {
		return nil, lack(network + " address " + addr)
	}
	return &windows.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}, nil
}

// addrOf converts an address to the format of package net.
func addrOf(sa windows.Sockaddr) string {
	if sa, ok := sa.(*windows.SockaddrInet4); ok {
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)).String()
	}
	return ""
}
