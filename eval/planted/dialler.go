package planted

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// dialler is a client: it dials a server, which greets it, and then asks two questions at a time.
// Answers have the numbers of their questions, and come in any order. It confirms each, and asks
// the next two when it has both. If the connection is lost, it dials again: after 100 ms, and
// after twice the time for each failure in a row, up to 5 min. It never asks a question again.
type dialler struct {
	plant *Plant
	pause time.Duration
	asked int    // questions, over all connections
	open  []int  // questions without an answer
	half  string // in a wrong dialler: the beginning of a line
}

const (
	server reactor.Port = 0
	spare  reactor.Port = 1

	diallerServer = "10.0.0.1:7300"
	diallerMost   = 5 * time.Minute
)

const (
	diallerDialling = fsm.First + iota
	diallerGreeting
	diallerAsking
	diallerPausing
	diallerRefused
)

func newDialler() *Server {
	return &Server{
		Name: "dialler", build: buildDialler, spec: diallerSpec,
		Files: []string{"dialler.go"},
		Dict:  []string{"hello\n", "1 yes\n", "2 no\n", "3 yes\n", "4 no\n", "half"},
		Bugs: []Bug{
			{Name: "dialler/backoff-kept", What: "the pause is not short again after an answer"},
			{Name: "dialler/sent-twice", What: "questions without an answer are asked again on the next connection"},
			{Name: "dialler/wrong-question", What: "an answer is taken for that of the oldest question"},
			{Name: "dialler/greeting-skipped", What: "the first questions do not wait for the greeting"},
			{Name: "dialler/late-dial", What: "a dial that takes too long is not closed, and another port is dialled"},
			{Name: "dialler/gives-up", What: "after a refusal it dials no more"},
			{Name: "dialler/half-line", What: "the beginning of a line is kept for the next connection"},
		},
	}
}

func buildDialler(p *Plant) func(Room) error {
	k := reactor.Must(reactor.NewKind("dialler", reactor.Options{Ports: []string{"server", "spare"}}, reactor.Table[dialler, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Fail: diallerPausing, Stall: fsm.After(10*time.Second, diallerPausing)},
		diallerDialling: {Name: "dialling", Wait: server.Opened(), Within: fsm.After(500*time.Millisecond, diallerPausing), Fail: diallerRefused,
			OnEnter: (*dialler).dial, OnReady: func(*dialler, *cx, reactor.Ready) fsm.State { return diallerGreeting }, To: fsm.To(diallerGreeting)},
		diallerGreeting: {Name: "greeting", Wait: server.Readable(), Within: fsm.After(10*time.Minute, diallerPausing),
			OnEnter: (*dialler).opened, OnReady: (*dialler).greeted, To: fsm.To(diallerAsking)},
		diallerAsking: {Name: "asking", Wait: server.Readable(), Within: fsm.After(10*time.Minute, diallerPausing),
			OnEnter: (*dialler).ask, OnReady: (*dialler).answered, To: fsm.To(diallerAsking)},
		diallerPausing: {Name: "pausing", Within: fsm.After(diallerMost, diallerDialling), OnEnter: (*dialler).wait},
		diallerRefused: {Name: "refused", Within: fsm.Never, OnEnter: (*dialler).refused, To: fsm.To(diallerPausing)},
	}))
	return func(r Room) error {
		_, err := k.Spawn(r.Loop(0), dialler{plant: p})
		return err
	}
}

func (d *dialler) dial(cx *cx) fsm.State {
	return cx.Fail(cx.Dial(server, "tcp", diallerServer))
}

func (d *dialler) refused(*cx) fsm.State {
	if d.plant.Wrong("dialler/gives-up", true) {
		return fsm.Stay
	}
	return diallerPausing
}

func (d *dialler) opened(cx *cx) fsm.State {
	if d.plant.Wrong("dialler/greeting-skipped", true) {
		return diallerAsking
	}
	return fsm.Stay
}

func (d *dialler) greeted(cx *cx, _ reactor.Ready) fsm.State {
	line, err := d.line(cx)
	switch {
	case err != nil || line == "":
		return cx.Fail(err)
	case line != "hello\n":
		return cx.Fail(errUnexpected)
	}
	return diallerAsking
}

var errUnexpected = fmt.Errorf("an unexpected line")

// line returns the next line; empty: it has not come.
func (d *dialler) line(cx *cx) (line string, err error) {
	in, err := cx.Peek(server)
	if err != nil {
		return "", err
	}
	if d.plant.Wrong("dialler/half-line", d.half != "") {
		cx.Discard(server, len(in))
		d.half += string(in)
		line, n, _ := lfLine([]byte(d.half))
		d.half = d.half[n:]
		return line, nil
	}
	line, n, ok := lfLine(in)
	if !ok {
		return "", nil
	}
	cx.Discard(server, n)
	return line, nil
}

