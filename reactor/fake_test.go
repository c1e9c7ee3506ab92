package reactor_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
)

// fake is a fakedriver.Driver with what these tests do over it.
type fake struct {
	*fakedriver.Driver
	t testing.TB
}

func newFake(t testing.TB) *fake { return &fake{fakedriver.New(t), t} }

// start runs a loop over d until the test ends, at which all its machines stop.
func (d *fake) start(cfg reactor.Config) *reactor.Loop {
	d.t.Helper()
	cfg.Driver = d
	return run(d.t, cfg)
}

// run runs a loop until the test ends.
func run(t testing.TB, cfg reactor.Config) *reactor.Loop {
	t.Helper()
	if cfg.Slots == 0 {
		cfg.Slots = 64
	}
	l, err := reactor.NewLoop(cfg)
	if err != nil {
		t.Fatal(err)
	}
	runs(t, l)
	return l
}

// runs runs a loop that there is until the test ends.
func runs(t testing.TB, l *reactor.Loop) {
	ended := make(chan error, 1)
	go func() { ended <- l.Run(context.Background()) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-ended; err != nil && !errors.Is(err, reactor.ErrRunning) {
			t.Errorf("Run: %v", err)
		}
	})
}

// adopt gives a new socket of d's to a new machine, as its port 0.
func adopt[M, Msg any](d *fake, l *reactor.Loop, k *reactor.Kind[M, Msg], m M) (*fakedriver.Socket, reactor.Ref[Msg]) {
	d.t.Helper()
	s := d.NewSocket()
	ref, err := k.Adopt(l, s.Conn(), m)
	if err != nil {
		d.t.Fatal(err)
	}
	d.Settle()
	return s, ref
}

// spawn makes a machine without ports.
func spawn[M, Msg any](t testing.TB, l reactor.Host, k *reactor.Kind[M, Msg], m M) reactor.Ref[Msg] {
	t.Helper()
	ref, err := k.Spawn(l, m)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// beside is a second loop when there are to be two, else the first one.
func beside(d *fake, l *reactor.Loop, loops int) (*fake, *reactor.Loop) {
	if loops == 1 {
		return d, l
	}
	other := newFake(d.t)
	return other, other.start(reactor.Config{})
}

// stats are the loop's counters now.
func stats(t testing.TB, l *reactor.Loop) reactor.Stats {
	t.Helper()
	s, err := l.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ends collects the reasons of the machines that ended, for Options.OnEnd.
type ends struct {
	mu      sync.Mutex
	reasons []error
	more    chan struct{}
}

func newEnds() *ends { return &ends{more: make(chan struct{}, 1<<16)} }

func (e *ends) told(_ reactor.Token, reason error) {
	e.mu.Lock()
	e.reasons = append(e.reasons, reason)
	e.mu.Unlock()
	e.more <- struct{}{}
}

// next waits for the next end and is its reason.
func (e *ends) next(t testing.TB) error {
	t.Helper()
	select {
	case <-e.more:
	case <-time.After(10 * time.Second):
		t.Fatal("no machine ended within 10 s")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	reason := e.reasons[0]
	e.reasons = e.reasons[1:]
	return reason
}

// none tells that nothing ended that next has not answered.
func (e *ends) none(t testing.TB) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.reasons) > 0 {
		t.Fatalf("a machine ended: %v", e.reasons[0])
	}
}

// journal notes what handlers did, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	j.lines = append(j.lines, line)
	j.mu.Unlock()
}

// take is what was noted since the last take, joined.
func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := ""
	for i, line := range j.lines {
		if i > 0 {
			all += " "
		}
		all += line
	}
	j.lines = nil
	return all
}

func (j *journal) want(t testing.TB, want string) {
	t.Helper()
	if got := j.take(); got != want {
		t.Errorf("happened: %q\n   want: %q", got, want)
	}
}

// system runs a loop over the operating system.
func system(t testing.TB, cfg reactor.Config) *reactor.Loop {
	t.Helper()
	probe, err := reactor.NewLoop(reactor.Config{Slots: 1})
	if errors.Is(err, reactor.ErrUnsupported) {
		t.Skip(err)
	} else if err == nil {
		probe.Close()
	}
	return run(t, cfg)
}
