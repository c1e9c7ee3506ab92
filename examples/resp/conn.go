package main

import (
	"errors"
	"time"

	"github.com/stator-go/stator/examples/resp/redis"
	"github.com/stator-go/stator/examples/resp/wire"
	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

const peer reactor.Port = 0

const (
	serving fsm.State = fsm.First + iota // between commands
	partial                              // part of a command is here: bounded, however it trickles
	sending                              // a large value is being sent from where it lies
)

// A call serves this many commands and bytes of replies at the most, so that a
// deep pipeline does not hold up the others.
const (
	commandsPerCall = 64
	repliesPerCall  = 64 << 10
)

var errOutput = errors.New("the client does not read its replies")

// conn is a client's connection.
type conn struct {
	*server
	session redis.Session
	parser  wire.Parser
	late    wire.Output // what sending has to send
	self    reactor.Ref[redis.Message]
}

type cx = reactor.Context[redis.Message]

func newConn(l limits) *reactor.Kind[conn, redis.Message] {
	return reactor.Must(reactor.NewKind("client",
		reactor.Options{
			Ports: []string{"peer"}, Outbox: l.output,
			Mailbox: 1 << 16, Inflow: 1 << 18, // a publisher's pipeline, before its subscribers' turn comes
		},
		reactor.Table[conn, redis.Message]{
			fsm.Any: {Enter: (*conn).open, Exit: (*conn).close, Message: (*conn).published, Shutdown: fsm.Stop,
				Stall: fsm.After(l.patience, fsm.Stop)},
			serving: {Name: "serving", Wait: peer.Readable(), Idle: fsm.Never,
				Ready: (*conn).commands, To: fsm.To(partial, sending)},
			partial: {Name: "partial", Wait: peer.Readable(), Within: fsm.After(l.patience, fsm.Stop),
				Ready: (*conn).commands, To: fsm.To(serving, partial, sending)},
			sending: {Name: "sending", Wait: peer.Writable(), Within: fsm.After(l.patience, fsm.Stop),
				Ready: (*conn).send, To: fsm.To(serving, sending)},
		}))
}

func (c *conn) open(cx *cx) fsm.State {
	c.self = cx.Self()
	c.redis.Open(&c.session, c, cx.RemoteAddr(peer).String(), time.Now().UnixMicro())
	return fsm.Stay
}

func (c *conn) close(*cx) { c.session.Close() }

// commands serves what is whole of the input.
func (c *conn) commands(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	used, done, whole := 0, 0, true
	now := time.Now().UnixMicro()
	for whole && done < commandsPerCall && c.out.Len() < repliesPerCall && !c.session.Closing() {
		args, n, err := c.parser.Next(in[used:], c.args)
		used += n
		switch {
		case err != nil:
			c.session.Violation(&c.out, err)
		case args == nil:
			whole = false
		default:
			c.session.Do(&c.out, args, now)
			done++
		}
	}
	begun := !whole && (used < len(in) || c.parser.Held() > 0)
	cx.Discard(peer, used)
	next := c.reply(cx)
	switch {
	case next != fsm.Stay:
		return next
	case begun && (done > 0 || cx.State() != partial):
		return partial // a stay of its own for each command that is cut off
	case !begun && cx.State() == partial:
		return serving
	}
	return fsm.Stay
}

// reply sends what was replied; a large value leads to sending.
func (c *conn) reply(cx *cx) fsm.State {
	switch {
	case cx.State() == sending:
		if c.late.Move(&c.out); c.late.Len() > c.limits.output {
			return c.tooMuch(cx)
		}
		return fsm.Stay
	case !c.out.Contiguous():
		c.late.Move(&c.out)
		return sending
	}
	if c.out.Len() > 0 {
		err := cx.Write(peer, c.out.Front())
		if c.out.Reset(); err == reactor.ErrFull {
			return c.tooMuch(cx)
		} else if err != nil {
			return cx.Fail(err)
		}
	}
	if c.session.Closing() {
		return fsm.Stop
	}
	return fsm.Stay
}

func (c *conn) tooMuch(cx *cx) fsm.State {
	c.redis.Stats.OutputLimit++
	return cx.Stop(errOutput)
}

// send goes on with large values. Within bounds a stay in which nothing moves.
func (c *conn) send(cx *cx, _ reactor.Ready) fsm.State {
	moved := false
	for c.late.Len() > 0 {
		n, err := cx.WriteSome(peer, c.late.Front())
		if err == reactor.ErrWouldBlock {
			break
		}
		if err != nil {
			return cx.Fail(err)
		}
		c.late.Sent(n)
		moved = true
	}
	switch {
	case c.late.Len() == 0 && c.session.Closing():
		return fsm.Stop
	case c.late.Len() == 0:
		return serving
	case moved:
		return sending
	}
	return fsm.Stay
}

// Deliver is redis.Mail: a message comes to this connection's own turn.
func (c *conn) Deliver(m redis.Message) bool { return c.self.Send(m) == nil }

// published writes a message of a channel. A session that could not be given all
// of them is over.
func (c *conn) published(cx *cx, m *redis.Message) fsm.State {
	if c.session.Closing() && cx.State() != sending {
		return c.tooMuch(cx)
	}
	c.session.Message(&c.out, *m)
	return c.reply(cx)
}
