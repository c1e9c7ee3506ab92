package reactor_test

import (
	"context"
	"errors"
	"strings"
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

// patience bounds each wait for what has to come.
const patience = 30 * time.Second

// await returns the next value of a channel, and fails if none comes in time.
func await[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: got nothing within %v", what, patience)
		panic("not reached")
	}
}

// eventually waits until a condition holds for which there is no event, such as a
// count in Stats. It looks every millisecond.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("got no change within %v, want: %s", patience, what)
		}
	}
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

// runs runs a loop that was made before, until the test ends. If that is before Run
// has begun, Close ends the loop, and Run returns ErrRunning.
func runs(t testing.TB, l *reactor.Loop) {
	ended := make(chan error, 1)
	go func() { ended <- l.Run(context.Background()) }()
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("Close: got %v, want no error", err)
		}
		if err := await(t, "Run", ended); err != nil && !errors.Is(err, reactor.ErrRunning) {
			t.Errorf("Run: got %v, want no error", err)
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

// beside returns the first loop again, or, of two loops, the second.
func beside(d *fake, l *reactor.Loop, loops int) (*fake, *reactor.Loop) {
	if loops == 1 {
		return d, l
	}
	other := newFake(d.t)
	return other, other.start(reactor.Config{})
}

// stats returns the loop's counters.
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

func (e *ends) add(_ reactor.Token, reason error) {
	e.mu.Lock()
	e.reasons = append(e.reasons, reason)
	e.mu.Unlock()
	e.more <- struct{}{}
}

// next waits for the next end and returns its reason.
func (e *ends) next(t testing.TB) error {
	t.Helper()
	await(t, "the end of a machine", e.more)
	e.mu.Lock()
	defer e.mu.Unlock()
	reason := e.reasons[0]
	e.reasons = e.reasons[1:]
	return reason
}

// none fails if a machine ended whose reason next has not returned.
func (e *ends) none(t testing.TB) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.reasons) > 0 {
		t.Fatalf("got a machine that ended with %v, want none", e.reasons[0])
	}
}

// journal records what handlers did, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	j.lines = append(j.lines, line)
	j.mu.Unlock()
}

// take returns what was recorded since the last take, joined by spaces.
func (j *journal) take() string {
	return strings.Join(j.drain(), " ")
}

// drain returns what was recorded since the last drain or take.
func (j *journal) drain() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// want compares what was recorded since the last take.
func (j *journal) want(t testing.TB, want string) {
	t.Helper()
	if got := j.take(); got != want {
		t.Errorf("got calls %q, want %q", got, want)
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
