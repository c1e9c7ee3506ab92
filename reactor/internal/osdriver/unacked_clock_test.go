//go:build openbsd || dragonfly || solaris || aix || (linux && stator_plain)

package osdriver

import (
	"testing"
	"time"
)

// What was written just now may be on its way, and later is not.
func TestUnackedByTheClock(t *testing.T) {
	d := testDriver(t)
	a, b := testConnection(t, d)
	if d.Unacked(a) {
		t.Error("nothing was written")
	}
	wrote := d.Now()
	if n, _, err := d.Write(a, []byte("x")); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if !d.Unacked(a) || d.Unacked(b) {
		t.Errorf("unsent %v, %v: want it of the writer", d.Unacked(a), d.Unacked(b))
	}
	for d.Unacked(a) {
		time.Sleep(time.Millisecond)
	}
	if took := time.Duration(d.Now() - wrote); took < ackWithin {
		t.Errorf("after %v: want at least %v", took, ackWithin)
	}
}
