package main

import (
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Connections beyond -maxclients get an error and are closed.

// surplus is how many connections the loop has slots for beyond -maxclients, so that it can
// refuse them. If more come at once, they wait until one of these has ended.
const surplus = 16

// refusal is how long a refused client may take to read the error and close. Closing first
// could destroy the error on its way, if the client has sent a command.
const refusal = time.Second

func (c *conn) refuse(cx *cx) fsm.State {
	c.redis.Stats.Rejected++
	if err := cx.Write(peer, []byte("-ERR max number of clients reached\r\n")); err != nil {
		return cx.Fail(err)
	}
	return cx.Fail(cx.CloseWrite(peer))
}

// ignore drops the input of a refused client.
func (c *conn) ignore(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	cx.Discard(peer, len(in))
	return fsm.Stay
}

// endRefused drops what the client still sends.
func (c *conn) endRefused(cx *cx) fsm.State {
	cx.Close(peer)
	return fsm.Stop
}
