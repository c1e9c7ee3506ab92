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

// startWinsock has Winsock ready for the life of the process, as package net does:
// sockets are the user's, and stay when a Poller is closed.
var startWinsock = sync.OnceValue(func() error {
	const version = 0x202
	var data windows.WSAData
	return os.NewSyscallError("WSAStartup", windows.WSAStartup(version, &data))
})

// identity tells apart the sockets that a handle's number has stood for, as far as
// their addresses do. A handle has nothing else that another one could not have.
type identity struct {
	kind        int    // SO_TYPE
	local, peer uint64 // addresses, hashed; 0: none
}

// mayBe tells whether a socket that was x can have become y. Sockets are bound and
// connected after they were registered, and lose the peer with the connection.
func (x identity) mayBe(y identity) bool {
	return x.kind == y.kind && (x.local == 0 || x.local == y.local) && (x.peer == 0 || y.peer == 0 || x.peer == y.peer)
}

var (
	ws2         = windows.NewLazySystemDLL("ws2_32.dll")
	getsockname = ws2.NewProc("getsockname")
	getpeername = ws2.NewProc("getpeername")

	seed = maphash.MakeSeed()
)

const soType = 0x1008 // SO_TYPE

// identify is what h stands for, if that is a socket.
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

// addressOf is an address of a socket as a number. Of an internet address bound it
// is the port, as the rest becomes exact only when the socket is connected.
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

// The questions for the socket of the provider that AFD knows, where layered ones
// have put their own before it.
const (
	sioBaseHandle    = 0x48000022
	sioBSPHandlePoll = 0x4800001D
)

// baseOf is the socket under those of layered providers. One that keeps its base to
// itself may tell the next socket below.
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

func below(h windows.Handle, question uint32) (base windows.Handle, err error) {
	var n uint32
	err = windows.WSAIoctl(h, question, nil, 0, (*byte)(unsafe.Pointer(&base)), uint32(unsafe.Sizeof(base)), &n, nil, 0)
	return base, err
}
