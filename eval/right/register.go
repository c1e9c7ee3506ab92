package right

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// registerConn reads and writes one value that all connections share: "get", "set N", and
// "cas OLD NEW".
type registerConn struct{ value *int }

type registerCx = reactor.Context[reactor.None]

const registerPeer reactor.Port = 0

func newRegister() *reactor.Kind[registerConn, reactor.None] {
	return reactor.Must(reactor.NewKind("register", reactor.Options{Ports: []string{"peer"}, WriteBuffer: 4096},
		reactor.Table[registerConn, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "serving", Wait: registerPeer.Readable().While(registerPeer.Room()),
				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*registerConn).serve},
		}))
}

func (r *registerConn) serve(cx *registerCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(registerPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	value, reply := registerStep(*r.value, line)
	return respond(&cx.IO, registerPeer, reply, n, func() { *r.value = value })
}

func registerStep(value int, line string) (_ int, reply string) {
	var from, to int
	if line == "get" {
		return value, fmt.Sprintln(value)
	}
	if _, err := fmt.Sscanf(line, "set %d", &to); err == nil {
		return to, "ok\n"
	}
	if _, err := fmt.Sscanf(line, "cas %d %d", &from, &to); err == nil {
		if from != value {
			return value, "no\n"
		}
		return to, "yes\n"
	}
	return value, "error\n"
}

func registerSpec() fuzz.Spec {
	kind := newRegister()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", registerConn{new(int)})
			return err
		},
		Dict: []string{"get\n", "set 1\n", "set 2\n", "cas 1 2\n", "cas 2 ", "0\n"},
		Oracles: []fuzz.Oracle{fuzz.Linear("one value", fuzz.Model[int, string]{
			Input: inputLine,
			Step: func(value *int, line string) (reply string) {
				*value, reply = registerStep(*value, line)
				return reply
			},
		})},
	}
}
