package timerwheel_test

import (
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stator-go/stator/timerwheel"
)

// TestResidentBytes arms a few timers of very many, in memory fresh from the
// kernel and in memory that the heap has used before and must clear.
func TestResidentBytes(t *testing.T) {
	t.Run("fresh", residentBytes)
	soil()
	runtime.GC()
	t.Run("recycled", residentBytes)
}

// soil leaves 128 MiB behind that were written to.
func soil() {
	dirty := make([]byte, 128<<20)
	for i := range dirty {
		dirty[i] = 1
	}
}

func residentBytes(t *testing.T) {
	const (
		capacity = 4 << 20 // 64 MiB of nodes, 32 MiB of periods
		inUse    = 400_000
		each     = 24
		slack    = 2 << 20 // for a kernel that rounds up to huge pages
	)
	w := newWheel(t, capacity, time.Millisecond, 0)
	for i := range timerwheel.Timer(inUse) {
		w.Add(i, int64(i)*ms)
		w.Extend(i, int64(i)*2*ms)
	}
	w.Advance(1000 * ms)
	drain(w)
	nodes, periods := w.Memory()
	if got := resident(t, nodes) + resident(t, periods); got > inUse*each+slack {
		t.Errorf("%d bytes are resident for %d timers, %d each; want at most %d each", got, inUse, got/inUse, each)
	}
	runtime.KeepAlive(w)
}

func resident(t *testing.T, b []byte) (n int) {
	t.Helper()
	page := os.Getpagesize()
	skip := int(-uintptr(unsafe.Pointer(&b[0])) & uintptr(page-1)) // to the first whole page
	b = b[skip:]
	pages := make([]byte, (len(b)+page-1)/page)
	_, _, errno := syscall.Syscall(syscall.SYS_MINCORE,
		uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), uintptr(unsafe.Pointer(&pages[0])))
	if errno != 0 {
		t.Fatalf("mincore: %v", errno)
	}
	for _, p := range pages {
		n += int(p&1) * page
	}
	return n
}
