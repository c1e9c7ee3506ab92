package main

import (
	"time"

	"github.com/stator-go/stator/examples/resp/redis"
	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Clients that do not read: CONFIG's client-output-buffer-limit, and what CLIENT LIST shows
// of it.

// backlog is the timer of a client that has unread output: it looks at it now and then, as
// no handler is called when some of it has been sent.
const backlog reactor.Timer = 0

const backlogEvery = 100 * time.Millisecond

// freeOutput is how much output no limit counts, as in redis-server.
const freeOutput = 16 << 10

var backlogTimer = reactor.TimerSpec{Name: "backlog", In: fsm.To(serving, partial, sending, paused, leaving)}

// withinLimit reports whether the client may have the replies in c.out as well.
func (c *conn) withinLimit(cx *cx) bool {
	held := cx.Buffered(peer) + c.pending.Len()
	limit := c.session.OutputLimit()
	if held < limit.Soft {
		c.overSince = 0 // output only shrinks between two calls
	}
	if held == 0 && c.out.Len() < freeOutput {
		c.session.Buffers.Output = 0 // what is in c.out will be sent at the end of the turn
		return true
	}
	return c.measure(cx, held+c.out.Len(), limit)
}

// measure compares how much output the client has not read with the limit, and reports
// whether it may have as much. It arms the timer that does so again.
func (c *conn) measure(cx *cx, unread int, limit redis.OutputLimit) bool {
	c.session.Buffers.Output = unread
	counted := unread
	if unread < freeOutput {
		counted = 0
	}
	if limit.Hard > 0 && counted >= limit.Hard {
		return false
	}
	if limit.Soft == 0 || counted < limit.Soft {
		c.overSince = 0
	} else if c.overSince == 0 {
		c.overSince = max(cx.Now(), 1)
	} else if cx.Now()-c.overSince > time.Duration(limit.Seconds)*time.Second {
		return false
	}
	if !c.measured && unread > 0 {
		c.measured = cx.Arm(backlog, backlogEvery) == nil
	}
	return true
}

// measureAgain handles the timer backlog.
func (c *conn) measureAgain(cx *cx, _ reactor.Fired) fsm.State {
	c.measured = false
	if c.killed {
		return fsm.Stay
	}
	if !c.measure(cx, cx.Buffered(peer)+c.pending.Len(), c.session.OutputLimit()) {
		return slowReader
	}
	return fsm.Stay
}
