package osdriver

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Calls of Winsock that package windows would allocate for, as it boxes each error.
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

// Constants of Winsock that package windows lacks.
const (
	fionbio      = 0x8004667E
	soError      = 0x1007
	soAcceptConn = 0x0002
	soType       = 0x1008
	enobufs      = windows.WSAENOBUFS
)

// maxIO bounds how many bytes one call moves. If there is any room, Winsock takes all of a
// send, into memory that can't be paged, and fails with WSAENOBUFS if there is not enough:
// then the driver tries again later.
const maxIO = 256 << 10

// ioLen returns how many bytes of b one call takes.
func ioLen(b []byte) int { return min(len(b), maxIO) }

// setBlocking makes calls on a socket block, or return WSAEWOULDBLOCK.
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
