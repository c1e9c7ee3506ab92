package right

import (
	"fmt"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// counts is what the connections of two listeners share: one port is for data, and one
// for those who look after it.
type counts struct {
	lines  int
	closed bool
}

type (
	dataConn  struct{ *counts }
	adminConn struct{ *counts }
	adminCx   = reactor.Context[reactor.None]
)

const adminPeer reactor.Port = 0

func newData() *reactor.Kind[dataConn, reactor.None] {
	return reactor.Must(reactor.NewKind("data", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[dataConn, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "serving", Wait: adminPeer.Readable().While(adminPeer.Room()),
				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*dataConn).serve},
		}))
}

func newAdmin() *reactor.Kind[adminConn, reactor.None] {
	return reactor.Must(reactor.NewKind("admin", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[adminConn, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "serving", Wait: adminPeer.Readable().While(adminPeer.Room()),
				Idle: fsm.After(5*time.Minute, fsm.Stop), OnReady: (*adminConn).serve},
		}))
}

func (c *dataConn) serve(cx *adminCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(adminPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	reply := strings.ToUpper(line) + "\n"
	if c.closed {
		reply = "closed for now\n"
	}
	return respond(&cx.IO, adminPeer, reply, n, func() { c.lines++ })
}

func (c *adminConn) serve(cx *adminCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(adminPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	switch line {
	case "lines":
		return respond(&cx.IO, adminPeer, fmt.Sprintln(c.lines), n, func() {})
	case "close", "open":
		return respond(&cx.IO, adminPeer, "ok\n", n, func() { c.closed = line == "close" })
	case "quit":
		return fsm.Stop
	default:
		return respond(&cx.IO, adminPeer, "what?\n", n, func() {})
	}
}

// respond replies to the first n bytes of a port's input. The effect takes place if the
// reply could be written; if there is no room for it, the input stays.
func respond(cx *reactor.IO, p reactor.Port, reply string, n int, effect func()) fsm.State {
	switch err := cx.Write(p, []byte(reply)); err {
	case nil:
		cx.Discard(p, n)
		effect()
		return fsm.Stay
	case reactor.ErrFull:
		return fsm.Stay // called again when there is room
	default:
		return cx.Fail(err)
	}
}

func adminSpec() fuzz.Spec {
	data, admin := newData(), newAdmin()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			shared := new(counts)
			if _, err := data.Listen(w.Loop(0), "tcp", ":7000", dataConn{shared}); err != nil {
				return err
			}
			_, err := admin.Listen(w.Loop(0), "tcp", "127.0.0.1:7001", adminConn{shared})
			return err
		},
		Dict: []string{"hello\n", "lines\n", "close\n", "open\n", "quit\n"},
	}
}
