package right

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// ticker sends numbered ticks by itself: "ticks N" orders N of them, one each 2 s, in place
// of those that are still to come. Other lines are sent back meanwhile.
type ticker struct{ next, last int }

type tickerCx = reactor.Context[reactor.None]

const (
	tickerPeer  reactor.Port  = 0
	tickerTick  reactor.Timer = 0
	tickerEvery               = 2 * time.Second
)

func newTicker() *reactor.Kind[ticker, reactor.None] {
	return reactor.Must(reactor.NewKind("ticker",
		reactor.Options{Ports: []string{"peer"}, Timers: []reactor.TimerSpec{{Name: "tick"}}},
		reactor.Table[ticker, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "serving", Wait: tickerPeer.Readable().While(tickerPeer.Room()), OnReady: (*ticker).serve,
				OnTimer: (*ticker).tick, Idle: fsm.After(time.Minute, fsm.Stop)},
		}))
}

func (t *ticker) serve(cx *tickerCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(tickerPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	count, ok := tickerOrder(line)
	if !ok {
		return respond(&cx.IO, tickerPeer, line+"\n", n, func() {})
	}
	if err := cx.Arm(tickerTick, tickerEvery); err != nil {
		return respond(&cx.IO, tickerPeer, "busy\n", n, func() {}) // those before go on
	}
	return respond(&cx.IO, tickerPeer, "ok\n", n, func() { t.next, t.last = 1, count })
}

func (t *ticker) tick(cx *tickerCx, _ reactor.Fired) fsm.State {
	switch err := cx.Write(tickerPeer, fmt.Appendln(nil, "tick", t.next)); {
	case err == nil:
		t.next++
	case !errors.Is(err, reactor.ErrFull): // if it is, the tick comes late
		return cx.Fail(err)
	}
	if t.next > t.last {
		return fsm.Stay
	}
	return cx.Fail(cx.Arm(tickerTick, tickerEvery))
}

func tickerOrder(line string) (count int, ok bool) {
	s, ok := strings.CutPrefix(line, "ticks ")
	if _, err := fmt.Sscan(s, &count); err != nil || count < 1 || count > 9 {
		return 0, false
	}
	return count, ok
}

// tickerState is the model's: the ticks that are still to come, and when they were ordered.
type tickerState struct {
	next, last int
	since      time.Duration
}

func (s tickerState) due() time.Duration { return s.since + time.Duration(s.next)*tickerEvery }

func tickerSteps(s tickerState, line string, at fuzz.Moment) []fuzz.Outcome[tickerState] {
	count, ok := tickerOrder(line)
	if !ok {
		return []fuzz.Outcome[tickerState]{{State: s, Answer: line + "\n"}}
	}
	ordered := tickerState{1, count, at.Time}
	return []fuzz.Outcome[tickerState]{{State: ordered, Answer: "ok\n"}, {State: s, Answer: "busy\n"}}
}

func tickerPush(s tickerState, at fuzz.Moment) []fuzz.Outcome[tickerState] {
	if s.next > s.last || at.Time < s.due() {
		return nil
	}
	tick := fmt.Sprintln("tick", s.next)
	s.next++
	return []fuzz.Outcome[tickerState]{{State: s, Answer: tick}}
}

func tickerSpec() fuzz.Spec {
	kind := newTicker()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", ticker{})
			return err
		},
		Dict:      []string{"ticks 1\n", "ticks 3\n", "ticks 9\n", "hello\n"},
		WordsOnly: true,
		Oracles: []fuzz.Oracle{fuzz.PerConn("ticks", fuzz.Model[tickerState, string]{
			Input: inputLine,
			New:   func() tickerState { return tickerState{next: 1} },
			Steps: tickerSteps,
			Push:  tickerPush,
			Owes:  func(s tickerState, at fuzz.Moment) bool { return s.next <= s.last && at.Time > s.due() },
			Ends: func(_ tickerState, at fuzz.Moment) time.Duration {
				return at.Sent + time.Minute
			},
		})},
	}
}
