package driver_test

import (
	"math"
	"testing"

	"github.com/stator-go/stator/reactor/driver"
)

func TestPortEvent(t *testing.T) {
	for _, c := range []struct {
		generation, index uint32
		port, portGen     uint8
		want              driver.EventData
	}{
		{1, 0, 0, 0, 1 << 32},
		{1, 1, 0, 0, 1<<32 | 1},
		{1, 0, 1, 0, 1<<32 | 1<<24},
		{1, 0, 0, 1, 1<<32 | 1<<26},
		{0x89abcdef, 0x123456, 2, 0x2a, 0x89abcdef<<32 | 0xaa123456},
		{math.MaxUint32, 1<<24 - 1, 3, 63, math.MaxUint64},
	} {
		d := driver.PortEvent(c.generation, c.index, c.port, c.portGen)
		if d != c.want {
			t.Errorf("%+v: got %#x, want %#x", c, uint64(d), uint64(c.want))
		}
		if !d.OfMachine() {
			t.Errorf("%+v: OfMachine: got false, want true", c)
		}
		if d.Generation() != c.generation || d.Index() != c.index || d.Port() != c.port || d.PortGen() != c.portGen {
			t.Errorf("%+v: got generation %d, index %d, port %d, port's generation %d", c, d.Generation(), d.Index(), d.Port(), d.PortGen())
		}
	}
}

func TestOwnEvent(t *testing.T) {
	for _, c := range []struct {
		generation, number uint32
		source             uint8
		want               driver.EventData
	}{
		{0, 0, driver.SourceWaker, 1},
		{0, 1, driver.SourceListener, 1<<8 | 2},
		{0x89abcdee, 0x123456, driver.SourceListener, 0x89abcdee<<32 | 0x12345602},
		{math.MaxUint32 - 1, 1<<24 - 1, 255, math.MaxUint64 - 1<<32},
	} {
		d := driver.OwnEvent(c.generation, c.number, c.source)
		if d != c.want {
			t.Errorf("%+v: got %#x, want %#x", c, uint64(d), uint64(c.want))
		}
		if d.OfMachine() {
			t.Errorf("%+v: OfMachine: got true, want false", c)
		}
		if d.Generation() != c.generation || d.Number() != c.number || d.Source() != c.source {
			t.Errorf("%+v: got generation %d, number %d, source %d", c, d.Generation(), d.Number(), d.Source())
		}
	}
}

// A field that is too large changes no other field.
func TestEventFieldsAreBounded(t *testing.T) {
	if got, want := driver.PortEvent(1, 1<<24, 4, 64), driver.PortEvent(1, 0, 0, 0); got != want {
		t.Errorf("PortEvent: got %#x, want %#x", uint64(got), uint64(want))
	}
	if got, want := driver.OwnEvent(2, 1<<24, 1), driver.OwnEvent(2, 0, 1); got != want {
		t.Errorf("OwnEvent: got %#x, want %#x", uint64(got), uint64(want))
	}
}

// A port's generation takes each of its 64 values, and the first one again.
func TestNextPortGen(t *testing.T) {
	seen := map[uint8]bool{}
	gen := uint8(0)
	for range 64 {
		if seen[gen] {
			t.Fatalf("got generation %d twice in 64, want each once", gen)
		}
		seen[gen] = true
		if got := driver.PortEvent(1, 0, 0, gen).PortGen(); got != gen {
			t.Errorf("generation %d in an EventData: got %d, want the same", gen, got)
		}
		gen = driver.NextPortGen(gen)
	}
	if gen != 0 {
		t.Errorf("after 64: got generation %d, want 0", gen)
	}
}
