package driver

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestPortEventHoldsItsFields(t *testing.T) {
	for range 1000 {
		generation, index := rand.Uint32()|1, rand.Uint32N(1<<24)
		port, portGen := uint8(rand.N(4)), uint8(rand.N(64))
		d := PortEvent(generation, index, port, portGen)
		if !d.OfMachine() || d.Generation() != generation || d.Index() != index || d.Port() != port || d.PortGen() != portGen {
			t.Fatalf("%#x: OfMachine %v, generation %d, index %d, port %d, port's generation %d: want %d, %d, %d, %d",
				uint64(d), d.OfMachine(), d.Generation(), d.Index(), d.Port(), d.PortGen(), generation, index, port, portGen)
		}
	}
}

func TestOwnEventHoldsItsFields(t *testing.T) {
	for range 1000 {
		generation, number, source := rand.Uint32()&^1, rand.Uint32N(1<<24), uint8(rand.N(256))
		d := OwnEvent(generation, number, source)
		if d.OfMachine() || d.Generation() != generation || d.Number() != number || d.Source() != source {
			t.Fatalf("%#x: OfMachine %v, generation %d, number %d, source %d: want %d, %d, %d",
				uint64(d), d.OfMachine(), d.Generation(), d.Number(), d.Source(), generation, number, source)
		}
	}
}

// The 64 generations of a port follow each other in a circle, so that the last 64
// sockets of a port have different data.
func TestNextPortGenVisitsAll(t *testing.T) {
	seen := map[EventData]bool{}
	gen := uint8(0)
	for range 64 {
		seen[PortEvent(1, 2, 3, gen)] = true
		gen = NextPortGen(gen)
	}
	if len(seen) != 64 || gen != 0 {
		t.Errorf("%d different data, then generation %d: want 64, then 0", len(seen), gen)
	}
}

// The layout of a port's event data is the one that EventData's comment draws.
func TestPortEventLayout(t *testing.T) {
	for _, c := range []struct {
		generation, index uint32
		port, portGen     uint8
		want              EventData
	}{
		{1, 0, 0, 0, 1 << 32},
		{1, 1, 0, 0, 1<<32 | 1},
		{1, 0, 1, 0, 1<<32 | 1<<24},
		{1, 0, 0, 1, 1<<32 | 1<<26},
		{0x89abcdef, 0x123456, 2, 0x2a, 0x89abcdef<<32 | 0xaa123456},
		{math.MaxUint32, 1<<24 - 1, 3, 63, math.MaxUint64},
	} {
		d := PortEvent(c.generation, c.index, c.port, c.portGen)
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

// So is that of the loop's own.
func TestOwnEventLayout(t *testing.T) {
	for _, c := range []struct {
		generation, number uint32
		source             uint8
		want               EventData
	}{
		{0, 0, SourceWaker, 1},
		{0, 1, SourceListener, 1<<8 | 2},
		{0x89abcdee, 0x123456, SourceListener, 0x89abcdee<<32 | 0x12345602},
		{math.MaxUint32 - 1, 1<<24 - 1, 255, math.MaxUint64 - 1<<32},
	} {
		d := OwnEvent(c.generation, c.number, c.source)
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
	if got, want := PortEvent(1, 1<<24, 4, 64), PortEvent(1, 0, 0, 0); got != want {
		t.Errorf("PortEvent: got %#x, want %#x", uint64(got), uint64(want))
	}
	if got, want := OwnEvent(2, 1<<24, 1), OwnEvent(2, 0, 1); got != want {
		t.Errorf("OwnEvent: got %#x, want %#x", uint64(got), uint64(want))
	}
}
