//go:build unix || windows

package reactor_test

import (
	"io"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// The proxy of TestProxy and BenchmarkProxy: states say which directions are open, gates
// when there is room.

const client, upstream reactor.Port = 0, 1

const (
	dialing   fsm.State = fsm.First + iota
	relaying            // both directions are open
	upEnded             // the upstream has ended
	downEnded           // the client has ended
)

type pair struct{ to string }

func newProxy() *reactor.Kind[pair, reactor.None] {
	up := client.Readable().While(upstream.Room())
	down := upstream.Readable().While(client.Room())
	return reactor.Must(reactor.NewKind("proxy", reactor.Options{Ports: []string{"client", "upstream"}},
		reactor.Table[pair, reactor.None]{
			fsm.Any: {Idle: fsm.After(5*time.Minute, fsm.Stop), Stall: fsm.After(30*time.Second, fsm.Stop),
				Shutdown: fsm.Stop, OnReady: (*pair).relay},
			dialing: {Name: "dialing", Wait: upstream.Opened(), Within: fsm.After(5*time.Second, fsm.Stop),
				OnEnter: (*pair).dial, OnReady: (*pair).dialed, To: fsm.To(relaying)},
			relaying:  {Name: "relaying", Wait: up | down, To: fsm.To(upEnded, downEnded)},
			upEnded:   {Name: "up ended", Wait: up},
			downEnded: {Name: "down ended", Wait: down},
		}))
}

func (p *pair) dial(cx *netCx) fsm.State { return cx.Fail(cx.Dial(upstream, "tcp", p.to)) }

func (p *pair) dialed(*netCx, reactor.Ready) fsm.State { return relaying }

func (p *pair) relay(cx *netCx, ready reactor.Ready) fsm.State {
	if ready.Has(client.Readable()) {
		return p.move(cx, upstream, client, downEnded)
	}
	return p.move(cx, client, upstream, upEnded)
}

func (p *pair) move(cx *netCx, to, from reactor.Port, ended fsm.State) fsm.State {
	_, err := cx.Copy(to, from)
	if err != io.EOF {
		return cx.Fail(err)
	}
	cx.CloseWrite(to) // after the output that is waiting
	if cx.State() == relaying {
		return ended
	}
	return fsm.Stop
}
