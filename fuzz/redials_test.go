package fuzz

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

// dogged is a client that dials again when its connection is lost, refused, or not there within a
// second: after 100 ms, doubled for each further failure up to 5 s. A greeting makes it short again.
type dogged struct {
	wrong  string
	waited int
	heard  bool // the server's first line
}

const (
	doggedDialling = fsm.First + iota
	doggedTalking
	doggedPausing
	doggedOver

	doggedServer              = "10.0.0.1:80"
	reserve      reactor.Port = 1
)

var doggedKind = reactor.Must(reactor.NewKind("dogged", reactor.Options{Ports: []string{"peer", "reserve"}}, reactor.Table[dogged, reactor.None]{
	fsm.Any: {Shutdown: fsm.Stop, Fail: doggedPausing},
	doggedDialling: {Name: "dialling", Wait: peer.Opened(), Within: fsm.After(time.Second, doggedPausing), OnEnter: (*dogged).dial,
		OnReady: func(*dogged, *echoCx, reactor.Ready) reactor.State { return doggedTalking }, To: fsm.To(doggedTalking)},
	doggedTalking: {Name: "talking", Wait: peer.Readable(), Idle: fsm.After(time.Minute, doggedPausing), OnReady: (*dogged).hear},
	doggedPausing: {Name: "pausing", Within: fsm.After(time.Hour, doggedDialling), OnEnter: (*dogged).pause, To: fsm.To(doggedOver)},
	doggedOver:    {Name: "over", Within: fsm.Never},
}))

func (d *dogged) dial(cx *echoCx) reactor.State {
	cx.Close(reserve)
	d.heard = false
	return cx.Fail(cx.Dial(peer, "tcp", doggedServer))
}

func (d *dogged) hear(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if line, _, ok := Line(in); !d.heard && ok {
		d.heard = true
		if line == "welcome" && d.wrong != "keeps its pause" {
			d.waited = 0
		}
	}
	if d.heard {
		cx.Discard(peer, len(in))
	}
	if d.wrong == "dials twice" && d.heard {
		cx.Dial(reserve, "tcp", doggedServer)
	}
	return cx.Fail(err)
}

func (d *dogged) pause(cx *echoCx) reactor.State {
	cx.Close(peer)
	most := 5 * time.Second
	if d.wrong == "has no bound" {
		most = time.Hour
	}
	pause := min(100*time.Millisecond<<min(d.waited, 20), most)
	switch d.waited++; {
	case d.wrong == "is impatient" && d.waited == 2:
		pause /= 2
	case d.wrong == "waits longer" && d.waited == 3:
		pause += 50 * time.Millisecond
	case d.wrong == "gives up" && d.waited == 4:
		return doggedOver
	}
	cx.Within(pause)
	return fsm.Stay
}

func doggedSpec(wrong string) Spec {
	return Spec{
		Setup: func(w *World) error {
			_, err := doggedKind.Spawn(w.Loop(0), dogged{wrong: wrong})
			return err
		},
		Dict:     []string{"welcome\n", "more"},
		Backends: []Backend{Serve(doggedServer, Model[struct{}, string]{Input: Line, Step: func(*struct{}, string) string { return "" }})},
		Oracles: []Oracle{Redials("backoff", func(n int) (least, most time.Duration) {
			d := min(100*time.Millisecond<<n, 5*time.Second)
			return d, d
		}, func(c Conn) bool { return strings.HasPrefix(Text(c.Sent), "welcome\n") })},
	}
}

// Redials finds each mistake of a client that dials again, and none in one that is right.
func TestRedials(t *testing.T) {
	t.Parallel()
	if found := Find(doggedSpec(""), 1, Budget{Runs: testenv.Pick(500, 10_000)}); found.Failure != nil {
		t.Fatal(found.Explain())
	}
	for wrong, want := range map[string]string{
		"keeps its pause": "want a wait of 100ms, as n is 0",
		"is impatient":    "want a wait of 200ms, as n is 1",
		"waits longer":    "want a wait of 400ms, as n is 2",
		"has no bound":    "want a wait of 5s, as n is ",
		"gives up":        "does not dial 10.0.0.1:80 again until ",
		"dials twice":     "is open",
	} {
		for seed := range uint64(testenv.Pick(1, 10)) {
			found := Find(doggedSpec(wrong), seed, Budget{Runs: 3000})
			if found.Failure == nil || !strings.HasPrefix(found.Failure.Error(), `model "backoff": `) || !strings.Contains(found.Failure.Text, want) {
				t.Errorf("one that %s, seed %d: got %v, want %q", wrong, seed, found, want)
			} else {
				t.Logf("one that %s, seed %d: %d runs, %v\n%v", wrong, seed, found.Runs, found.Failure, found.Trace)
			}
		}
	}
}

// A dial that is under way is one, a fault does not change what Answers says, and runs with too
// many connections are not judged.
func TestRedialsAreCounted(t *testing.T) {
	silent := doggedSpec("")
	silent.Patience = 10 * time.Millisecond
	silent.Without = Leaks // of what the judge keeps
	refuses := doggedSpec("")
	refuses.Answers = func(driver.Addr) Answer { return Refuses }
	refuses.Oracles = append(refuses.Oracles, Conns("refused", func(conns []Conn, _ time.Duration) string {
		for _, c := range conns {
			if !c.Refused || c.Kind != "dogged" || c.Machine != 1 {
				return fmt.Sprintf("%+v", c)
			}
		}
		return ""
	}))
	for name, c := range map[string]struct {
		spec  Spec
		trace string
	}{
		"a dial under way":     {silent, "connect-fails 0 how=1 times=9\nreset 4\nadvance n=1 unit=2\nadvance n=3 unit=2\n"},
		"one that is refused":  {refuses, "connect-fails 0 how=1 times=9\nadvance n=20 unit=3\n"},
		"too many connections": {silent, "advance n=1010 unit=4\njump n=76 unit=4\n"},
	} {
		tr, err := trace.Parse(c.trace)
		if err != nil {
			t.Fatal(err)
		}
		if found := Replay(c.spec, tr); found.Failure != nil {
			t.Errorf("%s: %s", name, found.Explain())
		}
	}
}
