package sig_test

import (
	"syscall"
	"testing"

	"github.com/stator-go/stator/sig"
)

// TestEachCatchable asks for every signal that Notify accepts, one by one, and sends it.
func TestEachCatchable(t *testing.T) {
	count := 0
	for n := syscall.Signal(1); n <= 63; n++ {
		if !sig.Catchable().Has(n) {
			continue
		}
		count++
		src := open(t, func() {})
		notify(t, src, n)
		kill(t, n)
		pending(t, src, n)
		if err := src.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if count != 57 {
		t.Errorf("%d signals, want 57: 1 to 63 without SIGKILL, SIGSTOP, SIGPROF and 32 to 34", count)
	}
}
