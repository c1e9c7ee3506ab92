package sim

import (
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// A fault is an event of a trace like all others. It arms something that a kernel may do
// to a connection, or to a loop, for a number of times. So a run needs no random numbers,
// and shrinking leaves out each fault that a failure does not need.

// armed has the faults that will happen to a socket of a machine.
type armed struct {
	reads, readSize   int
	writes, writeSize int
	readBlocks        int
	writeBlocks       int
	calls, what       int // before that many calls from now the peer does what
}

// countDown reports whether a fault that happens n more times happens now.
func countDown(n *int) bool {
	if *n == 0 {
		return false
	}
	*n--
	return true
}

// readLimit returns how many of n bytes a read may return.
func (a *armed) readLimit(n int) int {
	if countDown(&a.reads) {
		return min(n, a.readSize)
	}
	return n
}

// writeLimit returns how many of n bytes a write may take.
func (a *armed) writeLimit(n int) int {
	if countDown(&a.writes) {
		return min(n, a.writeSize)
	}
	return n
}

// actAbruptly is called before each read and write of a machine. A peer acts at any time, also
// in the middle of a turn.
func (w *World) actAbruptly(s *socket) {
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
	w.met(trace.Abrupt, s)
	c.ending = CutOff // it may have been about to say more
	switch s.armed.what {
	case trace.AbruptReset:
		w.hangUp(c, true)
	case trace.AbruptClose:
		w.hangUp(c, false)
	case trace.AbruptFinish:
		w.doFinish(c, trace.Event{})
	default:
		n := uint16(s.armed.what - trace.AbruptSend)
		word := w.cfg.Dict.DatagramWord(n)
		if w.cfg.Roles.Allow(c.Addr, w.cfg.Dict, n) && !c.peer.shutOut && !c.stuck && len(word) <= c.peer.room() {
			w.peerSends(c, s, []byte(word))
		}
	}
}

// How a connection attempt of a machine ends.
const (
	connectNormally = iota
	connectRefused
	connectUnanswered // for ever
)

// armedLoop has the faults that will happen to a loop.
type armedLoop struct {
	seed          uint32 // of the next order of events; 0: as they came
	most          int    // events of the next wait; 0: as many as fit
	late          int64  // nanoseconds that the next deadline is late
	accepts       int
	acceptErr     error
	connects      int
	connect       int
	datagrams     int
	datagramsFate int
	connectWaits  int
	connectDelay  int64
	lookUpWaits   int
	lookUpDelay   int64
	lookUpFails   int
	lookUpHow     int
	interleaves   int
}

// waitLimit returns how many of n events the next wait may return.
func (a *armedLoop) waitLimit(n int) int {
	if a.most > 0 {
		n = min(n, a.most)
		a.most = 0
	}
	return n
}

// permute changes the order of events if a fault says so, and reports whether it did.
func (a *armedLoop) permute(news []driver.Sock) bool {
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

// acceptFails returns the error of the next accept; nil if it is none.
func (a *armedLoop) acceptFails() error {
	if countDown(&a.accepts) {
		return a.acceptErr
	}
	return nil
}

// connectFate returns how the next connection attempt ends.
func (a *armedLoop) connectFate() int {
	if countDown(&a.connects) {
		return a.connect
	}
	return connectNormally
}

// connectWait returns how long the next connection attempt is not answered; late is false if it
// is answered at once.
func (a *armedLoop) connectWait() (wait int64, late bool) {
	return a.connectDelay, countDown(&a.connectWaits)
}

// lookUpWait returns the same for a look-up.
func (a *armedLoop) lookUpWait() (wait int64, late bool) {
	return a.lookUpDelay, countDown(&a.lookUpWaits)
}

// lookUpFate returns how the next look-up fails, if it does.
func (a *armedLoop) lookUpFate() (how int, fails bool) {
	return a.lookUpHow, countDown(&a.lookUpFails)
}

// datagramFate returns the fate of the next datagram from, or to, a machine of a loop; ok is
// false if it is an ordinary one.
func (a *armedLoop) datagramFate() (fate int, ok bool) {
	if countDown(&a.datagrams) {
		return a.datagramsFate, true
	}
	return 0, false
}

// clearFaults disarms all faults, and lets all peers read.
func (w *World) clearFaults() {
	w.endScarcity()
	for _, s := range w.sockets[1:] {
		s.armed = armed{}
		s.window, s.queue = window, queue
		if s.kind != free {
			s.tellOfRoom()
		}
	}
	for _, d := range w.drivers {
		d.armed = armedLoop{}
	}
	w.slow = slowness{}
	for i := range w.conns {
		if b := w.conns[i].backend; b != nil {
			b.slow = slowness{}
		}
	}
	w.doLater(forever)
	for i := range w.conns {
		w.conns[i].splits = 0
		w.setPace(&w.conns[i], eager, 0)
	}
}

// machineEnd returns the end of a connection that a machine holds; nil if none does.
func (c *Conn) machineEnd() *socket {
	if c.peer == nil || c.peer.other == nil || c.peer.other.driver == nil {
		return nil
	}
	return c.peer.other
}

// injectSpurious makes an event of readiness that is not there.
func (w *World) injectSpurious(c *Conn, r poll.Ready) {
	if s := c.machineEnd(); s != nil && s.watched && s.phase == connected {
		s.driver.extraEvents = append(s.driver.extraEvents, poll.Event{Token: poll.Token(s.data), Ready: r})
	}
}

// observeSpurious observes the spurious events among those that a loop gets.
func (w *World) observeSpurious(told []poll.Event) {
	if !w.wants(FaultStruck) || w.stage != StageEvents {
		return
	}
	for _, ev := range told {
		for _, s := range w.sockets[1:] {
			if s.driver != nil && s.watched && s.data == driver.EventData(ev.Token) {
				w.struck(trace.Spurious, s)
			}
		}
	}
}

// injectStale makes an event for a socket that its machine has closed, unless so many sockets ago
// that its data comes again: no event is as late as that.
func (w *World) injectStale(c *Conn, r poll.Ready) {
	d, data := c.staleDriver, c.staleData
	if d == nil || d.over || d.registered(data) {
		return
	}
	if all := *d.machines; data.OfMachine() && int(data.Index()) < len(all) {
		if m := all[data.Index()]; m.Generation == data.Generation() && m.next[data.Port()] == data.PortGen() {
			return
		}
	}
	d.staleEvents = append(d.staleEvents, poll.Event{Token: poll.Token(data), Ready: r})
}

// registered reports whether an open socket is registered with this data.
func (d *simDriver) registered(data driver.EventData) bool {
	for _, s := range d.w.sockets[1:] {
		if s.driver == d && s.watched && s.data == data {
			return true
		}
	}
	return false
}

var acceptErrors = []error{errno.EMFILE, errno.ECONNABORTED, errno.ENFILE, errno.EPROTO}

// AcceptError returns the error of a number of trace.AcceptFails.
func AcceptError(number uint16) error { return acceptErrors[int(number)%len(acceptErrors)] }
