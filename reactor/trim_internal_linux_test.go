package reactor

import (
	"testing"
	"time"

	"github.com/stator-go/stator/internal/pages/pagestest"
)

// Buffers that are given back leave the process's memory without a garbage collection.
func TestBuffersGoBackToTheSystem(t *testing.T) {
	const size = 8 << 20
	p := newPool(64<<20, make([]byte, 64))
	var all []uint32
	var buffers [][]byte
	for left := size; left > 0; left -= outChunk {
		n := p.get(outChunk)
		b := p.chunks[n].b
		for i := range b {
			b[i] = 1
		}
		all, buffers = append(all, n), append(buffers, b)
	}
	for _, n := range all {
		p.put(n)
	}
	for now := int64(1); p.cached > keptBytes; now += int64(trimEvery) {
		if p.trim(now); now > int64(time.Minute) {
			t.Fatalf("got %d bytes unused after a minute, want %d at most", p.cached, keptBytes)
		}
	}
	resident := 0
	for _, b := range buffers {
		resident += pagestest.Resident(t, b)
	}
	if resident > 2*keptBytes {
		t.Errorf("got %d bytes in memory, want %d at most", resident, 2*keptBytes)
	}
}
