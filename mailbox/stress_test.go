package mailbox_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/mailbox"
)

// stressMessages returns the number of messages that all subtests of TestStress send
// together.
func stressMessages() int { return testenv.Pick(200_000, 10_000_000) }

// TestStress runs senders against a consumer that really blocks. It checks that each
// accepted message is received once, in the order of its sender, and that no wake is
// lost. Small rings and bursts make the consumer sleep often.
func TestStress(t *testing.T) {
	cases := []stress{
		{procs: 1, senders: 1, rings: 1, capacity: 1},
		{procs: 1, senders: 4, rings: 2, capacity: 5},
		{procs: 1, senders: 3, rings: 3, capacity: 64, closeMidway: true},
		{procs: 2, senders: 1, rings: 1, capacity: 2},
		{procs: 2, senders: 1, rings: 1, capacity: 1024},
		{procs: 2, senders: 4, rings: 2, capacity: 3},
		{procs: 2, senders: 3, rings: 3, capacity: 64, closeMidway: true},
		{procs: 2, senders: 4, rings: 1, capacity: 7, closeMidway: true},
	}
	for _, c := range cases {
		c.messages = stressMessages() / len(cases)
		if c.closeMidway {
			c.messages *= 2 // half of them are accepted
		}
		name := fmt.Sprintf("procs=%d,senders=%d,rings=%d,capacity=%d,midway=%t", c.procs, c.senders, c.rings, c.capacity, c.closeMidway)
		t.Run(name, c.run)
	}
}

type stress struct {
	procs, senders, rings, capacity int
	closeMidway                     bool
	messages                        int
}

// numbered is the n-th message of a sender.
type numbered struct{ sender, n int }

// stressRun is the state of a running stress test.
type stressRun struct {
	stress
	sleeper  *mailbox.Sleeper
	woken    chan struct{}
	rings    []*mailbox.Ring[numbered]
	accepted []atomic.Int64 // by sender
	received []atomic.Int64 // by sender
	asleeps  atomic.Int64   // calls of Asleep
	sleeps   atomic.Int64   // times that the consumer blocked
	wakes    atomic.Int64
	blocked  atomic.Bool
	failure  atomic.Pointer[string]
}

func (c stress) run(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(c.procs))
	s := &stressRun{
		stress:   c,
		woken:    make(chan struct{}, 1),
		accepted: make([]atomic.Int64, c.senders),
		received: make([]atomic.Int64, c.senders),
	}
	s.sleeper = mailbox.NewSleeper(func() {
		s.wakes.Add(1)
		select {
		case s.woken <- struct{}{}:
		default: // a wake is pending already
		}
	})
	for range c.rings {
		s.rings = append(s.rings, newRing[numbered](t, c.capacity, s.sleeper))
	}
	var senders sync.WaitGroup
	for i := range c.senders {
		senders.Go(func() { s.send(i) })
	}
	go func() {
		senders.Wait()
		s.close()
	}()
	if c.closeMidway {
		go s.closeMidway()
	}
	done := make(chan struct{})
	go func() {
		s.consume()
		close(done)
	}()
	s.watch(t, done)
	senders.Wait()
	s.check(t)
}

func (s *stressRun) close() {
	for _, r := range s.rings {
		r.Close()
	}
}

func (s *stressRun) closeMidway() {
	for s.progress() < int64(s.messages/2) {
		runtime.Gosched()
	}
	s.close()
}

func (s *stressRun) send(sender int) {
	rng := rand.New(rand.NewPCG(uint64(sender), uint64(s.capacity)))
	r := s.rings[sender%len(s.rings)]
	burst := 0
	for n := 0; n < s.messages/s.stress.senders; {
		switch err := r.Send(numbered{sender, n}); {
		case err == nil:
			n++
			s.accepted[sender].Add(1)
		case errors.Is(err, mailbox.ErrClosed):
			return
		default:
			runtime.Gosched()
		}
		if burst--; burst <= 0 {
			burst = rng.IntN(3 * s.capacity)
			s.pause(rng)
			runtime.Gosched() // lets the consumer sleep, or nearly
		}
	}
}

