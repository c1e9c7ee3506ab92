package reactor

import (
	"sync"
	"sync/atomic"
)

// control is what other goroutines share with a loop: functions to run on its
// goroutine, and requests to end. It also has how far the loop's own life has come.
type control struct {
	mu      sync.Mutex
	posted  []func() // to run in the next turn
	started bool
	stepped bool // by a Stepper, whose goroutine is the loop's
	ended   bool
	last    Stats // of a loop that has ended

	pending   atomic.Bool   // functions or requests wait
	requested atomic.Uint32 // requestShutdown, requestStop
	goid      atomic.Uint64 // of the goroutine that runs the loop; 0: none
	done      chan struct{} // closed when the loop has ended

	// The loop's own.
	shuttingDown bool // a shutdown was requested: no new connections
	ending       bool // everything is being stopped: no new machines
}

// Requests of other goroutines, in control.requested.
const (
	requestShutdown = 1 << iota
	requestStop
)

func (l *Loop) request(what uint32) {
	l.control.requested.Or(what)
	l.wakeForControl()
}

// post has f run on the loop's goroutine. It returns false if the loop has ended.
func (l *Loop) post(f func()) bool {
	l.control.mu.Lock()
	if l.control.ended {
		l.control.mu.Unlock()
		return false
	}
	l.control.posted = append(l.control.posted, f)
	l.control.mu.Unlock()
	l.wakeForControl()
	return true
}

func (l *Loop) wakeForControl() {
	l.control.pending.Store(true)
	l.sleeper.Wake()
}

// takePosted returns the functions that were posted.
func (c *control) takePosted() []func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	posted := c.posted
	c.posted = nil
	return posted
}

// handleControl does what other goroutines asked for.
func (l *Loop) handleControl() {
	l.control.pending.Store(false)
	for _, f := range l.control.takePosted() {
		f()
	}
	requested := l.control.requested.Load()
	if requested&requestShutdown != 0 && !l.control.shuttingDown {
		l.control.pending.Store(true) // for the case that a handler panics: the turn comes back here
		l.beginShutdown()
	}
	if requested&requestStop != 0 {
		l.control.pending.Store(true) // likewise for an OnExit
		l.stopAll()
	}
}

// beginShutdown marks every machine: it takes its row's Shutdown transition once nothing is
// ready for it.
func (l *Loop) beginShutdown() {
	l.drainPending()
	l.control.shuttingDown = true
	l.acceptor.finishAll()
	for t, h := range l.slots.All() {
		if h.flags&mDead == 0 {
			h.flags |= mShuttingDown
			l.queue.push(t.Index(), h)
		}
	}
}

// drainPending takes all messages and events that there are, more than those of one
// turn, so that no machine looks idle to a shutdown that came after them.
func (l *Loop) drainPending() {
	for _, b := range l.stores {
		b.deliver(b.opt.Queue)
	}
	for range l.cfg.Slots/len(l.turn.events) + 1 {
		n := l.collect(0)
		for _, ev := range l.turn.events[:n] {
			l.dispatch(ev)
		}
		if n < len(l.turn.events) {
			return
		}
	}
}

// stopAll stops every machine now: its exit handlers run, its output gets one try, and
// everything is closed.
func (l *Loop) stopAll() {
	l.control.shuttingDown, l.control.ending = true, true
	l.acceptor.closeAll()
	for t, h := range l.slots.All() {
		if h.flags&(mDead|mStopping) == 0 {
			l.call.reason = ErrShutdown
			l.stop(t.Index(), h)
		}
		if h.flags&mDead == 0 {
			l.end(t.Index(), h)
		}
	}
}
