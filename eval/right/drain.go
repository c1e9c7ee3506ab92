package right

import (
	"fmt"
	"slices"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// gate is what the two listeners of a server share: the listener that is open to clients,
// and its connections.
type gate struct {
	listener *reactor.Listener
	closed   bool
	open     []reactor.Ref[leaving]
}

// leaving says to a connection that the server wants to be empty.
type leaving struct{}

type (
	// guest sends lines back until it is told to leave: then it says so, and takes no more.
	guest struct{ *gate }
	// porter is a connection of the listener for control: "drain" and "count".
	porter   struct{ *gate }
	guestCx  = reactor.Context[leaving]
	porterCx = reactor.Context[reactor.None]
)

const drainPeer reactor.Port = 0

func newGuest() *reactor.Kind[guest, leaving] {
	return reactor.Must(reactor.NewKind("guest", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[guest, leaving]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnEnter: (*guest).come, OnExit: (*guest).depart,
				OnMessage: (*guest).leave},
			fsm.First: {Name: "serving", Wait: drainPeer.Readable().While(drainPeer.Room()), OnReady: (*guest).serve,
				Idle: fsm.After(time.Minute, fsm.Stop)},
		}))
}

func newPorter() *reactor.Kind[porter, reactor.None] {
	return reactor.Must(reactor.NewKind("porter", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[porter, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "serving", Wait: drainPeer.Readable().While(drainPeer.Room()), OnReady: (*porter).serve,
				Idle: fsm.After(time.Minute, fsm.Stop)},
		}))
}

// come ends a connection that was accepted while the listener was being closed.
func (g *guest) come(cx *guestCx) fsm.State {
	if g.closed {
		return g.leave(cx, nil)
	}
	g.open = append(g.open, cx.Self())
	return fsm.Stay
}

func (g *guest) depart(cx *guestCx) {
	g.open = slices.DeleteFunc(g.open, func(r reactor.Ref[leaving]) bool { return r == cx.Self() })
}

func (g *guest) serve(cx *guestCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(drainPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	return respond(&cx.IO, drainPeer, line+"\n", n, func() {})
}

func (g *guest) leave(cx *guestCx, _ *leaving) fsm.State {
	if err := cx.Write(drainPeer, []byte("* leaving\n")); err != nil {
		return cx.Fail(err)
	}
	return fsm.Stop
}

func (p *porter) serve(cx *porterCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(drainPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	switch line {
	case "count":
		return respond(&cx.IO, drainPeer, fmt.Sprintln(len(p.open)), n, func() {})
	case "drain":
		return respond(&cx.IO, drainPeer, "draining\n", n, func() { p.drain(&cx.IO) })
	}
	return respond(&cx.IO, drainPeer, "error\n", n, func() {})
}

// drain is done once: a second time the listener is closed already.
func (p *porter) drain(cx *reactor.IO) {
	if p.closed {
		return
	}
	p.closed = true
	p.listener.Close(cx)
	for _, r := range p.open {
		r.Post(cx, leaving{}) // its mailbox has room: there is no other message
	}
}

// undrained finds a client that is served although the server is drained.
func undrained(conns []fuzz.Conn, now time.Duration) string {
	drained := time.Duration(0)
	for _, c := range conns {
		if first, _ := came(c.Got, "draining"); first > 0 && (drained == 0 || first < drained) {
			drained = first
		}
	}
	for _, c := range conns {
		switch {
		case drained == 0 || c.Kind != "guest":
		case c.Whole && now > drained+c.Slack:
			return "a client is still there"
		case c.Begin > drained+c.Slack && fuzz.Text(c.Got) != "":
			return "a client is let in"
		}
	}
	return ""
}

func drainSpec() fuzz.Spec {
	guests, porters := newGuest(), newPorter()
	const control = "127.0.0.1:7001"
	return fuzz.Spec{
		Setup: func(w *fuzz.World) (err error) {
			all := new(gate)
			if all.listener, err = guests.Listen(w.Loop(0), "tcp", ":7000", guest{all}); err != nil {
				return err
			}
			_, err = porters.Listen(w.Loop(0), "tcp", control, porter{all})
			return err
		},
		Dict:  []string{"hello\n", "half"},
		Roles: []fuzz.Role{{Addr: control, Dict: []string{"drain\n", "count\n"}, Peers: 1}},
		Oracles: []fuzz.Oracle{
			fuzz.PerConn("guests", fuzz.Model[bool, string]{
				Input: inputLine,
				Steps: func(left bool, line string, _ fuzz.Moment) []fuzz.Outcome[bool] {
					if left {
						return []fuzz.Outcome[bool]{{State: true}}
					}
					return []fuzz.Outcome[bool]{{State: false, Answer: line + "\n"}}
				},
				Push: func(left bool, _ fuzz.Moment) []fuzz.Outcome[bool] {
					if left {
						return nil
					}
					return []fuzz.Outcome[bool]{{State: true, Answer: "* leaving\n"}}
				},
				Over: func(left bool) bool { return left },
			}).At(":7000"),
			fuzz.Conns("drained", undrained),
		},
	}
}
