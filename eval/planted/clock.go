package planted

import (
	"errors"
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// clock is a server of deadlines: a connection has 10 s for its first line, and then gets "beat\n"
// every 8 s. It ends 30 s after its last line, and 40 s after it came at the latest. Neither a part
// of a line nor a beat makes it live longer.
type clock struct {
	plant *Plant
	begun bool
	beats int
}

const (
	clockLogin = fsm.First + iota
	clockOpen
)

const (
	clockLines reactor.Timer = iota // 30 s after the last line
	clockBeat
	clockLife

	beatEvery = 8 * time.Second
)

func newClock() *Server {
	return &Server{
		Name: "clock", build: buildClock, spec: clockSpec,
		Files: []string{"clock.go"},
		Dict:  []string{"hello\n", "half", "\n"},
		Bugs: []Bug{
			{Name: "clock/login-short", What: "a connection has 5 s for its first line, not 10"},
			{Name: "clock/login-never", What: "a connection has any time for its first line"},
			{Name: "clock/part-renews", What: "a part of a line makes a connection live longer"},
			{Name: "clock/beat-renews", What: "a beat makes a connection live longer"},
			{Name: "clock/beats-once", What: "there is one beat and no more"},
			{Name: "clock/life-renewed", What: "each line gives a connection another 40 s"},
		},
	}
}

func buildClock(p *Plant) func(Room) error {
	login := fsm.After(10*time.Second, fsm.Stop)
	switch p.Bug {
	case "clock/login-short":
		login = fsm.After(5*time.Second, fsm.Stop)
	case "clock/login-never":
		login = fsm.Never
	}
	both := fsm.To(clockLogin, clockOpen)
	k := reactor.Must(reactor.NewKind("clock", reactor.Options{Ports: []string{"peer"}, Timers: []reactor.TimerSpec{{Name: "lines", In: both}, {Name: "beat", In: both}, {Name: "life", In: both}}},
		reactor.Table[clock, reactor.None]{
			fsm.Any:    {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnEnter: (*clock).come, OnTimer: (*clock).rings},
			clockLogin: {Name: "login", Wait: peer.Readable(), Within: login, OnReady: (*clock).read, To: fsm.To(clockOpen)},
			clockOpen:  {Name: "open", Wait: peer.Readable(), Idle: fsm.Never, OnReady: (*clock).read},
		}))
	return func(r Room) error {
		_, err := k.Listen(r.Loop(0), "tcp", ":7400", clock{plant: p})
		return err
	}
}

func (c *clock) come(cx *cx) fsm.State {
	c.plant.Wrong("clock/login-short", true)
	c.plant.Wrong("clock/login-never", true)
	return cx.Fail(cx.Arm(clockLife, 40*time.Second))
}

func (c *clock) read(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	_, n, ok := lfLine(in)
	if !ok && (!c.begun || !c.plant.Wrong("clock/part-renews", true)) {
		return fsm.Stay
	}
	cx.Discard(peer, n)
	if c.begun && ok && c.plant.Wrong("clock/life-renewed", true) {
		err = errors.Join(err, cx.Arm(clockLife, 40*time.Second))
	}
	if err := errors.Join(err, cx.Arm(clockLines, 30*time.Second)); err != nil {
		return cx.Stop(err)
	}
	if c.begun {
		return fsm.Stay
	}
	c.begun = true
	if err := cx.Arm(clockBeat, beatEvery); err != nil {
		return cx.Stop(err)
	}
	return clockOpen
}

func (c *clock) rings(cx *cx, f reactor.Fired) fsm.State {
	if f.Timer != clockBeat {
		return fsm.Stop
	}
	c.beats++
	if err := cx.Write(peer, []byte("beat\n")); err != nil && !errors.Is(err, reactor.ErrFull) {
		return cx.Fail(err)
	}
	if c.plant.Wrong("clock/beat-renews", true) {
		if err := cx.Arm(clockLines, 30*time.Second); err != nil {
			return cx.Stop(err)
		}
	}
	if c.plant.Wrong("clock/beats-once", true) {
		return fsm.Stay
	}
	if err := cx.Arm(clockBeat, beatEvery); err != nil {
		return cx.Stop(err)
	}
	return fsm.Stay
}

func clockSpec() fuzz.Spec {
	type ends struct {
		open bool
		end  time.Duration
	}
	return fuzz.Spec{
		Without: fuzz.Segmentation | fuzz.SpuriousEvents, // beats come when time passes
		Faults:  trace.Weights{trace.Jump: 0},            // a line that waits while the clock jumps comes too late
		Oracles: []fuzz.Oracle{
			fuzz.PerConn("times", fuzz.Model[ends, string]{
				Input: lfLine,
				Steps: func(s ends, _ string, at fuzz.Moment) []fuzz.Outcome[ends] {
					end := at.Begin + 10*time.Second
					if s.open {
						end = s.end
					}
					in := fuzz.Outcome[ends]{State: ends{true, min(at.Time+30*time.Second, at.Begin+40*time.Second)}}
					if at.Time < end {
						return []fuzz.Outcome[ends]{in}
					}
					return []fuzz.Outcome[ends]{in, {State: s}} // it may come too late
				},
				Push: func(s ends, at fuzz.Moment) []fuzz.Outcome[ends] {
					if !s.open {
						return nil
					}
					return []fuzz.Outcome[ends]{{State: s, Answer: "beat\n"}}
				},
				Ends: func(s ends, at fuzz.Moment) time.Duration {
					if !s.open {
						return at.Begin + 10*time.Second
					}
					return s.end
				},
			}),
			fuzz.Conns("beats", beatsCome),
		},
	}
}

// beatsCome judges connections that time has ended: the last beat was not long ago.
func beatsCome(conns []fuzz.Conn, _ time.Duration) string {
	for _, c := range conns {
		if c.Ended == 0 || c.Cause != reactor.EventTimer || len(c.Got) == 0 {
			continue
		}
		if last := c.Got[len(c.Got)-1].Time; c.Ended-last > beatEvery+c.Slack {
			return fmt.Sprintf("connection %d gets its last beat %v before its end: want one every %v", c.Number, c.Ended-last, beatEvery)
		}
	}
	return ""
}
