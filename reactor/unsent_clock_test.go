//go:build openbsd || dragonfly || solaris || aix || (linux && stator_plain)

package reactor

import (
	"testing"
	"time"
)

// What was written just now may be on its way, and later is not.
func TestUnsentByTheClock(t *testing.T) {
	d := testDriver(t)
	a, b := testConnection(t, d)
	if d.Unsent(a) {
		t.Error("nothing was written")
	}
	wrote := d.Now()
	if n, _, err := d.Write(a, []byte("x")); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if !d.Unsent(a) || d.Unsent(b) {
		t.Errorf("unsent %v, %v: want it of the writer", d.Unsent(a), d.Unsent(b))
	}
	for d.Unsent(a) {
		time.Sleep(time.Millisecond)
	}
	if took := time.Duration(d.Now() - wrote); took < ackWithin {
		t.Errorf("after %v: want at least %v", took, ackWithin)
	}
}
