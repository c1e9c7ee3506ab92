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
	serving     fsm.State = fsm.First + iota // between commands
	partial                                  // part of a command has arrived; the rest must come in time
	sending                                  // a large value is being sent without a copy
	paused                                   // a publisher waits until subscribers have handled its messages
	leaving                                  // no more replies will be written; the last are being sent
	slowCommand                              // did not finish its command in time; ends
	slowReader                               // does not read its replies; ends
)

// The most that one call of a handler serves, so that a deep pipeline or a large value
// does not delay the other clients.
const (
	commandsPerCall = 64
	repliesPerCall  = 64 << 10 // bytes
	valuesPerCall   = 1 << 20  // bytes
)

// mailRoom is the size of the mailboxes in units of limits.mail. Publishers wait above 1
// unit, but one PUBLISH can have many receivers and so exceed it.
const mailRoom = 4

var (
	errSlowReader  = errors.New("the client does not read its replies")
	errSlowCommand = errors.New("the client did not finish its command in time")
	errKilled      = errors.New("closed by CLIENT KILL")
	errInput       = errors.New("unfinished commands of all clients exceed -input-limit")
)

// conn is a client's connection.
type conn struct {
	*server
	session redis.Session
	parser  wire.Parser
	pending wire.Output // output that the state sending has to send
	most    int         // the most bytes that pending may hold
	self    reactor.Ref[mail]

	overSince time.Duration // when the unread output reached the soft limit; 0 if it is below

	unparsed  int  // this client's part of server.unfinished
	inbound   int  // this client's part of server.mail
	publishes bool // has published a message
	measured  bool // the timer backlog runs
	killed    bool // by CLIENT KILL; the session is closed
}

// mail is a message to a connection: a published message or, with resume set, one that only
// makes the connection run.
type mail struct {
	redis.Message
	resume bool
}

type cx = reactor.Context[mail]

func newConn(l limits) *reactor.Kind[conn, mail] {
	return reactor.Must(reactor.NewKind("client", connOptions(l), connRows(l)))
}

func connOptions(l limits) reactor.Options {
	return reactor.Options{Ports: []string{"peer"}, WriteBuffer: l.output, Mailbox: mailRoom * l.mail, Queue: mailRoom * l.mail,
		Timers: []reactor.TimerSpec{backlog: backlogTimer}}
}

func connRows(l limits) reactor.Table[conn, mail] {
	return reactor.Table[conn, mail]{
		fsm.Any: {OnEnter: (*conn).open, OnExit: (*conn).close, OnMessage: (*conn).message, OnTimer: (*conn).measureAgain, Shutdown: leaving,
			Stall: fsm.After(l.patience, slowReader)},
		serving: {Name: "serving", Wait: peer.Readable().While(peer.Room()), Idle: fsm.Never,
			OnReady: (*conn).commands, To: fsm.To(partial, sending, paused, leaving, slowReader)},
		partial: {Name: "partial", Wait: peer.Readable().While(peer.Room()), Within: fsm.After(l.patience, slowCommand),
			OnReady: (*conn).commands, To: fsm.To(serving, partial, sending, paused, leaving, slowReader)},
		sending: {Name: "sending", Wait: peer.Writable(), Within: fsm.After(l.patience, slowReader), Shutdown: sending,
			OnReady: (*conn).send, To: fsm.To(serving, partial, sending, leaving, slowReader)},
		paused: {Name: "paused", Idle: fsm.Never, Shutdown: paused,
			To: fsm.To(serving, partial, sending, leaving, slowReader)},
		leaving: {Name: "leaving", Wait: peer.Drained(), Within: fsm.After(l.patience, slowReader),
			OnReady: (*conn).leave, OnMessage: (*conn).lastMessage, To: fsm.To(sending, slowReader)},
		slowCommand: {Name: "slowCommand", Idle: fsm.Never, OnEnter: (*conn).endSlowCommand, OnMessage: (*conn).uncount},
		slowReader:  {Name: "slowReader", Idle: fsm.Never, OnEnter: (*conn).endSlowReader, OnMessage: (*conn).uncount},
	}
}

func (c *conn) open(cx *cx) fsm.State {
	c.self = cx.Self()
	c.redis.Open(&c.session, c, cx.RemoteAddr(peer).String(), c.now(cx.Now()))
	c.session.Local = cx.LocalAddr(peer).String()
	return fsm.Stay
}

func (c *conn) close(*cx) {
	c.session.Close()
	c.server.mail -= c.inbound
	c.unfinished -= c.unparsed
}

// commands runs the complete commands of the input.
func (c *conn) commands(cx *cx, _ reactor.Ready) fsm.State {
	if c.killed {
		return c.endKilled(cx)
	}
	if c.publishes && c.server.mail > c.limits.mail {
		return c.pause(cx)
	}
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	c.out.Reset() // a handler that panicked may have left its client's replies
	used, done, whole := 0, 0, true
	mailed := c.server.mail
	now := c.now(cx.Now())
	c.session.Buffers.Input = len(in) + c.parser.Held()
	for whole && done < commandsPerCall && c.out.Len() < repliesPerCall && !c.session.Closing() &&
		(c.server.mail == mailed || c.server.mail <= c.limits.mail) {
		c.args.Unauthenticated = c.session.Unauthenticated()
		args, n, err := c.parser.Next(in[used:], c.args)
		used += n
		switch {
		case err != nil:
			c.session.Violation(&c.out, err)
		case args == nil:
			whole = false
		default:
			c.session.Given = c.args.Given()
			c.session.Do(&c.out, args, now)
			done++
		}
	}
	c.publishes = c.publishes || c.server.mail > mailed
	c.redis.Stats.BytesIn += uint64(used)
	begun := !whole && (used < len(in) || c.parser.Held() > 0)
	cx.Discard(peer, used)
	c.session.Buffers.Input = len(in) - used + c.parser.Held()
	if !c.countUnparsed(c.parser.Held() + c.session.Queued()) {
		return cx.Stop(errInput)
	}
	next := c.reply(cx)
	switch {
	case next != fsm.Stay:
		return next
	case begun && (done > 0 || cx.State() != partial):
		return partial // again, so that each unfinished command has its own deadline
	case !begun && cx.State() == partial:
		return serving
	}
	return fsm.Stay
}

