package fuzz

import (
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/search"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// eventsOf counts the events of what a search draws.
func eventsOf(spec Spec, how Strategy) (count [trace.NumOps]int) {
	w := newEngine(spec)
	w.judge.Run(nil)
	s := search.New(w.spec.search(how), w.world, 1)
	m := s.Maker()
	for range 3000 {
		p, ok := s.Plan()
		if !ok {
			break
		}
		for _, e := range m.Make(p) {
			count[e.Op]++
			if e.Op == trace.Abrupt && e.B < trace.AbruptSend {
				count[[]trace.Op{trace.Reset, trace.Close, trace.Finish}[e.B]]++
			}
		}
	}
	return count
}

// Spec.Faults switches kinds of events off, and makes others more frequent.
func TestWeights(t *testing.T) {
	for _, how := range []Strategy{Random, Swarm, Guided, Exhaustive(2)} {
		spec := echoSpec()
		usual := eventsOf(spec, how)
		spec.Faults = trace.Weights{trace.ShortRead: 0, trace.Finish: 0, trace.Jump: 20}
		got := eventsOf(spec, how)
		if got[trace.ShortRead]+got[trace.Finish] > 0 || got[trace.Reset] == 0 {
			t.Errorf("%v: %d short reads, %d half-closes, %d resets: want 0, 0, some", how, got[trace.ShortRead], got[trace.Finish], got[trace.Reset])
		}
		if how == Random && got[trace.Jump] < 5*usual[trace.Jump] {
			t.Errorf("%v: %d jumps, and %d usually: want 5 times as many at least", how, got[trace.Jump], usual[trace.Jump])
		}
	}
}

// An event that is off does not happen at the end of a run, nor in the runs that are compared,
// nor in a soak.
func TestOffEverywhere(t *testing.T) {
	for _, faults := range []trace.Weights{nil, {trace.Finish: 0}} {
		spec := echoSpec()
		spec.Faults = faults
		e := newEngine(spec)
		finishes, soak := 0, 0
		e.world.Attach(counter{sim.Finishes, &finishes})
		for range 3 {
			e.judge.Check(trace.Trace{{Op: trace.Dial}, {Op: trace.Send}}, true, nil)
		}
		traces, _ := search.NewSoak(e.spec.search(Guided), e.world, 1, func(tr trace.Trace) bool { return e.judge.Run(tr) != nil })
		for _, ev := range traces.Churn() {
			if ev.Op == trace.Finish {
				soak++
			}
		}
		if off := faults != nil; off != (finishes == 0) || off != (soak == 0) {
			t.Errorf("%v: peers half-closed %d times in runs and their variants, and %d times in a round of a soak", faults, finishes, soak)
		}
	}
}

// counter counts observations.
type counter struct {
	what sim.What
	n    *int
}

func (c counter) Wants() []sim.What        { return []sim.What{c.what} }
func (c counter) Observe(*sim.Observation) { *c.n++ }

// Weights that mean nothing are an error that says what may have one.
func TestWrongWeights(t *testing.T) {
	for _, c := range []struct {
		faults trace.Weights
		want   string
	}{
		{trace.Weights{trace.Settle: 0}, "Spec.Faults: settle has no weight: want one of turn, advance, dial, "},
		{trace.Weights{trace.Repeat: 2}, "Spec.Faults: repeat has no weight"},
		{trace.Weights{200: 2}, "Spec.Faults: no event has the number 200: want one of turn"},
		{trace.Weights{trace.Jump: -1}, "Spec.Faults: jump has weight -1: want 0 to 1000"},
	} {
		spec := echoSpec()
		spec.Faults = c.faults
		if found := Find(spec, 1, Budget{Runs: 1}); found.Failure == nil || !strings.Contains(found.Failure.Text, c.want) {
			t.Errorf("%v: got %v, want %q", c.faults, found.Failure, c.want)
		}
	}
}

// A failure names the faults that struck, and no others.
func TestFailureNamesFaults(t *testing.T) {
	spec := echoSpec()
	spec.Report = true
	spec.Setup = func(w *World) error {
		k := reactor.Must(reactor.NewKind("picky", reactor.Options{Ports: []string{"peer"}}, reactor.Table[echo, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			echoing: {Name: "echoing", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(m *echo, cx *echoCx, _ reactor.Ready) fsm.State {
				in, err := cx.Peek(peer)
				w.Probe().Always("whole words", len(in) != 1)
				cx.Discard(peer, len(in))
				return cx.Fail(err)
			}},
		}))
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", echo{})
		return err
	}
	found := Replay(spec, trace.Trace{{Op: trace.Dial}, {Op: trace.Few}, {Op: trace.BlockWrite, A: 3}, {Op: trace.Split, A: 1, B: 1}, {Op: trace.Send}})
	if found.Failure == nil {
		t.Fatal("passed")
	}
	const want = "\nfaults that struck: split\n"
	if text := found.Explain(); !strings.Contains(text, want) {
		t.Errorf("got:\n%s\nwant %q", text, want)
	}
	if text := found.Report.Text(); !strings.Contains(text, "faults that struck  split") {
		t.Errorf("the report does not name the fault:\n%s", text)
	}
}

// atStage calls do when the trace of a run is over.
type atStage struct{ do func() }

func (atStage) Wants() []sim.What { return []sim.What{sim.StageBegins} }

func (a atStage) Observe(o *sim.Observation) {
	if o.Stage == sim.StageFaultsOver {
		a.do()
	}
}
