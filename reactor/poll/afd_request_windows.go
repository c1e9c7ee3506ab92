package poll

import (
	"math"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// The requests of AFD, the driver under Windows's sockets, and their results. They are not
// documented by Windows; the code relies on the same behaviour as wepoll and mio.

// events are the bits of AFD.
type events uint32

const (
	receive     events = 1 << 0 // data to be read
	expedited   events = 1 << 1 // urgent data
	sendable    events = 1 << 2 // room for output, and connected
	disconnect  events = 1 << 3 // the peer sends no more
	abort       events = 1 << 4 // reset
	localClose  events = 1 << 5 // the last handle of the socket was closed
	accept      events = 1 << 7 // a connection waits to be accepted
	connectFail events = 1 << 8
)

// request is the memory of one poll request. The kernel writes to it until the packet of
// the request has come, so it is outside Go's heap.
type request struct {
	status struct{ status, information uintptr } // IO_STATUS_BLOCK
	info   pollInfo
	id     uint64 // of the watch that the request was sent for
}

// pollInfo is AFD_POLL_INFO of one handle.
type pollInfo struct {
	timeout   int64 // in units of 100 ns; 0 means not to wait
	handles   uint32
	exclusive uint32
	handle    windows.Handle
	events    events
	status    int32
}

// infoSize is the size of a pollInfo with the padding of C.
const infoSize = (unsafe.Sizeof(pollInfo{}) + 7) &^ 7

const ioctlPoll = 0x00012024 // IOCTL_AFD_POLL

// entry is OVERLAPPED_ENTRY. context is an index in watches.
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

// openHelper opens a handle of AFD that is not a socket. Poll requests are sent on such a
// handle.
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

// send sends a request. If sent is true, a packet with the context will come. Otherwise
// badHandle reports whether the socket does not exist; if it does, the kernel lacks
// resources.
func send(helper windows.Handle, r *request, socket windows.Handle, want events, context uintptr) (sent, badHandle bool) {
	r.info = pollInfo{timeout: math.MaxInt64, handles: 1, handle: socket, events: want}
	status := r.do(helper, context)
	if status == windows.STATUS_SUCCESS || status == windows.STATUS_PENDING {
		return true, false
	}
	return false, status.Errno() == windows.ERROR_INVALID_HANDLE
}

// pollNow returns the events that a socket has at this moment.
func pollNow(helper windows.Handle, r *request, socket windows.Handle, want events) events {
	r.info = pollInfo{handles: 1, handle: socket, events: want}
	if r.do(helper, 0) != windows.STATUS_SUCCESS {
		return 0
	}
	return r.result()
}

// do sends the request in r.info.
func (r *request) do(helper windows.Handle, context uintptr) windows.NTStatus {
	r.status.status, r.status.information = uintptr(windows.STATUS_PENDING), 0
	info := uintptr(unsafe.Pointer(&r.info))
	status, _, _ := syscall.SyscallN(ioctl.Addr(), uintptr(helper), 0, 0, context, uintptr(unsafe.Pointer(&r.status)),
		ioctlPoll, info, infoSize, info, infoSize)
	return windows.NTStatus(status)
}

// result returns the events of a completed request, 0 if it was cancelled. If it failed,
// result returns an error event of the socket, and the caller finds the real error there:
// to send the request again could fail for ever.
func (r *request) result() events {
	switch status := windows.NTStatus(r.status.status); {
	case status != windows.STATUS_CANCELLED && int32(status) < 0:
		return connectFail
	case status != windows.STATUS_SUCCESS || r.info.handles == 0:
		return 0
	}
	return r.info.events
}

// cancel makes a request complete soon. It has no effect if the request has completed.
func cancel(helper windows.Handle, r *request) {
	var status windows.IO_STATUS_BLOCK
	syscall.SyscallN(cancelEx.Addr(), uintptr(helper), uintptr(unsafe.Pointer(&r.status)), uintptr(unsafe.Pointer(&status)))
}

// dequeue stores packets in entries and returns their number. It blocks until there is one
// or timeout has passed, rounded up to milliseconds and subject to the resolution of the
// system's clock. A negative timeout means no limit.
func dequeue(port windows.Handle, entries []entry, timeout time.Duration) (int, error) {
	ms := uintptr(windows.INFINITE)
	if timeout >= 0 {
		ms = uintptr(min((uint64(timeout)+uint64(time.Millisecond)-1)/uint64(time.Millisecond), 1<<30))
	}
	var n uint32
	ok, _, errno := syscall.SyscallN(dequeueAll.Addr(), uintptr(port), uintptr(unsafe.Pointer(&entries[0])), uintptr(len(entries)),
		uintptr(unsafe.Pointer(&n)), ms, 0)
	switch {
	case ok != 0:
		return int(n), nil
	case errno == syscall.Errno(windows.WAIT_TIMEOUT):
		return 0, nil
	}
	return 0, os.NewSyscallError("GetQueuedCompletionStatusEx", errno)
}

// requests is the memory of all requests, allocated from the system in pages.
type requests struct {
	pages []uintptr
}

const (
	pageSize    = 64 << 10 // the granularity of VirtualAlloc
	requestSize = 64
	perPage     = pageSize / requestSize
)

// This does not compile unless a request fits.
const _ = uint(requestSize - unsafe.Sizeof(request{}))

// ensure allocates the memory of request i if there is none. i may be at most one more than
// before.
func (s *requests) ensure(i int32) error {
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

// at returns request i.
func (s *requests) at(i int32) *request {
	addr := s.pages[i/perPage] + uintptr(i%perPage)*requestSize
	return *(**request)(unsafe.Pointer(&addr)) // not in Go's heap, so the address may be an integer
}

func (s *requests) free() {
	for _, page := range s.pages {
		windows.VirtualFree(page, 0, windows.MEM_RELEASE)
	}
	s.pages = nil
}
