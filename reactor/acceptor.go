package reactor

import (
	"time"

	"github.com/stator-go/stator/reactor/driver"
)

// acceptor has a loop's listening sockets, and takes connections from them. It pauses a
// listener that cannot accept:
//
//	reason                                      until                         counted in Stats
//	no slot is free, or the kind has            a slot is freed               SlotPauses
//	Options.MaxMachines machines
//	descriptors or memory are used up           a port closes, or 50 ms pass  FilePauses
//	more than 8 accepts in a row failed: the    a port closes, or 50 ms pass  ErrorPauses
//	listener itself has failed
//
// Listeners are resumed by reap (machine.go) for a slot, closePort (port.go) for a
// descriptor, and expire (deadline.go) for the time. Each of them resumes all listeners;
// one that still cannot accept is paused, and counted, again.
type acceptor struct {
	loop      *Loop
	listeners []listener
	ready     int   // listeners with connections waiting that are not paused
	resumeAt  int64 // when paused listeners try again
}

// pauseFor is how long accepting pauses after an error, unless a port closes earlier.
const pauseFor = 50 * time.Millisecond

// maxAcceptFailures is how many accepts in a row may fail, in one turn or in several,
// before the failure is taken for the listener's own, and it pauses.
const maxAcceptFailures = 8

// listener is a listening socket. Its place in acceptor.listeners is reused: gen is
// even, and a new one for each socket.
type listener struct {
	sock     driver.Sock // 0: a free place
	gen      uint32
	ready    bool // connections may be waiting
	paused   bool // and ready
	failures int  // accepts in a row that failed
	store    *base
	accept   func(driver.Sock) error // makes a machine with the socket as its port 0
}

// add registers a listening socket, and returns its place and generation.
func (a *acceptor) add(sock driver.Sock, b *base, accept func(driver.Sock) error) (int, uint32, error) {
	at := 0
	for at < len(a.listeners) && a.listeners[at].sock != 0 {
		at++
	}
	if at == len(a.listeners) {
		a.listeners = append(a.listeners, listener{})
	}
	n := &a.listeners[at]
	*n = listener{sock: sock, gen: n.gen + 2, store: b, accept: accept}
	if err := a.loop.drv.Register(sock, driver.OwnEvent(n.gen, uint32(at), driver.SourceListener)); err != nil {
		a.loop.drv.Close(sock)
		n.sock = 0
		return 0, 0, err
	}
	n.ready = true // for connections that came before the registration
	a.ready++
	return at, n.gen, nil
}

// find returns the listener at a place, or nil if it has been closed.
func (a *acceptor) find(at int, gen uint32) *listener {
	if at >= len(a.listeners) || a.listeners[at].gen != gen || a.listeners[at].sock == 0 {
		return nil
	}
	return &a.listeners[at]
}

// event takes an event of a listener: connections are waiting.
func (a *acceptor) event(data driver.EventData) {
	n := a.find(int(data.Number()), data.Generation())
	if n == nil {
		a.loop.stats.stale++
		return
	}
	if !n.ready {
		n.ready = true
		a.ready++
	}
}

// acceptAll takes connections from every listener that has some.
func (a *acceptor) acceptAll() {
	for i := range a.listeners {
		if n := &a.listeners[i]; n.ready && !n.paused {
			a.acceptFrom(n)
		}
	}
}

// acceptFrom takes at most Config.Accepts connections, so that a burst of them does
// not delay the machines that exist.
func (a *acceptor) acceptFrom(n *listener) {
	l := a.loop
	for range l.cfg.Accepts {
		if n.store.live == n.store.most || l.slots.Len() == l.slots.Cap() {
			l.stats.slotPauses++
			a.pause(n, forever)
			return
		}
		sock, flow, err := l.drv.Accept(n.sock)
		switch {
		case err != nil && driver.Exhausted(err):
			l.stats.fdPauses++
			a.pause(n, l.drv.Now()+int64(pauseFor))
			return
		case err != nil: // this connection failed, the next one may not
			l.stats.acceptErrors++
			if n.failures++; n.failures > maxAcceptFailures {
				n.failures = 0
				l.stats.errorPauses++
				a.pause(n, l.drv.Now()+int64(pauseFor))
				return
			}
			continue
		}
		n.failures = 0
		if sock == 0 {
			if flow&driver.ReadBlocked != 0 {
				n.ready = false
				a.ready--
			}
			return
		}
		l.stats.accepted++
		if err := n.accept(sock); err != nil {
			l.stats.acceptErrors++
		}
	}
}

func (a *acceptor) pause(n *listener, until int64) {
	n.paused = true
	a.ready--
	a.resumeAt = min(a.resumeAt, until)
}

// resume lets all paused listeners try again.
func (a *acceptor) resume() {
	a.resumeAt = forever
	for i := range a.listeners {
		if n := &a.listeners[i]; n.paused {
			n.paused = false
			a.ready++
		}
	}
}

// finish accepts the connections that wait, as far as there is room for them, and then
// closes the listener: the kernel resets those that are left. Connections that come between
// the last accept and the close are left, too.
func (a *acceptor) finish(n *listener) {
	if !n.ready { // some may have come whose event has not
		if n.ready = true; !n.paused {
			a.ready++
		}
	}
	for n.ready && !n.paused {
		a.acceptFrom(n)
	}
	a.close(n)
}

func (a *acceptor) finishAll() {
	for i := range a.listeners {
		if n := &a.listeners[i]; n.sock != 0 {
			a.finish(n)
		}
	}
}

func (a *acceptor) close(n *listener) {
	a.loop.drv.Close(n.sock)
	if n.ready && !n.paused {
		a.ready--
	}
	*n = listener{gen: n.gen}
}

func (a *acceptor) closeAll() {
	for i := range a.listeners {
		if n := &a.listeners[i]; n.sock != 0 {
			a.close(n)
		}
	}
}
