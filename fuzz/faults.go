package fuzz

import (
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// Faults are events of a trace like all others: each arms something that a kernel
// may do to a connection, or to a loop, for a number of times. So a trace needs no
// dice, and what is not needed for a failure is left out by shrinking.

// armed is what waits to happen to a socket of a machine's.
type armed struct {
	reads, readSize   int
	writes, writeSize int
	readBlocks        int
	writeBlocks       int
	calls, what       int // what the peer does just before so many calls from now
}

func (a *armed) shortRead(n int) int {
	if a.reads == 0 {
		return n
	}
	a.reads--
	return min(n, a.readSize)
}

func (a *armed) shortWrite(n int) int {
	if a.writes == 0 {
		return n
	}
	a.writes--
	return min(n, a.writeSize)
}

func (a *armed) blocksRead() bool {
	if a.readBlocks == 0 {
		return false
	}
	a.readBlocks--
	return true
}

func (a *armed) blocksWrite() bool {
	if a.writeBlocks == 0 {
		return false
	}
	a.writeBlocks--
	return true
}

// abrupt is asked before each read and write of a machine's: a peer does not wait for
// a turn to end.
func (w *World) abrupt(s *sock) {
	if s.armed.calls == 0 {
		return
	}
	if s.armed.calls--; s.armed.calls > 0 || s.conn < 0 {
		return
	}
	c := &w.conns[s.conn]
	if c.peer == nil || c.peer.other != s {
		return
	}
	w.happens(trace.Abrupt, s)
	c.ending = cutOff // it may have been about to say more
	switch s.armed.what {
	case trace.AbruptReset:
		w.hangUp(c, true)
	case trace.AbruptClose:
		w.hangUp(c, false)
	case trace.AbruptFinish:
		w.doFinish(c, trace.Event{})
	default:
		if word := trace.Dictionary(w.spec.Dict).DatagramWord(uint16(s.armed.what - trace.AbruptSend)); !c.peer.shutOut && len(word) <= c.peer.room() {
			w.noteBytes(noteSend, c.peer, []byte(word))
			c.sent = append(c.sent, word...)
			c.sentAt = w.mark(c, c.sentAt, len(c.sent))
			w.arrive(s, []byte(word))
		}
	}
}

// How connection attempts of machines end.
const (
	connectNone    = iota // as they would
	connectRefused        // nobody takes them
	connectSilent         // no answer ever comes
)

// armedDriver is what waits to happen to a loop.
type armedDriver struct {
	seed     uint32 // of the next order of events, 0: as they came
	most     int    // events in the next wait, 0: as many as fit
	late     int64  // nanoseconds that the next deadline is late
	accepts  int
	acceptBy error
	connects int
	connect  int
	mails    int
	mail     int // what becomes of them
}

// few is how many events the next wait may answer.
func (a *armedDriver) few(n int) int {
	if a.most > 0 {
		n = min(n, a.most)
		a.most = 0
	}
	return n
}

// permute changes the order of events, if it is to and there are some.
func (a *armedDriver) permute(news []reactor.Sock) bool {
	if a.seed == 0 || len(news) < 2 {
		return false
	}
	x := a.seed
	for i := len(news) - 1; i > 0; i-- {
		x = x*1664525 + 1013904223
		j := int(x>>8) % (i + 1)
		news[i], news[j] = news[j], news[i]
	}
	a.seed = 0
	return true
}

// turning ends what lasts until a turn.
func (a *armedDriver) turning() { a.late = 0 }

func (a *armedDriver) acceptFails() error {
	if a.accepts == 0 {
		return nil
	}
	a.accepts--
	return a.acceptBy
}

func (a *armedDriver) connectFails() int {
	if a.connects == 0 {
		return connectNone
	}
	a.connects--
	return a.connect
}

// peace disarms all faults, and lets all peers read.
func (w *World) peace() {
	for _, s := range w.socks[1:] {
		s.armed = armed{}
		s.window, s.queue = window, queue
		if s.nature != free && s.starved && s.room() > 0 {
			s.tell()
		}
	}
	for _, d := range w.drivers {
		d.armed = armedDriver{}
	}
	for i := range w.conns {
		w.conns[i].splits = 0
		w.setPace(&w.conns[i], eager, 0)
	}
}

// machineEnd is the end of a connection that a machine holds, nil when there is none.
func (c *conn) machineEnd() *sock {
	if c.peer == nil || c.peer.other == nil || c.peer.other.driver == nil {
		return nil
	}
	return c.peer.other
}

// spurious tells of readiness that is not there.
func (w *World) spurious(c *conn, r poll.Ready) {
	if s := c.machineEnd(); s != nil && s.watched && s.phase == connected {
		s.driver.extra = append(s.driver.extra, poll.Event{Token: poll.Token(s.data), Ready: r})
	}
}

// lies counts events that were told and are not true, as faults had it.
func (w *World) lies(told []poll.Event) {
	if w.tally == nil || w.stage != stageEvents {
		return
	}
	for _, ev := range told {
		for _, s := range w.socks[1:] {
			if s.driver != nil && s.watched && s.data == uint64(ev.Token) {
				w.strikes(trace.Spurious, s)
			}
		}
	}
}

// stale tells of a socket that its machine has closed.
func (w *World) stale(c *conn, r poll.Ready) {
	if c.staleD != nil && !c.staleD.over && !c.staleD.knows(c.stale) {
		c.staleD.ghosts = append(c.staleD.ghosts, poll.Event{Token: poll.Token(c.stale), Ready: r})
	}
}

// knows tells whether an open socket is registered with this data.
func (d *driver) knows(data uint64) bool {
	for _, s := range d.w.socks[1:] {
		if s.driver == d && s.watched && s.data == data {
			return true
		}
	}
	return false
}

// closing notes the event data of a socket that a machine closes.
func (w *World) closing(s *sock) {
	if s.conn < 0 {
		return
	}
	if s.watched {
		c := &w.conns[s.conn]
		c.stale, c.staleD = s.data, s.driver
	}
	if c := w.of(s); c != nil {
		c.unread = s.in.len()
	}
	w.say(int(s.conn), "machine closes")
}

// acceptErrors are what an accept may fail with.
var acceptErrors = []error{errno.EMFILE, errno.ECONNABORTED, errno.ENFILE, errno.EPROTO}
