package right

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// pinger is one of a client's connections, each to a server of its own. It pings a server
// that says nothing, and hangs up, to dial again, if there is no pong in time.
type pinger struct {
	server string
	pinged bool
}

type pingerCx = reactor.Context[reactor.None]

const (
	pingerServer reactor.Port  = 0
	pingerTimer  reactor.Timer = 0

	pingerQuiet = time.Minute      // until a ping
	pingerDead  = 10 * time.Second // without a pong
)

const (
	pingerDialing = fsm.First + iota
	pingerTalking
	pingerPausing
)

func newPinger() *reactor.Kind[pinger, reactor.None] {
	return reactor.Must(reactor.NewKind("pinger",
		reactor.Options{Ports: []string{"server"}, Timers: []reactor.TimerSpec{{Name: "ping or give up"}}},
		reactor.Table[pinger, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Fail: pingerPausing, Stall: fsm.After(pingerDead, pingerPausing)},
			pingerDialing: {Name: "dialing", OnEnter: (*pinger).dial, Wait: pingerServer.Opened(), OnReady: (*pinger).opened,
				Within: fsm.After(3*time.Second, pingerPausing), To: fsm.To(pingerTalking)},
			pingerTalking: {Name: "talking", OnEnter: (*pinger).begin, Wait: pingerServer.Readable().While(pingerServer.Room()),
				OnReady: (*pinger).hear, OnTimer: (*pinger).quiet, Idle: fsm.After(5*time.Minute, pingerPausing), To: fsm.To(pingerPausing)},
			pingerPausing: {Name: "pausing", OnEnter: (*pinger).hangUp, Within: fsm.After(2*time.Second, pingerDialing)},
		}))
}

func (p *pinger) dial(cx *pingerCx) fsm.State { return cx.Fail(cx.Dial(pingerServer, "tcp", p.server)) }

func (p *pinger) opened(*pingerCx, reactor.Ready) fsm.State { return pingerTalking }

func (p *pinger) begin(cx *pingerCx) fsm.State {
	p.pinged = false
	return cx.Fail(cx.Arm(pingerTimer, pingerQuiet))
}

// hear takes any line for a sign of life.
func (p *pinger) hear(cx *pingerCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(pingerServer)
	_, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	cx.Discard(pingerServer, n)
	return p.begin(cx)
}

func (p *pinger) quiet(cx *pingerCx, _ reactor.Fired) fsm.State {
	if p.pinged {
		return pingerPausing
	}
	p.pinged = true
	if err := cx.Write(pingerServer, []byte("PING\n")); err != nil {
		return cx.Fail(err)
	}
	return cx.Fail(cx.Arm(pingerTimer, pingerDead))
}

func (p *pinger) hangUp(cx *pingerCx) fsm.State {
	cx.Close(pingerServer)
	return fsm.Stay
}

// keptTooLong finds a connection to a server that has said nothing for too long.
func keptTooLong(conns []fuzz.Conn, now time.Duration) string {
	for _, c := range conns {
		alive, end := c.Begin, c.Ended
		for _, p := range c.Sent {
			alive = p.Time
		}
		if c.Whole && end == 0 {
			end = now
		}
		if late := end - alive - pingerQuiet - pingerDead; !c.Refused && end > 0 && c.Closed == 0 && late > c.Slack {
			return fmt.Sprintf("connection %d is kept for %v too long without a pong", c.Number, late)
		}
	}
	return ""
}

func pingSpec() fuzz.Spec {
	kind := newPinger()
	const good, mute = "10.0.3.1:6000", "10.0.3.2:6000"
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			for _, server := range []string{good, mute, "10.0.3.3:6000"} {
				if _, err := kind.Spawn(w.Loop(0), pinger{server: server}); err != nil {
					return err
				}
			}
			return nil
		},
		Backends: []fuzz.Backend{fuzz.Serve(good, fuzz.Model[struct{}, string]{
			Input: inputLine,
			Step:  func(*struct{}, string) string { return "PONG\n" },
		})},
		Without: fuzz.LostOutput, // a server that has ended needs no ping
		Dict:    []string{"PONG\n", "news\n"},
		Roles:   []fuzz.Role{{Addr: mute, Dict: []string{"PO", "NG"}}},
		Oracles: []fuzz.Oracle{
			fuzz.PerConn("pings", fuzz.Model[int, string]{
				Input: inputLine,
				Step:  func(pings *int, _ string) string { *pings = 0; return "" },
				Push: func(pings int, at fuzz.Moment) []fuzz.Outcome[int] {
					if pings == 1 {
						return nil
					}
					return []fuzz.Outcome[int]{{State: 1, Answer: "PING\n"}}
				},
				Owes: func(pings int, at fuzz.Moment) bool { return pings == 0 && at.Time > at.Input+pingerQuiet },
			}).At(good),
			fuzz.Conns("dead servers", keptTooLong),
		},
	}
}
