package fuzz

import (
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// clockwork arms and disarms timers as its peer says, and keeps a list of those that may
// fire. Probes compare that with what the loop does.
type clockwork struct {
	probe probe.Probe
	early time.Duration // a planted mistake: timers are armed this much earlier than the machine believes
	runs  [3]alarm
}

// alarm is a timer as the machine believes it to be.
type alarm struct {
	runs bool
	due  time.Duration
	in   fsm.States
}

const (
	ticking = fsm.First + iota
	resting
)

// newClockwork returns a kind with three timers: one of the states in own, one of both
// states, and one with ids.
func newClockwork(own fsm.States) *reactor.Kind[clockwork, reactor.None] {
	row := func(name string, other reactor.State) reactor.Row[clockwork, reactor.None] {
		return reactor.Row[clockwork, reactor.None]{Name: name, Wait: peer.Readable(), Idle: fsm.After(time.Hour, fsm.Stop),
			OnReady: (*clockwork).read, OnTimer: (*clockwork).fired, OnExit: (*clockwork).leave, To: fsm.To(ticking, resting)}
	}
	return reactor.Must(reactor.NewKind("clockwork", reactor.Options{Ports: []string{"peer"}, Timers: []reactor.TimerSpec{
		{Name: "own", In: own}, {Name: "both", In: fsm.To(ticking, resting)}, {Name: "many", Many: 2, In: fsm.To(ticking)}}},
		reactor.Table[clockwork, reactor.None]{{Shutdown: fsm.Stop}, ticking: row("ticking", resting), resting: row("resting", ticking)}))
}

func (c *clockwork) read(cx *echoCx, _ reactor.Ready) reactor.State {
	var b [1]byte
	if _, err := cx.Read(peer, b[:]); err != nil {
		return cx.Fail(err)
	}
	switch what := b[0]; what {
	case 'o':
		return c.arm(cx, 0, time.Second, fsm.To(cx.State()))
	case 'b':
		return c.arm(cx, 1, 2*time.Second, fsm.To(ticking, resting))
	case 'm':
		if cx.State() == ticking {
			return c.arm(cx, 2, 1500*time.Millisecond, fsm.To(ticking))
		}
	case 'z':
		for i := range c.runs {
			c.runs[i].runs = false
			cx.Disarm(reactor.Timer(i))
		}
	case 's':
		return ticking + resting - cx.State()
	case 'r':
		return cx.State()
	}
	return fsm.Stay
}

func (c *clockwork) arm(cx *echoCx, t reactor.Timer, d time.Duration, in fsm.States) reactor.State {
	c.runs[t] = alarm{true, cx.Now() + d, in}
	return cx.Fail(cx.Arm(t, d-c.early))
}

// leave forgets the timers that do not belong to the state left. It does not know whether
// the machine goes to the other state or enters its own again, which does not stop a timer.
func (c *clockwork) leave(cx *echoCx) {
	c.probe.Sometimes("a timer is left behind", c.runs[0].runs)
}

func (c *clockwork) fired(cx *echoCx, f reactor.Fired) reactor.State {
	a := &c.runs[f.Timer]
	c.probe.Always("a timer that fires was armed", a.runs)
	c.probe.Always("a timer fires in a state that it lives in", a.in.Has(cx.State()))
	c.probe.Always("no timer is early", cx.Now() >= a.due)
	c.probe.Sometimes([]string{"own fires", "both fires", "many fires"}[f.Timer], true)
	c.probe.Sometimes("a timer lives in two states", f.Timer == 1 && cx.State() == resting)
	a.runs = false
	return fsm.Stay
}

func clockworkSpec(own fsm.States, early time.Duration) Spec {
	k := newClockwork(own)
	return Spec{
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", clockwork{probe: w.Probe(), early: early})
			return err
		},
		Dict: []string{"o", "b", "m", "z", "s", "r", "os", "ms", "bs"},
	}
}

// Timers fire while they are armed, never early, and not after their state was left. The
// search finds a timer that is not stopped, and one that is early.
func TestTimers(t *testing.T) {
	found := Find(clockworkSpec(0, 0), 1, Budget{Runs: testenv.Pick(1000, 3000)})
	if found.Failure != nil || len(found.Unseen) > 0 {
		t.Errorf("%v\n%s", found, found.Trace)
	}
	for _, c := range []struct {
		name  string
		own   fsm.States
		early time.Duration
		want  string
	}{
		{"not culled", fsm.To(ticking, resting), 0, "always: a timer fires in a state that it lives in"},
		{"early", 0, time.Millisecond, "always: no timer is early"},
	} {
		found := Find(clockworkSpec(c.own, c.early), 1, Budget{Runs: 3000})
		if found.Failure == nil || !strings.HasPrefix(found.Failure.Error(), c.want) {
			t.Errorf("%s: %v: want %s", c.name, found, c.want)
		} else if len(found.Trace) > 3 { // a dial, a send, an advance
			t.Errorf("%s: %d events: want 3 at most\n%s", c.name, len(found.Trace), found.Trace)
		}
	}
}