// ask asks the next two questions.
func (d *dialler) ask(cx *cx) fsm.State {
	if d.plant.Wrong("dialler/sent-twice", len(d.open) > 0) && len(d.open) > 0 {
		d.asked = d.open[0] - 1
	}
	d.open = []int{d.asked + 1, d.asked + 2}
	d.asked += 2
	return cx.Fail(cx.Write(server, fmt.Appendf(nil, "ask %d\nask %d\n", d.open[0], d.open[1])))
}

func (d *dialler) answered(cx *cx, _ reactor.Ready) fsm.State {
	line, err := d.line(cx)
	if err != nil || line == "" {
		return cx.Fail(err)
	}
	number, _, _ := strings.Cut(line, " ")
	n, err := strconv.Atoi(number)
	at := 0
	for at < len(d.open) && d.open[at] != n {
		at++
	}
	if err != nil || at == len(d.open) {
		return fsm.Stay // it answers nothing
	}
	if !d.plant.Wrong("dialler/backoff-kept", d.pause > 0) {
		d.pause = 0
	}
	if d.plant.Wrong("dialler/wrong-question", at > 0) {
		at = 0
	}
	if err := cx.Write(server, fmt.Appendf(nil, "ok %d\n", d.open[at])); err != nil {
		return cx.Fail(err)
	}
	if d.open = append(d.open[:at], d.open[at+1:]...); len(d.open) == 0 {
		return diallerAsking
	}
	return fsm.Stay
}

// wait leaves the server, and bounds the time until the next dial.
func (d *dialler) wait(cx *cx) fsm.State {
	if d.plant.Wrong("dialler/late-dial", cx.Err(server) == nil) && cx.Cause() != nil {
		cx.Dial(spare, "tcp", diallerServer)
	}
	cx.Close(server)
	d.pause = min(max(2*d.pause, 100*time.Millisecond), diallerMost)
	cx.Within(d.pause)
	return fsm.Stay
}

// diallerSpec has a server whose greeting and answers are words of traces: a Model would give
// them at once, and in order. It closes a connection when the dialler has.
func diallerSpec() fuzz.Spec {
	return fuzz.Spec{
		Backends: []fuzz.Backend{fuzz.Serve(diallerServer, fuzz.Model[struct{}, string]{
			Input: lfLine,
			Step:  func(*struct{}, string) string { return "" },
		})},
		Oracles:  []fuzz.Oracle{fuzz.Conns("questions", questions)},
		Without:  fuzz.LostOutput, // what a server that is lost has not taken is dropped
		Patience: 6 * time.Minute,
		Conns:    16,
		Faults:   trace.Weights{trace.Jump: 0, trace.Late: 0, trace.Leave: 0, trace.ConnectWaits: 0}, // pauses are measured
	}
}

// questions judges all connections of the dialler, one after the other.
func questions(conns []fuzz.Conn, _ time.Duration) string {
	asked, open := 0, 0
	for _, c := range conns {
		if c.Whole {
			open++
		}
	}
	switch {
	case open > 1:
		return fmt.Sprintf("%d connections are open: want one", open)
	case open == 0:
		return "no connection is open: want one"
	}
	for i, c := range conns {
		lines := strings.SplitAfter(fuzz.Text(c.Sent), "\n")
		got := strings.SplitAfter(fuzz.Text(c.Got), "\n")
		greeted := lines[0] == "hello\n"
		if !greeted && len(c.Got) > 0 {
			return fmt.Sprintf("connection %d is asked before it has greeted", c.Number)
		}
		if greeted && c.Whole && len(c.Got) == 0 {
			return fmt.Sprintf("connection %d has greeted, and is asked nothing", c.Number)
		}
		answered := false
		for _, line := range got {
			number, isAsk := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "ask ")
			if n, err := strconv.Atoi(number); isAsk && err == nil && strings.HasSuffix(line, "\n") {
				if n <= asked {
					return fmt.Sprintf("connection %d is asked question %d again", c.Number, n)
				}
				asked = n
			}
			if ok, is := strings.CutPrefix(line, "ok "); is && strings.HasSuffix(line, "\n") {
				answered = true
				if !strings.Contains(fuzz.Text(c.Sent), "\n"+strings.TrimSpace(ok)+" ") {
					return fmt.Sprintf("connection %d gets %q, and has not answered that question", c.Number, line)
				}
			}
		}
		if i+1 == len(conns) || c.Ended == 0 {
			continue
		}
		pause := conns[i+1].Begin - c.Ended
		if pause < 99*time.Millisecond || answered && !isBackoff(pause) {
			return fmt.Sprintf("connection %d follows %v after connection %d: want 100ms, or the sum of that and twice the time for each refusal", conns[i+1].Number, pause, c.Number)
		}
	}
	return ""
}

// isBackoff reports whether a time is the sum of a pause after an answer, and those after some dials
// that were refused, or not answered for half a second.
func isBackoff(d time.Duration) bool {
	for ; d > 0; d -= 500 * time.Millisecond {
		for sum, next := time.Duration(0), 100*time.Millisecond; sum <= d; next = min(2*next, diallerMost) {
			if sum += next; sum-d < 20*time.Millisecond && d-sum < 20*time.Millisecond {
				return true
			}
		}
	}
	return false
}
