package main

import (
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

const peer reactor.Port = 0

const echoing = fsm.First

type (
	conn struct{}
	cx   = reactor.Context[reactor.None]
)

func newEcho() *reactor.Kind[conn, reactor.None] {
	return reactor.Must(reactor.NewKind("echo", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[conn, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			echoing: {Name: "echoing", Wait: peer.Readable().While(peer.Room()),
				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*conn).echo},
		}))
}

func (c *conn) echo(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err == nil {
		err = cx.Write(peer, in)
	}
	if err != nil {
		return cx.Fail(err) // would-block: stay
	}
	cx.Discard(peer, len(in))
	return fsm.Stay
}
