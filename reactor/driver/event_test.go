package driver

import (
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
