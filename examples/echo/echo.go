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
				Idle: fsm.After(time.Minute, fsm.Stop), Ready: (*conn).echo},
		}))
}

func (c *conn) echo(cx *cx, _ reactor.Ready) fsm.State {
	var buf [16 << 10]byte
	n, err := cx.Read(peer, buf[:])
	if err == nil {
		err = cx.Write(peer, buf[:n])
	}
	return cx.Fail(err) // nil or would-block: stay
}
