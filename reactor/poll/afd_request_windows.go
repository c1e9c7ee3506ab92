package poll

import (
	"math"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// What AFD is asked and how it answers. None of it is in Windows's manual; the
// source is the behaviour that wepoll and mio count on.

// events are AFD's bits.
type events uint32

const (
	receive     events = 1 << 0 // data to be read
	expedited   events = 1 << 1 // urgent data
	sendable    events = 1 << 2 // room for output, and connected
	disconnect  events = 1 << 3 // the peer sends no more
	abort       events = 1 << 4 // reset
	localClose  events = 1 << 5 // the socket's last handle was closed
	accept      events = 1 << 7 // a connection waits to be accepted
	connectFail events = 1 << 8
)

// request is the memory of one poll: the kernel writes to it until the request's
// packet has come. So it lies where the garbage collector moves and frees nothing.
type request struct {
	status struct{ status, information uintptr } // IO_STATUS_BLOCK
	info   pollInfo
	id     uint64 // of the watch that it was sent for
}

// pollInfo is AFD_POLL_INFO of one handle.
type pollInfo struct {
	timeout   int64 // of 100 ns each; 0 only looks
	handles   uint32
	exclusive uint32
	handle    windows.Handle
	events    events
	status    int32
}

// infoSize is the size of a pollInfo with C's padding.
const infoSize = (unsafe.Sizeof(pollInfo{}) + 7) &^ 7

const ioctlPoll = 0x00012024 // IOCTL_AFD_POLL

// entry is OVERLAPPED_ENTRY. context is an index of watches.
type entry struct {
	key     uintptr
	context uintptr
	_       uintptr
	_       uint32
}

var (
	ntdll    = windows.NewLazySystemDLL("ntdll.dll")
	ioctl    = ntdll.NewProc("NtDeviceIoControlFile")
	cancelEx = ntdll.NewProc("NtCancelIoFileEx")

	kernel32   = windows.NewLazySystemDLL("kernel32.dll")
	dequeueAll = kernel32.NewProc("GetQueuedCompletionStatusEx")
)

// openHelper opens a handle of AFD that is no socket. Requests on it tell of sockets.
func openHelper(options uint32) (windows.Handle, error) {
	name, err := windows.NewNTUnicodeString(`\Device\Afd\Stator`)
	if err != nil {
		return 0, err
	}
	attributes := windows.OBJECT_ATTRIBUTES{ObjectName: name}
	attributes.Length = uint32(unsafe.Sizeof(attributes))
	var h windows.Handle
	var status windows.IO_STATUS_BLOCK
	err = windows.NtCreateFile(&h, windows.SYNCHRONIZE, &attributes, &status, nil, 0,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, windows.FILE_OPEN, options, 0, 0)
	return h, os.NewSyscallError("NtCreateFile", err)
}

// send begins a request. If it is sent, a packet with the context will come. Else the
// socket is none, or the kernel short of something.
func send(helper windows.Handle, r *request, socket windows.Handle, ask events, context uintptr) (sent, none bool) {
	r.info = pollInfo{timeout: math.MaxInt64, handles: 1, handle: socket, events: ask}
	status := r.do(helper, context)
	if status == windows.STATUS_SUCCESS || status == windows.STATUS_PENDING {
		return true, false
	}
	return false, status.Errno() == windows.ERROR_INVALID_HANDLE
}

// glance is what a socket is ready for at this moment.
func glance(helper windows.Handle, r *request, socket windows.Handle, ask events) events {
	r.info = pollInfo{handles: 1, handle: socket, events: ask}
	if r.do(helper, 0) != windows.STATUS_SUCCESS {
		return 0
	}
	return r.answer()
}

func (r *request) do(helper windows.Handle, context uintptr) windows.NTStatus {
	r.status.status, r.status.information = uintptr(windows.STATUS_PENDING), 0
	info := uintptr(unsafe.Pointer(&r.info))
	status, _, _ := syscall.SyscallN(ioctl.Addr(), uintptr(helper), 0, 0, context, uintptr(unsafe.Pointer(&r.status)),
		ioctlPoll, info, infoSize, info, infoSize)
	return windows.NTStatus(status)
}

// answer is what a request that came back tells: nothing if it was cancelled. One that
// failed is told as if the socket had, or it would be sent again for ever: whoever has
// the socket asks that.
func (r *request) answer() events {
	switch status := windows.NTStatus(r.status.status); {
	case status != windows.STATUS_CANCELLED && int32(status) < 0:
		return connectFail
	case status != windows.STATUS_SUCCESS || r.info.handles == 0:
		return 0
	}
	return r.info.events
}

// cancel hastens the answer of a request under way. One that has answered already
// is not found, which is as good.
func cancel(helper windows.Handle, r *request) {
	var status windows.IO_STATUS_BLOCK
	syscall.SyscallN(cancelEx.Addr(), uintptr(helper), uintptr(unsafe.Pointer(&r.status)), uintptr(unsafe.Pointer(&status)))
}

// dequeue waits for packets: for ever if left is negative, else never less than
// left, but for what the system's clock is coarser than its milliseconds.
func dequeue(port windows.Handle, into []entry, left time.Duration) (int, error) {
	ms := uintptr(windows.INFINITE)
	if left >= 0 {
		ms = uintptr(min((uint64(left)+uint64(time.Millisecond)-1)/uint64(time.Millisecond), 1<<30))
	}
	var n uint32
	ok, _, errno := syscall.SyscallN(dequeueAll.Addr(), uintptr(port), uintptr(unsafe.Pointer(&into[0])), uintptr(len(into)),
		uintptr(unsafe.Pointer(&n)), ms, 0)
	switch {
	case ok != 0:
		return int(n), nil
	case errno == syscall.Errno(windows.WAIT_TIMEOUT):
		return 0, nil
	}
	return 0, os.NewSyscallError("GetQueuedCompletionStatusEx", errno)
}

// requests are their memory, in pages of the system's.
type requests struct {
	pages []uintptr
}

const (
	pageSize    = 64 << 10 // what VirtualAlloc deals in
	requestSize = 64
	perPage     = pageSize / requestSize
)

// The kernel's idea of a request fits.
const _ = uint(requestSize - unsafe.Sizeof(request{}))

// hold makes room for request number i, the next one that there was none for.
func (s *requests) hold(i int32) error {
	if int(i) < len(s.pages)*perPage {
		return nil
	}
	page, err := windows.VirtualAlloc(0, pageSize, windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err != nil {
		return os.NewSyscallError("VirtualAlloc", err)
	}
	s.pages = append(s.pages, page)
	return nil
}

// at is request number i.
func (s *requests) at(i int32) *request {
	addr := s.pages[i/perPage] + uintptr(i%perPage)*requestSize
	return *(**request)(unsafe.Pointer(&addr)) // not Go's memory, so of no interest to its rules for addresses
}

func (s *requests) free() {
	for _, page := range s.pages {
		windows.VirtualFree(page, 0, windows.MEM_RELEASE)
	}
	s.pages = nil
}
