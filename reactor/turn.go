package reactor

import (
	"fmt"
	"runtime"
)

// turn is one round of the loop: wait, then the phases in their order. It tells
// whether the loop has ended.
func (l *Loop) turn() bool {
	if l.phase == waiting {
		l.wait()
		l.phase++
	}
	for !l.phases() {
	}
	l.phase = waiting
	if l.hungers() {
		l.feed()
	}
	l.bury()
	if l.leaving && l.slots.Len() == 0 || l.ending {
		l.finish()
		return true
	}
	return false
}

type phase uint8

const (
	waiting phase = iota
	readiness
	deadlines
	controlling
	messages
	signalling
	running
	over
)

// phases runs what is left of the turn. A handler's panic ends its machine and
// the call; the next call goes on behind it.
func (l *Loop) phases() bool {
	defer l.caught()
	l.finished = false
	if l.crashed != 0 {
		l.bail()
	}
	for ; l.phase < over; l.phase++ {
		switch l.phase {
		case readiness:
			for l.event < l.found {
				l.event++
				l.ready(l.events[l.event-1])
			}
			if l.accepting > 0 {
				l.acceptAll()
			}
		case deadlines:
			l.expire()
		case controlling:
			if l.control.Load() {
				l.obey()
			}
			if l.watches.due != 0 {
				l.tellDowns()
			}
		case messages:
			l.receive()
		case signalling:
			if l.signalled != 0 || l.signals.Load() != 0 {
				l.signal()
			}
			l.runLeft = l.runLen
		case running:
			for l.runLeft > 0 && l.runFirst != 0 {
				l.runLeft--
				x, h := l.dequeue()
				l.stores[h.kind].run(x, h)
			}
			l.lapseOverdue()
		}
	}
	l.finished = true
	return true
}

// caught ends the machine whose handler panicked, or called Goexit. A panic of
// the loop's own goes on.
func (l *Loop) caught() {
	if l.finished {
		return
	}
	if l.calling == 0 {
		return // not a handler's: let it crash
	}
	v := recover()
	h := l.slots.At(l.calling - 1)
	b := l.stores[h.kind]
	l.crashed, l.calling = l.calling, 0
	l.stats.panics++
	stack := make([]byte, 8<<10)
	stack = stack[:runtime.Stack(stack, false)]
	l.crashedBy = &PanicError{Kind: b.name, State: b.rows[h.state].name, Value: v, Stack: stack}
}

// bail ends the machine that crashed: what it wrote is not flushed. It runs under
// phases, as the machine's Exit may panic too; that one is not called again.
func (l *Loop) bail() {
	x := l.crashed - 1
	l.crashed, l.peeked = 0, 0
	h := l.slots.At(x)
	if h.flags&stopping == 0 {
		l.reason = l.crashedBy
		b := l.stores[h.kind]
		for p := Port(0); uint32(p) < b.nports; p++ {
			l.dropOutput(b.port(h, p))
		}
		l.stop(x, h)
	}
	if h.flags&dead == 0 {
		l.die(x, h)
	}
}

// wait collects events: at once while there is work, else until the next deadline.
func (l *Loop) wait() {
	l.event = 0
	until := l.until()
	if until != 0 {
		l.took(l.drv.Now())
		// Publish first, look again after: whoever comes later, wakes.
		if l.sleeper.Asleep(); !l.idle() {
			until = 0
		}
		l.found = l.collect(until)
		l.sleeper.Awake()
		l.stats.parks++
		l.now = l.drv.Now()
	} else {
		l.found = l.collect(0)
		now := l.drv.Now()
		l.took(now)
		l.now = now
	}
	l.stats.turns++
}

// took notes how long the turn that ends now kept all others waiting.
func (l *Loop) took(now int64) {
	if l.stats.turns > 0 && !l.stepped { // a stepped loop may rest between its turns
		l.stats.longest = max(l.stats.longest, now-l.now)
	}
}

func (l *Loop) collect(until int64) int {
	n, err := l.drv.Wait(l.events, until)
	if err != nil {
		panic(fmt.Errorf("reactor: wait: %w", err)) // the driver is broken: nothing can go on
	}
	return n
}

// until is when the loop has to be up again; 0 is at once.
func (l *Loop) until() int64 {
	if l.runLen > 0 || l.accepting > 0 || len(l.graves) > 0 || l.watches.due != 0 || l.hungers() || !l.idle() {
		return 0
	}
	at := l.resumeAt
	if next, ok := l.wheel.Next(); ok {
		at = min(at, next)
	}
	if at <= l.now {
		return 0
	}
	return at
}

// idle looks whether other goroutines left something.
func (l *Loop) idle() bool {
	if l.control.Load() || l.doors.knocked.Load() != nil || l.signals.Load() != 0 {
		return false
	}
	for _, b := range l.stores {
		if !b.inboxEmpty() {
			return false
		}
	}
	return true
}
