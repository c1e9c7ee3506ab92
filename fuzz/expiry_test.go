package fuzz

import (
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

// larder is a connection to a shelf that all share: "put" puts something there that keeps for
// two seconds, "look" shows it, "quit" ends the connection.
type larder struct {
	shelf *shelf
	wrong string
}

type shelf struct {
	what  string
	until time.Duration
}

const (
	larderServing = fsm.First + iota
	larderLeaving
)

func (l *larder) serve(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	line, n, ok := Line(in)
	if err != nil || !ok {
		return cx.Fail(err)
	}
	reply, next := "?", fsm.Stay
	switch verb, what, _ := strings.Cut(line, " "); {
	case verb == "put":
		keeps := 2 * time.Second
		if l.wrong == "keeps it too long" {
			keeps += time.Second
		}
		*l.shelf, reply = shelf{what, cx.Now() + keeps}, "ok"
	case verb == "look" && l.shelf.until > cx.Now():
		reply = l.shelf.what
		if l.wrong == "loses what is looked at" {
			*l.shelf = shelf{}
		}
	case verb == "look":
		reply = "nothing"
	case verb == "quit":
		if reply = "bye"; l.wrong != "stays after quit" {
			next = larderLeaving
		}
	case l.wrong == "leaves by itself":
		next = larderLeaving
	}
	cx.Discard(peer, n)
	if err := cx.Write(peer, []byte(reply+"\n")); err != nil {
		return cx.Fail(err)
	}
	return next
}

// kept is what may be on the shelf: it went there between two moments.
type kept struct {
	what     string
	from, to time.Duration // it is gone from one of these on
}

// exact is the model of a larder that knows when an input was handled; fair allows for what may
// lie between.
var (
	exact = Model[shelf, string]{
		Input: Line,
		Last:  func(line string) bool { return line == "quit" },
		StepAt: func(s *shelf, line string, now time.Duration) string {
			verb, what, _ := strings.Cut(line, " ")
			switch {
			case verb == "put":
				*s = shelf{what, now + 2*time.Second}
				return "ok\n"
			case line == "quit":
				return "bye\n"
			case verb != "look":
				return "?\n"
			case s.until > now:
				return s.what + "\n"
			}
			return "nothing\n"
		},
	}
	fair = Model[kept, string]{
		Input: Line,
		Last:  exact.Last,
		Steps: func(k kept, line string, at Moment) (all []Outcome[kept]) {
			verb, what, _ := strings.Cut(line, " ")
			switch {
			case verb == "put":
				return []Outcome[kept]{{kept{what, at.Time + 2*time.Second, at.By + 2*time.Second}, "ok\n"}}
			case line == "quit":
				return []Outcome[kept]{{k, "bye\n"}}
			case verb != "look":
				return []Outcome[kept]{{k, "?\n"}}
			}
			if at.Time < k.to {
				all = append(all, Outcome[kept]{kept{k.what, max(k.from, at.Time), k.to}, k.what + "\n"})
			}
			if at.By >= k.from {
				all = append(all, Outcome[kept]{kept{k.what, k.from, min(k.to, at.By)}, "nothing\n"})
			}
			return all
		},
	}
)

func larderSpec(wrong string, model Oracle) Spec {
	k := reactor.Must(reactor.NewKind("larder", reactor.Options{Ports: []string{"peer"}}, reactor.Table[larder, reactor.None]{
		fsm.Any:       {Shutdown: fsm.Stop, Stall: fsm.After(time.Minute, fsm.Stop)},
		larderServing: {Name: "serving", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*larder).serve, To: fsm.To(larderLeaving)},
		larderLeaving: {Name: "leaving", Wait: peer.Drained(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(*larder, *echoCx, reactor.Ready) reactor.State { return fsm.Stop }},
	}))
	return Spec{
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", larder{new(shelf), wrong})
			return err
		},
		Dict:    []string{"put jam\n", "put ham\n", "look\n", "quit\r\n", "eat\n"},
		Oracles: []Oracle{model},
	}
}

// A model of all connections knows when an input was handled, and which one is the last.
func TestExpiry(t *testing.T) {
	t.Parallel()
	for name, model := range map[string]Oracle{"exact": Linear("larder", exact), "fair": Linear("larder", fair)} {
		t.Run(name, func(t *testing.T) { testExpiry(t, model, name == "fair") })
	}
}

func testExpiry(t *testing.T, model Oracle, decides bool) {
	if found := Find(larderSpec("", model), 1, Budget{Runs: testenv.Pick(500, 10_000)}); found.Failure != nil || decides && found.Undecided > 0 {
		t.Fatal(found.Explain())
	}
	for wrong, want := range map[string]string{
		"keeps it too long":       "no order of the ",
		"loses what is looked at": "no order of the ",
		"stays after quit":        "",
		"leaves by itself":        "its machine has ended it by itself: the model's Last says that it is not over",
	} {
		for seed := range uint64(testenv.Pick(1, 4)) {
			found := Find(larderSpec(wrong, model), seed, Budget{Runs: 20_000})
			if found.Failure == nil || !strings.HasPrefix(found.Failure.Oracle, "linearizability") || !strings.Contains(found.Failure.Text, want) {
				t.Errorf("one that %s, seed %d: got %v, want %q", wrong, seed, found, want)
			} else {
				t.Logf("one that %s, seed %d: %d runs, %v\n%v", wrong, seed, found.Runs, found.Failure, found.Trace)
			}
		}
	}
}

// A PerConn takes a StepAt as well.
func TestStepAtOfOneConnection(t *testing.T) {
	one := func(wrong string, runs int) *Finding {
		s := larderSpec(wrong, PerConn("larder", exact))
		s.Roles = []Role{{Addr: ":7000", Peers: 1}} // the shelf is shared, and empty a minute later
		s.Faults = trace.Weights{trace.Close: 0, trace.Reset: 0, trace.Abrupt: 0, trace.Finish: 0}
		s.Dict = []string{"put jam\n", "put ham\n", "look\n"}
		return Find(s, 1, Budget{Runs: runs})
	}
	if found := one("", 500); found.Failure != nil {
		t.Error(found.Explain())
	}
	if found := one("loses what is looked at", 3000); found.Failure == nil || found.Failure.Oracle != `model "larder"` {
		t.Errorf("got %v, want a failure of the model", found)
	}
}
