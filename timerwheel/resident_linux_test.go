package timerwheel_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stator-go/stator/internal/pages/pagestest"
	"github.com/stator-go/stator/timerwheel"
)

// TestResidentBytes arms a few timers of many and counts the pages that are in memory.
func TestResidentBytes(t *testing.T) { pagestest.Run(t, residentBytes) }

func residentBytes(t *testing.T) {
	const (
		capacity = 4 << 20 // 64 MiB of nodes, 32 MiB of periods
		inUse    = 400_000
		each     = 24
		slack    = 2 << 20 // a huge page, as some kernels round up to those
	)
	w := newWheel(t, capacity, time.Millisecond, 0)
	for i := range timerwheel.Timer(inUse) {
		w.Add(i, int64(i)*ms)
		w.Extend(i, int64(i)*2*ms)
	}
	w.Advance(1000 * ms)
	drain(w)
	nodes, periods := w.Memory()
	got := pagestest.Resident(t, nodes) + pagestest.Resident(t, periods)
	if got > inUse*each+slack {
		t.Errorf("%d bytes are resident for %d timers, %d each; want at most %d each", got, inUse, got/inUse, each)
	}
	runtime.KeepAlive(w)
}
