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
	sending                                  // a long reply, or what did not fit into the write buffer, is being sent
	paused                                   // a publisher waits until subscribers have taken messages
	leaving                                  // no more replies will be written; the last are being sent
	slowCommand                              // did not finish its command in time; ends
	slowReader                               // does not read its replies; ends
	refused                                  // is one too many; may read the error
	refusalOver                              // was refused, and has not closed; ends
)

// The most that one call of a handler serves, so that a deep pipeline or a large value
// does not delay the other clients.
const (
	commandsPerCall = 64
	repliesPerCall  = 64 << 10 // bytes
	valuesPerCall   = 1 << 20  // bytes
)

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
	self    reactor.Ref[wake]

	overSince time.Duration // when the unread output reached the soft limit; 0 if it is below

	mail      []*redis.Message // published messages that are not in the output yet
	waiter    int              // this client's index+1 in server.waiters, 0 if it is not there
	unparsed  int              // this client's part of server.unfinished
	publishes bool             // has published a message
	measured  bool             // the timer backlog runs
	killed    bool             // by CLIENT KILL; the session is closed
}

// wake is the message to a connection that something has changed: it has mail, it was
// killed, or it may publish again. One that is still in the mailbox is enough for all of
// these, so the mailbox holds one.
type wake struct{}

type cx = reactor.Context[wake]

func newConn(l limits) *reactor.Kind[conn, wake] {
	return reactor.Must(reactor.NewKind("client", connOptions(l), connRows(l)))
}

func connOptions(l limits) reactor.Options {
	return reactor.Options{Ports: []string{"peer"}, WriteBuffer: l.output, Mailbox: 1, Queue: l.clients,
		Timers: []reactor.TimerSpec{backlog: backlogTimer}}
}

func connRows(l limits) reactor.Table[conn, wake] {
	return reactor.Table[conn, wake]{
		fsm.Any: {OnEnter: (*conn).open, OnExit: (*conn).close, OnMessage: (*conn).woken, OnTimer: (*conn).measureAgain, Shutdown: leaving,
			Stall: fsm.After(l.patience, slowReader), To: fsm.To(refused)},
		serving: {Name: "serving", Wait: peer.Readable().While(peer.Room()), Idle: fsm.Never,
			OnReady: (*conn).commands, To: fsm.To(partial, sending, paused, leaving, slowReader)},
		partial: {Name: "partial", Wait: peer.Readable().While(peer.Room()), Within: fsm.After(l.patience, slowCommand),
			OnReady: (*conn).commands, To: fsm.To(serving, partial, sending, paused, leaving, slowReader)},
		sending: {Name: "sending", Wait: peer.Writable(), Within: fsm.After(l.patience, slowReader), Shutdown: sending,
			OnReady: (*conn).send, To: fsm.To(serving, partial, sending, leaving, slowReader)},
		paused: {Name: "paused", Idle: fsm.Never, Shutdown: paused,
			To: fsm.To(serving, partial, sending, leaving, slowReader)},
		leaving: {Name: "leaving", Wait: peer.Drained(), Within: fsm.After(l.patience, slowReader),
			OnReady: (*conn).leave, To: fsm.To(sending, slowReader)},
		slowCommand: {Name: "slowCommand", Idle: fsm.Never, OnEnter: (*conn).endSlowCommand, OnMessage: (*conn).ignoreWake, OnTimer: (*conn).ignoreTimer},
		slowReader:  {Name: "slowReader", Idle: fsm.Never, OnEnter: (*conn).endSlowReader, OnMessage: (*conn).ignoreWake, OnTimer: (*conn).ignoreTimer},
		refused: {Name: "refused", Wait: peer.Readable(), Within: fsm.After(refusal, refusalOver), Shutdown: refused,
			OnEnter: (*conn).refuse, OnReady: (*conn).ignore, OnMessage: (*conn).ignoreWake, OnTimer: (*conn).ignoreTimer},
		refusalOver: {Name: "refusalOver", Idle: fsm.Never, OnEnter: (*conn).endRefused, OnMessage: (*conn).ignoreWake, OnTimer: (*conn).ignoreTimer},
	}
}

func (c *conn) open(cx *cx) fsm.State {
	if c.redis.Clients() >= c.limits.clients {
		return refused
	}
	c.self = cx.Self()
	c.redis.Open(&c.session, c, cx.RemoteAddr(peer).String(), c.now(cx.Now()))
	c.session.Local = cx.LocalAddr(peer).String()
	return fsm.Stay
}

func (c *conn) close(*cx) {
	c.session.Close()
	c.stopWaiting()
	c.dropMail()
	c.unfinished -= c.unparsed
	c.parser = wire.Parser{} // first, as drop may collect it
	c.drop(c.unparsed)
}

