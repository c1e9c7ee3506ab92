package right

import (
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// host greets, sends lines back, and says goodbye: to a client that says "bye", to one that
// says nothing for long, and to all at a shutdown. Then it waits until the client hangs up.
type host struct{}

type hostCx = reactor.Context[reactor.None]

const hostPeer reactor.Port = 0

const (
	hostGreeting = fsm.First + iota
	hostServing
	hostLeaving
)

func newHost() *reactor.Kind[host, reactor.None] {
	return reactor.Must(reactor.NewKind("host", reactor.Options{Ports: []string{"peer"}, ReadBuffer: 2048},
		reactor.Table[host, reactor.None]{
			fsm.Any:      {Stall: fsm.After(10*time.Second, fsm.Stop)},
			hostGreeting: {Name: "greeting", OnEnter: (*host).greet, Shutdown: fsm.Stop, To: fsm.To(hostServing)},
			hostServing: {Name: "serving", Wait: hostPeer.Readable().While(hostPeer.Room()), OnReady: (*host).serve,
				Idle: fsm.After(time.Minute, hostLeaving), Shutdown: hostLeaving, To: fsm.To(hostLeaving)},
			hostLeaving: {Name: "leaving", OnEnter: (*host).leave, Wait: hostPeer.Readable(), OnReady: (*host).drop,
				Within: fsm.After(5*time.Second, fsm.Stop)},
		}))
}

func (h *host) greet(cx *hostCx) fsm.State {
	if err := cx.Write(hostPeer, []byte("hello\n")); err != nil {
		return cx.Fail(err)
	}
	return hostServing
}

func (h *host) serve(cx *hostCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(hostPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	if line == "bye" {
		return hostLeaving
	}
	return respond(&cx.IO, hostPeer, line+"\n", n, func() {})
}

func (h *host) leave(cx *hostCx) fsm.State {
	err := cx.Write(hostPeer, []byte("goodbye\n"))
	if err == nil {
		err = cx.CloseWrite(hostPeer)
	}
	return cx.Fail(err)
}

func (h *host) drop(cx *hostCx, _ reactor.Ready) fsm.State {
	var b [512]byte
	_, err := cx.Read(hostPeer, b[:])
	return cx.Fail(err)
}

func farewellSpec() fuzz.Spec {
	kind := newHost()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", host{})
			return err
		},
		Dict:     []string{"how are you?\n", "bye\n", "half", string(make([]byte, 2100))},
		Isolated: true,
	} // no model: a farewell that no input asks for has no place in one
}
