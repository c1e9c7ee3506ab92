package reactor

import (
	"errors"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/sig"
)

// A machine's life. What depends on its types is in store.go, in the same order.
//
//	admit         gives it a slot                       spawn       copies the prototype
//	                                                    enterFirst  enters its first state
//	                                                    run         calls OnReady, turn by turn
//	                                                    answer      takes what a handler returned
//	enteredState  starts the deadlines of a state       move        changes the state
//	settle        follows a call: deadlines, a run for its output
//	stop          ends it: its ports close (linger.go)  runExits    runs OnExit
//	end, reap     free its slot                         freeEntry   forgets it

// header is what the loop knows about a machine. With the slab's 8 bytes it is one cache
// line. It has no pointers, so the garbage collector does not look at it.
type header struct {
	next      uint32 // the machine behind it in the run queue, as index+1
	local     uint32 // its entry in the store of its kind
	kind      uint16 // index of Loop.stores
	ready     uint16 // fsm.Ready without gates: what came and was not used up
	flags     machineFlags
	withinAt  int64  // when Within ends the stay; of a stopping machine, when Linger ends
	activeAt  int64  // when a byte came in, or a message was handled
	lifeAt    int64  // when row Any's Within ends the machine; of a stopping machine, how many bytes of input it still discards
	timers    uint32 // its first group of named timers, as number+1
	stash     uint32 // first stashed message, a number of its store's
	stashLast uint32
	spinCount uint16 // transitions since the last progress
	state     uint8
	gates     uint8 // fsm.Gate: the open ones
}

// machineFlags are conditions of a machine.
type machineFlags uint32

const (
	mQueued          machineFlags = 1 << iota
	mNewborn                      // OnEnter of row Any has not run
	mDead                         // to be freed at the end of the turn
	mStopping                     // OnExit has run, output is being sent
	mExiting                      // OnExit of the state has begun: it runs once per stay, even if it panics
	mExitingAny                   // OnExit of row Any has begun
	mNoProgress                   // its last call made no progress: it waits for something new
	mErrorPending                 // an error came outside of a call: its Fail transition is to be taken
	mShuttingDown                 // a shutdown was requested
	mRestash                      // its state changed: stashed messages are to be delivered again
	mRearm                        // a deadline may be earlier than its node in the timer wheel
	mRefused                      // a write or post was refused: its input is shown again when there may be room
	mWaitsForBuffers              // it is one of Loop.buffers
	mSenderWoken                  // it was woken to post, and has not posted since
	mCut                          // its output is cut: peers are to find resets, and not ends
	mUnsent                       // it wrote output that no send was tried for
	mReshow                       // a port has something for another state: input that was seen, or an error
	mDialing                      // a port may give up the address that it tries for the next one of its name
)

// mAttention are the conditions that run looks at before readiness.
const mAttention = mNewborn | mErrorPending | mShuttingDown | mRestash | mStopping

// base is the part of a store that does not depend on types.
type base struct {
	handlers
	loop        *Loop
	name        string
	number      uint16
	opt         *Options
	rows        []rowInfo
	handlesDown bool // every state has an OnDown handler
	full        *fullErrors
	nports      uint32
	ports       []port // nports per entry
	unused      []uint32
	used        uint32 // entries from here on were never used
	live        int
	most        int
	plenty      int // as plentyOf returns it
}

// handlers is the part of a store that depends on types, as the loop sees it.
type handlers interface {
	run(x uint32, h *header)
	follow(x uint32, h *header, to State, why error)
	fired(x uint32, h *header, t Fired)
	signalled(x uint32, h *header, set sig.Set)
	down(x uint32, h *header, d Down)
	deliver(most int)
	closeInbox()
	inboxEmpty() bool
	runExits(x uint32, h *header)
	closeMailbox(x uint32, h *header)
	freeEntry(local uint32)
	anyKind() AnyKind
}

// admit gives a new machine a slot and an entry. Its OnEnter runs when its turn comes.
func (b *base) admit() (uint32, *header, error) {
	l := b.loop
	switch {
	case l.control.ending:
		return 0, nil, ErrClosed
	case b.live == b.most:
		return 0, nil, ErrFull
	}
	t, h, err := l.slots.Insert()
	if err != nil {
		return 0, nil, ErrFull
	}
	if n := len(b.unused); n > 0 {
		h.local, b.unused = b.unused[n-1], b.unused[:n-1]
	} else {
		h.local = b.used
		b.used++
	}
	b.live++
	h.kind = b.number
	h.gates = uint8(fsm.AllGates)
	h.flags = mNewborn | mRearm
	if l.control.shuttingDown {
		h.flags |= mShuttingDown
	}
	return t.Index(), h, nil
}

