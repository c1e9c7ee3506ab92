//go:build openbsd || dragonfly || solaris || aix || (linux && stator_plain)

package osdriver

import (
	"testing"
	"time"
)

// Bytes count as not acknowledged for maxAckDelay after they were written.
func TestUnackedByTheClock(t *testing.T) {
	d := testDriver(t)
	a, b := testConnection(t, d)
	if d.Unacked(a) {
		t.Error("unacked before a write")
	}
	wrote := d.Now()
	if n, _, err := d.Write(a, []byte("x")); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if !d.Unacked(a) || d.Unacked(b) {
		t.Errorf("unacked %v, %v: want true, of the writer, and false", d.Unacked(a), d.Unacked(b))
	}
	for d.Unacked(a) {
		time.Sleep(time.Millisecond)
	}
	if took := time.Duration(d.Now() - wrote); took < maxAckDelay {
		t.Errorf("after %v: want at least %v", took, maxAckDelay)
	}
}
