package reactor

import (
	"math"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/poll"
)

// ticking is a driver under a loop that a Stepper runs, with a clock that the test moves.
type ticking struct {
	still
	now int64
}

func (d *ticking) Now() int64                          { return d.now }
func (*ticking) Wait([]poll.Event, int64) (int, error) { return 0, nil }

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
	d := &ticking{now: 1}
	l, err := NewLoop(Config{Slots: 1, Driver: d})
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Stepper()
	if err != nil {
		t.Fatal(err)
	}
	burst(&l.pool, 200<<20)
	wakes := 0
	for s.Turn(); s.Until() != math.MaxInt64; s.Turn() {
		if until := s.Until(); until > d.now {
			d.now = until
		} else if wakes++; wakes > 100 {
			t.Fatal("the loop does not sleep")
		}
		if d.now > int64(time.Minute) {
			t.Fatalf("%d bytes are unused after %v", l.pool.cached, time.Duration(d.now))
		}
	}
	if l.pool.cached > keptBytes {
		t.Errorf("%d bytes are unused, of which %d should be kept", l.pool.cached, keptBytes)
	}
	held := 0
	for _, k := range l.pool.chunks[scratchNum+1:] {
		held += len(k.b)
	}
	if held != l.pool.cached {
		t.Errorf("%d bytes of buffers, want %d", held, l.pool.cached)
	}
}

// What is used each second stays; what one burst used goes.
func TestBuffersInUseStay(t *testing.T) {
	const used = 32 << 20
	p := newPool(256<<20, 64)
	burst(&p, 4*used)
	for now := int64(time.Second); now < int64(40*time.Second); now += int64(100 * time.Millisecond) {
		burst(&p, used)
		p.trim(now)
		if p.cached < used {
			t.Fatalf("%d bytes are unused after %v, though %d are used ten times per second", p.cached, time.Duration(now), used)
		}
	}
	if p.cached > used+keptBytes {
		t.Errorf("%d bytes are unused", p.cached)
	}
}
