package poll

import (
	"errors"
	"hash/maphash"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// startWinsock initializes Winsock for the life of the process, like package net: sockets
// belong to the caller and stay open when a Poller is closed.
var startWinsock = sync.OnceValue(func() error {
	const version = 0x202
	var data windows.WSAData
	return os.NewSyscallError("WSAStartup", windows.WSAStartup(version, &data))
})

// identity identifies the socket behind a handle, as far as its addresses do. Nothing else
// distinguishes it from another socket that had the same handle.
type identity struct {
	kind        int    // SO_TYPE
	local, peer uint64 // hashes of addresses; 0 if there is none
}

// couldBecome reports whether a socket that had identity x can have identity y later. A
// socket may be bound and connected after it was registered, and it loses its peer's
// address with the connection.
func (x identity) couldBecome(y identity) bool {
	return x.kind == y.kind && (x.local == 0 || x.local == y.local) && (x.peer == 0 || y.peer == 0 || x.peer == y.peer)
}

var (
	ws2         = windows.NewLazySystemDLL("ws2_32.dll")
	getsockname = ws2.NewProc("getsockname")
	getpeername = ws2.NewProc("getpeername")

	seed = maphash.MakeSeed()
)

const soType = 0x1008 // SO_TYPE

// identify returns the identity of a socket, or an error if h is not a socket.
func identify(h windows.Handle) (identity, error) {
	kind, err := windows.GetsockoptInt(h, windows.SOL_SOCKET, soType)
	if err != nil {
		if _, e := windows.GetFileType(h); errors.Is(e, windows.ERROR_INVALID_HANDLE) {
			return identity{}, e
		}
		return identity{}, err
	}
	return identity{kind, addressOf(h, getsockname), addressOf(h, getpeername)}, nil
}

// addressOf returns a hash of an address of a socket. For a local internet address that is
// the port, as the rest may change when the socket is connected.
func addressOf(h windows.Handle, get *windows.LazyProc) uint64 {
	var name [128]byte
	size := int32(len(name))
	failed, _, _ := syscall.SyscallN(get.Addr(), uintptr(h), uintptr(unsafe.Pointer(&name)), uintptr(unsafe.Pointer(&size)))
	if failed != 0 || size < 4 {
		return 0
	}
	if family := uint16(name[0]) | uint16(name[1])<<8; get == getsockname && (family == windows.AF_INET || family == windows.AF_INET6) {
		return uint64(name[2])<<8 | uint64(name[3])
	}
	return maphash.Bytes(seed, name[:size]) | 1
}

// The control codes that return the socket which AFD knows, if layered providers have
// wrapped it.
const (
	sioBaseHandle    = 0x48000022
	sioBSPHandlePoll = 0x4800001D
)

// baseOf returns the socket below those of layered providers. A provider that does not
// return the lowest socket may return the next one below it.
func baseOf(h windows.Handle) (windows.Handle, error) {
	for {
		base, err := below(h, sioBaseHandle)
		if err == nil {
			return base, nil
		}
		next, e := below(h, sioBSPHandlePoll)
		if e != nil || next == h {
			return 0, err
		}
		h = next
	}
}

func below(h windows.Handle, code uint32) (base windows.Handle, err error) {
	var n uint32
	err = windows.WSAIoctl(h, code, nil, 0, (*byte)(unsafe.Pointer(&base)), uint32(unsafe.Sizeof(base)), &n, nil, 0)
	return base, err
}
