package main

import (
	"errors"

	"github.com/stator-go/stator/examples/resp/redis"
	"github.com/stator-go/stator/examples/resp/wire"
	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

const peer reactor.Port = 0

const (
	serving  fsm.State = fsm.First + iota // between commands
	partial                               // part of a command is here: bounded, however it trickles
	sending                               // a large value is being sent from where it lies
	paused                                // published more than subscribers have taken yet
	parting                               // all is said; the last of it is on its way
	trickled                              // did not end its command in time: over
	unread                                // does not read its replies: over
)

// A call serves this many commands and bytes of replies at the most, so that a
// deep pipeline, or a large value, does not hold up the others.
const (
	commandsPerCall = 64
	repliesPerCall  = 64 << 10
	valuesPerCall   = 1 << 20
)

// mailRoom is how many times what publishers wait for there is room for: one
// PUBLISH may reach a multitude.
const mailRoom = 4

var (
	errOutput   = errors.New("the client does not read its replies")
	errTrickled = errors.New("the client does not end its command")
	errKilled   = errors.New("a client asked for its end")
	errInput    = errors.New("unfinished commands take too much memory")
)

// conn is a client's connection.
type conn struct {
	*server
	session redis.Session
	parser  wire.Parser
	late    wire.Output // what sending has to send
	most    int         // bytes that late may come to
	self    reactor.Ref[mail]

	taken     int  // bytes of a command that is cut off, in server.unfinished
	coming    int  // messages on their way here, in server.mail
	publishes bool // it did once
	killed    bool // by CLIENT KILL: the session is closed
}

// mail is what comes to a connection: what another one published, or its own
// word that all that it published has been taken.
type mail struct {
	redis.Message
	goOn bool
}

type cx = reactor.Context[mail]

func newConn(l limits) *reactor.Kind[conn, mail] {
	return reactor.Must(reactor.NewKind("client", connOptions(l), connRows(l)))
}

func connOptions(l limits) reactor.Options {
	return reactor.Options{Ports: []string{"peer"}, WriteBuffer: l.output, Mailbox: mailRoom * l.mail, Queue: mailRoom * l.mail}
}

func connRows(l limits) reactor.Table[conn, mail] {
	return reactor.Table[conn, mail]{
		fsm.Any: {OnEnter: (*conn).open, OnExit: (*conn).close, OnMessage: (*conn).published, Shutdown: parting,
			Stall: fsm.After(l.patience, unread)},
		serving: {Name: "serving", Wait: peer.Readable(), Idle: fsm.Never,
			OnReady: (*conn).commands, To: fsm.To(partial, sending, paused, parting, unread)},
		partial: {Name: "partial", Wait: peer.Readable(), Within: fsm.After(l.patience, trickled),
			OnReady: (*conn).commands, To: fsm.To(serving, partial, sending, paused, parting, unread)},
		sending: {Name: "sending", Wait: peer.Writable(), Within: fsm.After(l.patience, unread), Shutdown: sending,
			OnReady: (*conn).send, To: fsm.To(serving, partial, sending, parting, unread)},
		paused: {Name: "paused", Idle: fsm.Never, Shutdown: paused,
			To: fsm.To(serving, partial, sending, parting, unread)},
		parting: {Name: "parting", Wait: peer.Drained(), Within: fsm.After(l.patience, unread),
			OnReady: (*conn).part, OnMessage: (*conn).last, To: fsm.To(sending, unread)},
		trickled: {Name: "trickled", Idle: fsm.Never, OnEnter: (*conn).tooSlow, OnMessage: (*conn).drop},
		unread:   {Name: "unread", Idle: fsm.Never, OnEnter: (*conn).tooMuch, OnMessage: (*conn).drop},
	}
}

func (c *conn) open(cx *cx) fsm.State {
	c.self = cx.Self()
	c.redis.Open(&c.session, c, cx.RemoteAddr(peer).String(), c.now(cx.Now()))
	return fsm.Stay
}

func (c *conn) close(*cx) {
	c.session.Close()
	c.server.mail -= c.coming
	c.unfinished -= c.taken
}

// commands serves what is whole of the input.
func (c *conn) commands(cx *cx, _ reactor.Ready) fsm.State {
	if c.killed {
		return c.die(cx)
	}
	if c.publishes && c.server.mail > c.limits.mail {
		return c.pause(cx)
	}
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	c.out.Reset() // were a handler to panic, nobody else gets what it had replied
	used, done, whole := 0, 0, true
	mailed := c.server.mail
	now := c.now(cx.Now())
	for whole && done < commandsPerCall && c.out.Len() < repliesPerCall && !c.session.Closing() &&
		(c.server.mail == mailed || c.server.mail <= c.limits.mail) {
		c.args.Stranger = c.session.Stranger()
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
	c.publishes = c.publishes || c.server.mail > mailed
	c.redis.Stats.BytesIn += uint64(used)
	begun := !whole && (used < len(in) || c.parser.Held() > 0)
	cx.Discard(peer, used)
	if !c.hold(c.parser.Held()) {
		return cx.Stop(errInput)
	}
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

// hold counts the bytes of this client's unfinished command, and tells whether
// those of all clients may stay.
func (c *conn) hold(bytes int) bool {
	c.unfinished += bytes - c.taken
	c.taken = bytes
	return c.unfinished <= c.limits.input || bytes == 0
}

// between is where a client is that has nothing to wait for but its commands.
func (c *conn) between() fsm.State {
	if c.taken > 0 {
		return partial
	}
	return serving // commands looks at once whether the input holds a piece of one
}

// reply sends what was replied; a large value leads to sending.
func (c *conn) reply(cx *cx) fsm.State {
	c.redis.Stats.BytesOut += uint64(c.out.Len())
	switch {
	case cx.State() == sending:
		if c.late.Move(&c.out); c.late.Len() > c.most {
			return unread
		}
		return fsm.Stay
	case !c.out.Contiguous():
		c.late.Move(&c.out)
		c.most = c.late.Len() + c.limits.output
		return sending
	}
	if c.out.Len() > 0 {
		err := cx.Write(peer, c.out.Front())
		if c.out.Reset(); errors.Is(err, reactor.ErrFull) {
			return unread
		} else if err != nil {
			return cx.Fail(err)
		}
	}
	if c.session.Closing() {
		return parting
	}
	return fsm.Stay
}

// send goes on with large values. Within bounds a stay in which nothing moves.
func (c *conn) send(cx *cx, _ reactor.Ready) fsm.State {
	moved := 0
	for c.late.Len() > 0 && moved < valuesPerCall {
		n, err := cx.WriteSome(peer, c.late.Front())
		if err == reactor.ErrWouldBlock {
			break
		}
		if err != nil {
			return cx.Fail(err)
		}
		c.late.Sent(n)
		moved += n
	}
	switch {
	case c.late.Len() > 0 && moved > 0:
		return sending
	case c.late.Len() > 0:
		return fsm.Stay
	case c.session.Closing():
		return parting
	}
	return c.between()
}

// Deliver is redis.Mail: a message comes to this connection's own turn.
func (c *conn) Deliver(m redis.Message) bool {
	if c.self.Send(mail{Message: m}) != nil {
		return false
	}
	c.server.mail++
	c.coming++
	return true
}

// HangUp is redis.Mail: a message, whichever, makes this connection see it.
func (c *conn) HangUp() {
	c.killed = true
	c.self.Send(mail{goOn: true}) // full means that one is on its way
}

// die drops what was not sent, as redis-server does.
func (c *conn) die(cx *cx) fsm.State {
	cx.Close(peer)
	return cx.Stop(errKilled)
}

// pause waits until what was published is taken: mailboxes keep the order, so a
// message to oneself comes behind all of it.
func (c *conn) pause(cx *cx) fsm.State {
	if c.self.Post(&cx.IO, mail{goOn: true}) != nil {
		return fsm.Stay // called again when there is room
	}
	return paused
}

// published writes a message of a channel. A session that could not be given all
// of them is over.
func (c *conn) published(cx *cx, m *mail) fsm.State {
	if c.killed {
		return c.die(cx)
	}
	if m.goOn {
		if cx.State() == paused {
			return c.between()
		}
		return fsm.Stay
	}
	c.drop(cx, m)
	if c.session.Closing() && cx.State() != sending {
		return unread
	}
	c.out.Reset()
	c.session.Message(&c.out, m.Message)
	return c.reply(cx)
}

func (c *conn) drop(_ *cx, m *mail) fsm.State {
	if !m.goOn {
		c.server.mail--
		c.coming--
	}
	return fsm.Stay
}

// part ends a client that has all that it was to get: what was published before it
// leaves is on its way too, unless the client left first.
func (c *conn) part(*cx, reactor.Ready) fsm.State {
	if c.coming > 0 && !c.session.Closing() {
		return fsm.Stay
	}
	return fsm.Stop
}

func (c *conn) last(cx *cx, m *mail) fsm.State {
	if c.session.Closing() {
		return c.drop(cx, m)
	}
	return c.published(cx, m)
}

func (c *conn) tooSlow(cx *cx) fsm.State {
	c.redis.Stats.Trickled++
	return cx.Stop(errTrickled)
}

// tooMuch drops what was not read: it would take its memory for longer.
func (c *conn) tooMuch(cx *cx) fsm.State {
	c.redis.Stats.OutputLimit++
	cx.Close(peer)
	return cx.Stop(errOutput)
}
