package reactor

import (
	"math"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/internal/fakedriver"
)

// burst borrows and gives back size bytes, in chunks of 4 KiB.
func burst(p *pool, size int) {
	var all []uint32
	for ; size > 0; size -= outChunk {
		all = append(all, p.get(outChunk))
	}
	for _, n := range all {
		p.put(n)
	}
}

// A loop gives back the buffers of a burst within seconds, and sleeps then.
func TestBuffersGoBack(t *testing.T) {
	d := fakedriver.New(t)
	d.NoWait = true
	l, err := NewLoop(Config{Slots: 1, Driver: d})
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Stepper()
	if err != nil {
		t.Fatal(err)
	}
	burst(&l.pool, 200<<20)
	wakes, begin := 0, d.Now()
	for s.Turn(); s.Until() != math.MaxInt64; s.Turn() {
		if wait := s.Until() - d.Now(); wait > 0 {
			d.Pass(time.Duration(wait))
		} else if wakes++; wakes > 100 {
			t.Fatal("got a loop that does not sleep, want one that does")
		}
		if took := time.Duration(d.Now() - begin); took > time.Minute {
			t.Fatalf("got %d bytes unused after %v, want %d at most", l.pool.cached, took, keptBytes)
		}
	}
	if l.pool.cached > keptBytes {
		t.Errorf("got %d bytes unused, want %d at most", l.pool.cached, keptBytes)
	}
	held := 0
	for _, k := range l.pool.chunks[scratchNum+1:] {
		held += len(k.b)
	}
	if held != l.pool.cached {
		t.Errorf("got %d bytes of buffers, want %d", held, l.pool.cached)
	}
}

// What is used each second stays; what one burst used goes.
func TestBuffersInUseStay(t *testing.T) {
	const used = 32 << 20
	p := newPool(256<<20, make([]byte, 64))
	burst(&p, 4*used)
	for now := int64(time.Second); now < int64(40*time.Second); now += int64(100 * time.Millisecond) {
		burst(&p, used)
		p.trim(now)
		if p.cached < used {
			t.Fatalf("got %d bytes unused after %v, want the %d that are used ten times per second", p.cached, time.Duration(now), used)
		}
	}
	if p.cached > used+keptBytes {
		t.Errorf("got %d bytes unused, want %d at most", p.cached, used+keptBytes)
	}
}
