package reactor

import (
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// still is a driver under a loop that does not run.
type still struct{ driver.Driver }

func (still) Now() int64                            { return 1 }
func (still) Wait([]poll.Event, int64) (int, error) { return 0, nil }
func (still) Wake()                                 {}
func (still) End() error                            { return nil }

func stillStore(t *testing.T) *store[struct{}, None] {
	l, err := NewLoop(Config{Slots: 64, Buffers: 16 << 10, Driver: still{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s, err := storeOf(l, Must(NewKind("still", Options{}, Table[struct{}, None]{{}, {Name: "still", Idle: fsm.Never, Fail: fsm.Stop}})))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *store[M, Msg]) newStarved(t *testing.T, size int) (uint32, *header) {
	x, h, err := s.admit()
	if err != nil {
		t.Fatal(err)
	}
	s.machines.make(h.local)
	s.loop.buffers.wait(x, h, size)
	return x, h
}

// Machines that come, starve and end leave nothing behind, also while nobody is fed.
func TestStarvedListIsBounded(t *testing.T) {
	s := stillStore(t)
	l := s.loop
	for range 1000 {
		x, h := s.newStarved(t, 4096)
		l.end(x, h)
		l.reap()
	}
	if n := cap(l.buffers.waiters); n > 8 {
		t.Errorf("the list has room for %d machines, of which none lives", n)
	}
}

func TestStarvingDoesNotAllocate(t *testing.T) {
	s := stillStore(t)
	l := s.loop
	x, h := s.newStarved(t, 4096)
	if n := testing.AllocsPerRun(100, func() {
		l.buffers.wake()
		l.buffers.wait(x, h, 8192)
		l.buffers.wait(x, h, 4096)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if len(l.buffers.waiters) != 1 || l.buffers.waiters[0].size != 4096 || !l.buffers.servable() {
		t.Errorf("%v starve", l.buffers.waiters)
	}
}