// enteredState sets the state of a machine, stops the timers that do not go on in it, and
// starts its deadlines.
func (l *Loop) enteredState(x uint32, h *header, to State) {
	b := l.stores[h.kind]
	h.state = uint8(to)
	h.flags &^= mNoProgress | mExiting
	if h.stash != 0 && !b.rows[to].defers {
		h.flags |= mRestash
		l.queue.push(x, h)
	}
	if h.timers != 0 {
		l.cullTimers(h, b, to)
	}
	l.showAgain(h)
	row := &b.rows[to]
	h.withinAt = forever
	if row.within.Runs() || row.idle.Runs() {
		now := l.drv.Now()
		h.withinAt = after(now, row.within.D)
		h.activeAt = now
	}
	h.flags |= mRearm // the new deadlines may be earlier than the armed one
}

// settle follows a call that did not come from run: what follows each last call is done, and
// the machine is queued if something is ready for it now, or if it wrote. So what it writes
// for all messages of the turn is sent once, by its run.
func (l *Loop) settle(x uint32, h *header) {
	if !l.endCalls(x, h) {
		return
	}
	if h.flags&mUnsent != 0 {
		l.queue.push(x, h)
	}
	l.schedule(x, h)
}

// endCalls follows the last call of a machine: its input leaves the loop's scratch chunk, its
// deadlines are armed. It reports whether the machine lives on.
func (l *Loop) endCalls(x uint32, h *header) bool {
	if l.pool.chunks[scratchNum].w != 0 {
		l.leaveScratch(h)
	}
	if h.flags&(mDead|mStopping) != 0 {
		return false
	}
	if h.flags&mErrorPending != 0 {
		l.queue.push(x, h)
	}
	if h.flags&mWaitsForBuffers != 0 {
		l.buffers.update(x, h)
	}
	if h.flags&mRearm != 0 {
		l.arm(x, h)
	}
	return true
}

// stop ends a machine: its OnExit handlers run, what it wrote is sent within Linger, its
// ports close, and its slot is free in the next turn.
func (l *Loop) stop(x uint32, h *header) {
	b := l.stores[h.kind]
	reason := l.call.reason
	b.runExits(x, h)
	l.call.reason = nil
	l.flush(h)
	h.flags |= mStopping
	h.flags &^= mNewborn | mErrorPending
	l.dropTimers(h)
	b.closeMailbox(x, h)
	l.notifyMonitors(x, reason)
	l.call.machine = x + 1 // code of the user's runs: an error's Is, OnEnd, and the observer
	if reason != nil && !errors.Is(reason, ErrShutdown) {
		l.stats.failed++
		l.noteCut(x, h, reason)
	}
	if b.opt.OnEnd != nil {
		b.opt.OnEnd(l.slots.TokenAt(x), reason)
	}
	if o := l.cfg.Observer; o != nil {
		o.Ended(l.slots.TokenAt(x), b.anyKind(), reason)
	} else if b.opt.OnEnd == nil {
		logBug(b.name, reason)
	}
	l.call.machine = 0
	l.beginLinger(h)
	l.closeStalled(x, h)
	l.drainPorts(x, h)
}

// end closes the ports that are open, and marks the slot. It is freed at the turn's end.
func (l *Loop) end(x uint32, h *header) {
	if h.flags&mDead != 0 {
		return
	}
	b := l.stores[h.kind]
	for p := Port(0); uint32(p) < b.nports; p++ {
		if pt := b.port(h, p); pt.flags&pOpen != 0 {
			l.closePort(x, h, p, pt)
		}
	}
	h.flags |= mDead | mStopping
	l.wheel.Cancel(timerOf(x))
	l.dropTimers(h)
	l.senders.remove(x, h)
	b.closeMailbox(x, h)
	l.turn.ended = append(l.turn.ended, x)
}

// reap frees the slots of machines that have ended and left the run queue.
func (l *Loop) reap() {
	if len(l.turn.ended) == 0 {
		return
	}
	keep := l.turn.ended[:0]
	for _, x := range l.turn.ended {
		h := l.slots.At(x)
		if h.flags&mQueued != 0 {
			keep = append(keep, x)
			continue
		}
		b := l.stores[h.kind]
		b.freeEntry(h.local)
		l.slots.Remove(l.slots.TokenAt(x))
		l.acceptor.resume()
	}
	l.turn.ended = keep
}

// live returns the machine that a token means, or nil if it has ended.
func (l *Loop) live(t Token) *header {
	h := l.slots.Get(t)
	if h == nil || h.flags&mDead != 0 {
		return nil
	}
	return h
}
