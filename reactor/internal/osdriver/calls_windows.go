package osdriver

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Winsock's calls are made without package windows where that would allocate: it
// boxes each error.
var (
	ws2         = windows.NewLazySystemDLL("ws2_32.dll")
	accept      = ws2.NewProc("accept")
	ioctlsocket = ws2.NewProc("ioctlsocket")
	recv        = ws2.NewProc("recv")
	recvfrom    = ws2.NewProc("recvfrom")
	send        = ws2.NewProc("send")
	sendto      = ws2.NewProc("sendto")
	sendv       = ws2.NewProc("WSASend")
)

// What package windows lacks of Winsock's constants.
const (
	fionbio      = 0x8004667E
	soError      = 0x1007
	soAcceptConn = 0x0002
	soType       = 0x1008
)

// maxIO bounds how much one call takes. A send that finds any room is taken whole, into
// memory that can't be paged, and fails with WSAENOBUFS where that is not to be had.
const maxIO = 256 << 10

// length is what of b one call takes.
func ioLen(b []byte) int { return min(len(b), maxIO) }

// block makes a socket's calls block, or answer WSAEWOULDBLOCK.
func setBlocking(h windows.Handle, on bool) error {
	mode := uint32(1)
	if on {
		mode = 0
	}
	if failed, _, errno := syscall.SyscallN(ioctlsocket.Addr(), uintptr(h), fionbio, uintptr(unsafe.Pointer(&mode))); failed != 0 {
		return os.NewSyscallError("ioctlsocket", errno)
	}
	return nil
}
