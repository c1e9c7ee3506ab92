package search

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// An exhaustive search makes each trace once, and leaves out those with events that do
// nothing.
func TestExhaustive(t *testing.T) {
	w := echoWorld()
	cfg := Config{Dict: words[:1], Loops: 1, Conns: 4}
	seen := map[string]bool{}
	byLength := map[int]int{}
	w.Run(nil, sim.Options{})
	for c := newCounter(&cfg, w, 3); ; {
		tr, ok := c.next()
		if !ok {
			break
		}
		if seen[tr.String()] {
			t.Fatalf("twice:\n%s", tr)
		}
		seen[tr.String()] = true
		byLength[len(tr)]++
		if first := tr[0]; first.Op == trace.Send || first.Op == trace.Dial && first.On != 0 {
			t.Fatalf("does nothing, or what another does:\n%s", tr)
		}
	}
	// The first event may be a dial, one of three spans of time, or a shutdown.
	if byLength[1] != 5 {
		t.Errorf("%d traces of one event: want 5", byLength[1])
	}
	// After a dial: a send, three ends, the other dial, three spans, a shutdown. After a
	// span: the same as at first. After a shutdown: the same without the shutdown.
	if want := 9 + 3*5 + 4; byLength[2] != want {
		t.Errorf("%d traces of two events: want %d", byLength[2], want)
	}
	for _, line := range []string{"dial 0 listener=0\nsend 0 word=0 more=0\nfinish 0\n", "dial 0 listener=0\ndial 1 listener=0\nreset 0\n"} {
		if !seen[line] {
			t.Errorf("never:\n%s", line)
		}
	}
}

// Random draws all events with the same frequencies, Swarm each trace with its own.
func TestMixtures(t *testing.T) {
	for _, c := range []struct {
		how   Strategy
		mixed bool
	}{{Random, false}, {Swarm, true}} {
		d := newRNG(&Config{Strategy: c.how, Dict: words, Loops: 1, Conns: 4}, echoWorld().Found(), vocabulary{}, rand.New(rand.NewPCG(1, 0)))
		d.draw()
		first := d.weight
		mixed := false
		for range 20 {
			d.draw()
			mixed = mixed || d.weight != first
		}
		if mixed != c.mixed {
			t.Errorf("%v: the mixture changes %v: want %v", c.how, mixed, c.mixed)
		}
	}
}

func TestStrategyNames(t *testing.T) {
	for _, s := range []Strategy{Guided, Swarm, Random, Exhaustive(3)} {
		if got, err := ParseStrategy(s.String()); got != s || err != nil {
			t.Errorf("%v is read as %v, %v", s, got, err)
		}
	}
	for _, bad := range []string{"", "luck", "exhaustive:0", "exhaustive:21", "exhaustive"} {
		if _, err := ParseStrategy(bad); err == nil {
			t.Errorf("%q is a strategy", bad)
		}
	}
}

// words is the dictionary of the echo's tests.
var words = trace.Dictionary{"hello", "\n", string(make([]byte, 9000))}

// echoWorld has an echo that listens.
func echoWorld() *sim.World {
	const peer reactor.Port = 0
	k := reactor.Must(reactor.NewKind("echo", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		fsm.First: {Name: "echoing", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop),
			OnReady: func(_ *struct{}, cx *reactor.Context[reactor.None], _ reactor.Ready) fsm.State {
				in, err := cx.Peek(peer)
				if err != nil {
					return cx.Fail(err)
				}
				err = cx.Write(peer, in)
				cx.Discard(peer, len(in))
				return cx.Fail(err)
			}},
	}))
	return sim.New(sim.Config{Dict: words, Loops: 1, Conns: 4, Loop: reactor.Config{Slots: 64}, Setup: func(w *sim.World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}})
}