// commands runs the complete commands of the input.
func (c *conn) commands(cx *cx, _ reactor.Ready) fsm.State {
	if c.killed {
		return c.endKilled(cx)
	}
	if c.publishes && c.mailed > c.limits.mail {
		c.wait()
		return paused
	}
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	c.out.Reset() // a handler that panicked may have left its client's replies
	c.takeMail()  // was counted by PUBLISH, so it comes before the replies, as to UNSUBSCRIBE
	used, done, whole := 0, 0, true
	mailed := c.mailed
	now := c.now(cx.Now())
	c.session.Buffers.Input = len(in) + c.parser.Held()
	for whole && done < commandsPerCall && c.out.Len() < repliesPerCall && !c.session.Closing() &&
		(c.mailed == mailed || c.mailed <= c.limits.mail) {
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
	c.publishes = c.publishes || c.mailed > mailed
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
	case !begun && (done > 0 || !whole) && cx.State() == partial:
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

// reply sends the replies of this call. If they are long, or the write buffer has no room
// for them, the next state is sending: a client that reads gets every reply that it asked
// for, however long.
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
	case !c.out.Contiguous() || c.out.Len() > valuesPerCall:
		return c.sendLater()
	}
	if c.out.Len() > 0 {
		err := cx.Write(peer, c.out.Front())
		if errors.Is(err, reactor.ErrFull) {
			return c.sendLater()
		}
		if c.out.Reset(); err != nil {
			return cx.Fail(err)
		}
	}
	if c.session.Closing() {
		return leaving
	}
	return fsm.Stay
}

// sendLater leaves the output to the state sending.
func (c *conn) sendLater() fsm.State {
	c.pending.Move(&c.out)
	c.most = c.pending.Len() + c.limits.output
	return sending
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

// Deliver implements redis.Mail.
func (c *conn) Deliver(m *redis.Message) {
	if c.mail = append(c.mail, m); len(c.mail) == 1 {
		c.wake()
	}
	c.mailed++
}

// HangUp implements redis.Mail.
func (c *conn) HangUp() {
	c.killed = true
	c.wake()
}

// wake makes the loop call woken.
func (c *conn) wake() { c.self.Send(wake{}) } // if the mailbox is full, the message in it will do

// endKilled ends the connection without sending the rest of its output, as redis-server
// does.
func (c *conn) endKilled(cx *cx) fsm.State {
	cx.Close(peer)
	return cx.Stop(errKilled)
}

// woken looks at what has changed for the connection. A publisher that waits goes on; if
// there is still too much mail, commands makes it wait again.
func (c *conn) woken(cx *cx, _ *wake) fsm.State {
	if c.killed {
		return c.endKilled(cx)
	}
	c.out.Reset()
	c.takeMail()
	next := fsm.Stay
	if held := cx.Buffered(peer); held > 0 && held+c.out.Len() > c.limits.output {
		return slowReader
	}
	if c.out.Len() > 0 {
		next = c.reply(cx)
	}
	if next == fsm.Stay && cx.State() == paused {
		return c.waiting()
	}
	return next
}

// takeMail writes the connection's mail to the output.
func (c *conn) takeMail() {
	if !c.session.Closing() {
		for _, m := range c.mail {
			c.session.Message(&c.out, m)
		}
	}
	c.dropMail()
}

// keepMail is how many messages the list of mail has room for when it is empty.
const keepMail = 64

// dropMail empties the list of mail, and lets publishers go on once enough is taken.
func (c *conn) dropMail() {
	c.mailed -= len(c.mail)
	clear(c.mail)
	if c.mail = c.mail[:0]; cap(c.mail) > keepMail {
		c.mail = nil
	}
	if c.mailed <= c.limits.mail/2 {
		for len(c.waiters) > 0 {
			w := c.waiters[len(c.waiters)-1]
			w.stopWaiting()
			w.wake()
		}
	}
}

// wait adds the connection to the publishers that wait until subscribers have taken mail.
func (c *conn) wait() {
	if c.waiter == 0 {
		c.waiters = append(c.waiters, c)
		c.waiter = len(c.waiters)
	}
}

func (c *conn) stopWaiting() {
	if c.waiter == 0 {
		return
	}
	last := len(c.waiters) - 1
	c.waiters[c.waiter-1] = c.waiters[last]
	c.waiters[c.waiter-1].waiter = c.waiter
	c.waiters[last] = nil
	c.waiters = c.waiters[:last]
	c.waiter = 0
}

// leave ends a client once all output is sent. On a shutdown that includes its mail.
func (c *conn) leave(*cx, reactor.Ready) fsm.State {
	if len(c.mail) > 0 && !c.session.Closing() {
		return fsm.Stay
	}
	return fsm.Stop
}

// In states that end the connection, nothing that wakes it matters any more.

func (c *conn) ignoreWake(*cx, *wake) fsm.State          { return fsm.Stay }
func (c *conn) ignoreTimer(*cx, reactor.Fired) fsm.State { return fsm.Stay }

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
