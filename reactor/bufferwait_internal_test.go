package reactor

import (
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
)

// stillStore returns the store of a loop that does not run.
func stillStore(t *testing.T) *store[struct{}, None] {
	l, err := NewLoop(Config{Slots: 64, Buffers: 16 << 10, Driver: fakedriver.New(t)})
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

func (s *store[M, Msg]) newWaiter(t *testing.T, size int) (uint32, *header) {
	x, h, err := s.admit()
	if err != nil {
		t.Fatal(err)
	}
	s.machines.make(h.local)
	s.loop.buffers.wait(x, h, size)
	return x, h
}

// Machines that come, wait for buffers and end do not make the list grow, also while
// none is woken.
func TestBufferWaitersListIsBounded(t *testing.T) {
	s := stillStore(t)
	l := s.loop
	for range 1000 {
		x, h := s.newWaiter(t, 4096)
		l.end(x, h)
		l.reap()
	}
	if n := cap(l.buffers.waiters); n > 8 {
		t.Errorf("a list of machines that have all ended: got capacity %d, want 8 at most", n)
	}
}

func TestWaitForBuffersDoesNotAllocate(t *testing.T) {
	s := stillStore(t)
	l := s.loop
	x, h := s.newWaiter(t, 4096)
	if n := testing.AllocsPerRun(100, func() {
		l.buffers.wake()
		l.buffers.wait(x, h, 8192)
		l.buffers.wait(x, h, 4096)
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
	if len(l.buffers.waiters) != 1 || l.buffers.waiters[0].size != 4096 || !l.buffers.servable() {
		t.Errorf("got waiters %v, servable %t, want one for 4096 bytes, true", l.buffers.waiters, l.buffers.servable())
	}
}