// countUnparsed records how many bytes this client's parser holds of an unfinished command
// and its session of a transaction, and reports whether all clients together stay within the limit.
func (c *conn) countUnparsed(bytes int) bool {
	c.unfinished += bytes - c.unparsed
	c.unparsed = bytes
	return c.unfinished <= c.limits.input || bytes == 0
}

// waiting returns the state in which a client with nothing to send waits for commands.
func (c *conn) waiting() fsm.State {
	if c.parser.Held() > 0 {
		return partial
	}
	return serving // where commands is called at once if there is input
}

// reply sends the replies of this call. A large value makes the next state sending.
func (c *conn) reply(cx *cx) fsm.State {
	c.redis.Stats.BytesOut += uint64(c.out.Len())
	if c.out.Len() > 0 && !c.withinLimit(cx) {
		return slowReader
	}
	switch {
	case cx.State() == sending:
		if c.pending.Move(&c.out); c.pending.Len() > c.most {
			return slowReader
		}
		return fsm.Stay
	case !c.out.Contiguous():
		c.pending.Move(&c.out)
		c.most = c.pending.Len() + c.limits.output
		return sending
	}
	if c.out.Len() > 0 {
		err := cx.Write(peer, c.out.Front())
		if c.out.Reset(); errors.Is(err, reactor.ErrFull) {
			return slowReader
		} else if err != nil {
			return cx.Fail(err)
		}
	}
	if c.session.Closing() {
		return leaving
	}
	return fsm.Stay
}

// send sends more of pending. It returns sending, not Stay, when bytes moved, so that Within
// bounds the time in which none do.
func (c *conn) send(cx *cx, _ reactor.Ready) fsm.State {
	moved := 0
	for c.pending.Len() > 0 && moved < valuesPerCall {
		n, err := cx.WriteSome(peer, c.pending.Front())
		if err == reactor.ErrWouldBlock {
			break
		}
		if err != nil {
			return cx.Fail(err)
		}
		c.pending.Sent(n)
		moved += n
	}
	switch {
	case c.pending.Len() > 0 && moved > 0:
		c.session.Buffers.Output = c.pending.Len()
		return sending
	case c.pending.Len() > 0:
		return fsm.Stay
	case c.session.Closing():
		return leaving
	}
	c.session.Buffers.Output = 0
	return c.waiting()
}

// Deliver implements redis.Mail: it sends the message to this connection's mailbox.
func (c *conn) Deliver(m redis.Message) bool {
	if c.self.Send(mail{Message: m}) != nil {
		return false
	}
	c.server.mail++
	c.inbound++
	return true
}

// HangUp implements redis.Mail: any message makes this connection see that it was killed.
func (c *conn) HangUp() {
	c.killed = true
	c.self.Send(mail{resume: true}) // if the mailbox is full, another message will do
}

// endKilled ends the connection without sending the rest of its output, as redis-server
// does.
func (c *conn) endKilled(cx *cx) fsm.State {
	cx.Close(peer)
	return cx.Stop(errKilled)
}

// pause waits until subscribers have handled what this client published. Messages are
// handled in the order in which they were sent, so a message to itself comes after them.
func (c *conn) pause(cx *cx) fsm.State {
	if c.self.Post(&cx.IO, mail{resume: true}) != nil {
		return fsm.Stay // called again when the mailbox has room
	}
	return paused
}

// message writes a published message to the client. A session that missed a message, as a
// mailbox was full, is closing: the client ends.
func (c *conn) message(cx *cx, m *mail) fsm.State {
	if c.killed {
		return c.endKilled(cx)
	}
	if m.resume {
		if cx.State() == paused {
			return c.waiting()
		}
		return fsm.Stay
	}
	c.uncount(cx, m)
	if c.session.Closing() && cx.State() != sending {
		return slowReader
	}
	c.out.Reset()
	c.session.Message(&c.out, m.Message)
	return c.reply(cx)
}

// uncount takes a message out of the counts of unhandled ones.
func (c *conn) uncount(_ *cx, m *mail) fsm.State {
	if !m.resume {
		c.server.mail--
		c.inbound--
	}
	return fsm.Stay
}

// leave ends a client once all output is sent. On a shutdown that includes the messages
// that are in its mailbox; if the client itself asked to leave, it does not.
func (c *conn) leave(*cx, reactor.Ready) fsm.State {
	if c.inbound > 0 && !c.session.Closing() {
		return fsm.Stay
	}
	return fsm.Stop
}

// lastMessage handles a message in the state leaving.
func (c *conn) lastMessage(cx *cx, m *mail) fsm.State {
	if c.session.Closing() {
		return c.uncount(cx, m)
	}
	return c.message(cx, m)
}

func (c *conn) endSlowCommand(cx *cx) fsm.State {
	c.redis.Stats.QueryTimeouts++
	return cx.Stop(errSlowCommand)
}

// endSlowReader drops the slowReader output at once, to free its memory.
func (c *conn) endSlowReader(cx *cx) fsm.State {
	c.redis.Stats.OutputLimit++
	cx.Close(peer)
	return cx.Stop(errSlowReader)
}
