package right

import (
	"net/netip"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// connector reads "CONNECT address\n", dials it, says how that went, and is a tunnel then.
type connector struct{ addr netip.AddrPort }

type connectCx = reactor.Context[reactor.None]

const (
	connectClient reactor.Port = iota
	connectTarget
)

const (
	connectReading = fsm.First + iota
	connectDialing
	connectTunnel
	connectRefusing
)

func newConnector() *reactor.Kind[connector, reactor.None] {
	return reactor.Must(reactor.NewKind("connector",
		reactor.Options{Ports: []string{"client", "target"}, ReadBuffer: 4096},
		reactor.Table[connector, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			connectReading: {Name: "reading", Wait: connectClient.Readable(), OnReady: (*connector).request,
				Within: fsm.After(10*time.Second, fsm.Stop), To: fsm.To(connectDialing)},
			connectDialing: {Name: "dialing", OnEnter: (*connector).dial, Wait: connectTarget.Opened(), OnReady: (*connector).opened,
				Within: fsm.After(3*time.Second, connectRefusing), Fail: connectRefusing, To: fsm.To(connectTunnel)},
			connectTunnel: {Name: "tunnel", OnReady: (*connector).tunnel, Idle: fsm.After(time.Minute, fsm.Stop),
				Wait: connectClient.Readable().While(connectTarget.Room()) | connectTarget.Readable().While(connectClient.Room())},
			connectRefusing: {Name: "refusing", OnEnter: (*connector).refuse},
		}))
}

func (c *connector) request(cx *connectCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(connectClient)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	cx.Discard(connectClient, n)
	addr, found := strings.CutPrefix(line, "CONNECT ")
	if c.addr, err = netip.ParseAddrPort(addr); !found || err != nil {
		if err := cx.Write(connectClient, []byte("400\n")); err != nil {
			return cx.Fail(err)
		}
		return fsm.Stop
	}
	return connectDialing
}

func (c *connector) dial(cx *connectCx) fsm.State {
	return cx.Fail(cx.Dial(connectTarget, "tcp", c.addr.String()))
}

func (c *connector) opened(cx *connectCx, _ reactor.Ready) fsm.State {
	if err := cx.Write(connectClient, []byte("200\n")); err != nil {
		return cx.Fail(err)
	}
	return connectTunnel
}

func (c *connector) tunnel(cx *connectCx, ready reactor.Ready) fsm.State {
	return copyBoth(&cx.IO, ready, connectClient, connectTarget)
}

func (c *connector) refuse(cx *connectCx) fsm.State {
	if err := cx.Write(connectClient, []byte("502\n")); err != nil {
		return cx.Fail(err)
	}
	return fsm.Stop
}

func connectSpec() fuzz.Spec {
	proxy, backend := newConnector(), newBackend()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			if _, err := backend.Listen(w.Loop(0), "tcp", "127.0.0.1:7001", struct{}{}); err != nil {
				return err
			}
			_, err := proxy.Listen(w.Loop(0), "tcp", "127.0.0.1:7000", connector{})
			return err
		},
		Answers: refusesAt(unreachable),
		Dict: []string{"CONNECT 127.0.0.1:7001\n", "CONNECT 127.0.0.1:8000\n", "CONNECT " + unreachable.String() + "\n",
			"hello", "\n", string(make([]byte, 9000))},
		Isolated: true,
	}
}