// consume receives until every ring is done. It keeps some messages of each batch and
// releases them with the next one.
func (s *stressRun) consume() {
	rng := rand.New(rand.NewPCG(1, 2))
	kept := make([]int, len(s.rings))
	for {
		found, done := false, true
		for i, r := range s.rings {
			n := 0
			for v := (numbered{}); n < 64 && r.Recv(&v); n++ {
				if want := s.received[v.sender].Add(1) - 1; int64(v.n) != want {
					failure := fmt.Sprintf("sender %d: message %d received, want %d", v.sender, v.n, want)
					s.failure.CompareAndSwap(nil, &failure)
				}
			}
			found = found || n > 0
			keep := 0
			if n > 1 {
				keep = rng.IntN(n)
			}
			r.Release(n - keep + kept[i])
			kept[i] = keep
			done = done && r.Done()
		}
		switch {
		case done:
			return
		case !found:
			s.releaseAll(kept)
			s.sleep(rng)
		}
	}
}

func (s *stressRun) releaseAll(kept []int) {
	for i, r := range s.rings {
		r.Release(kept[i])
		kept[i] = 0
	}
}

// sleep is the consumer's part of the protocol, with pauses that let senders run
// between any two of its steps.
func (s *stressRun) sleep(rng *rand.Rand) {
	s.pause(rng)
	s.asleeps.Add(1)
	s.sleeper.Asleep()
	s.pause(rng)
	empty, done := true, true
	for _, r := range s.rings {
		empty = empty && r.Empty()
		done = done && r.Done()
	}
	if empty && !done {
		s.pause(rng)
		s.blocked.Store(true)
		<-s.woken
		s.blocked.Store(false)
		s.sleeps.Add(1)
	}
	s.sleeper.Awake()
}

// pause spends a short time, on the processor or yielding it.
func (s *stressRun) pause(rng *rand.Rand) {
	for range rng.IntN(100) {
		s.blocked.Load()
	}
	if rng.IntN(8) == 0 {
		runtime.Gosched()
	}
}

func (s *stressRun) progress() (n int64) {
	for i := range s.received {
		n += s.received[i].Load()
	}
	return n
}

// watch waits until the consumer is done. It fails with the state of all rings if no
// message is received for a long time.
func (s *stressRun) watch(t *testing.T, done <-chan struct{}) {
	const timeout = 20 * time.Second
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	last, moved := int64(-1), time.Now()
	for {
		select {
		case <-done:
			return
		case now := <-tick.C:
			if p := s.progress(); p != last {
				last, moved = p, now
			} else if now.Sub(moved) > timeout {
				t.Fatalf("no progress for %v:\n%s", timeout, s.state())
			}
		}
	}
}

func (s *stressRun) state() string {
	var b strings.Builder
	fmt.Fprintf(&b, "consumer: blocked %t, flag asleep %t, wakes pending %d, slept %d times, woken %d times\n",
		s.blocked.Load(), s.sleeper.IsAsleep(), len(s.woken), s.sleeps.Load(), s.wakes.Load())
	for i, r := range s.rings {
		fmt.Fprintf(&b, "ring %d: %s\n", i, r.State())
	}
	for i := range s.accepted {
		fmt.Fprintf(&b, "sender %d: %d accepted, %d received\n", i, s.accepted[i].Load(), s.received[i].Load())
	}
	return b.String()
}

// check compares the counts after the consumer and the senders have ended.
func (s *stressRun) check(t *testing.T) {
	if failure := s.failure.Load(); failure != nil {
		t.Fatal(*failure)
	}
	for i := range s.accepted {
		a, r := s.accepted[i].Load(), s.received[i].Load()
		if a != r || (!s.stress.closeMidway && a != int64(s.messages/s.stress.senders)) {
			t.Errorf("sender %d: %d accepted, %d received, of %d", i, a, r, s.messages/s.stress.senders)
		}
	}
	if s.sleeps.Load() == 0 {
		t.Error("the consumer never slept, so the test tested nothing")
	}
	if s.wakes.Load() > s.asleeps.Load() {
		t.Errorf("%d wakes in %d sleeps, want at most one per sleep", s.wakes.Load(), s.asleeps.Load())
	}
	t.Logf("%d received, %d sleeps, %d wakes", s.progress(), s.sleeps.Load(), s.wakes.Load())
}
