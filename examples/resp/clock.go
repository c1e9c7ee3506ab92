package main

import (
	"math"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/timerwheel"
)

// The clock is a machine without a port that removes expired keys: it arms a timer for the
// next key's deadline. Keys have their own timer wheels, whose unit is nanoseconds since
// 1970; their deadlines are milliseconds since then.

const ticking = fsm.First

const tick reactor.Timer = 0

const (
	duePerTick  = 1000 // the most keys that one call removes
	clockGrain  = time.Millisecond
	nanosPerUs  = int64(time.Microsecond)
	nanosPerMs  = int64(time.Millisecond)
	neverMillis = math.MaxInt64 / nanosPerMs
)

type (
	earlier struct{} // message: a key got a deadline earlier than the armed one
	clock   struct {
		*server
		expiry   *expiry
		mostKeys int  // since memory was freed last
		many     bool // there were freeFrom keys since the last time without any
	}
	clockCx = reactor.Context[earlier]
)

func newClock() *reactor.Kind[clock, earlier] {
	return reactor.Must(reactor.NewKind("clock",
		reactor.Options{Timers: []reactor.TimerSpec{tick: {Name: "tick"}}, Mailbox: 1, Queue: 1, MaxMachines: 1},
		reactor.Table[clock, earlier]{
			fsm.Any: {Shutdown: fsm.Stop},
			ticking: {Name: "ticking", Idle: fsm.Never, OnMessage: (*clock).rearm, OnTimer: (*clock).tick},
		}))
}

func (c *clock) rearm(cx *clockCx, _ *earlier) fsm.State { return c.arm(cx) }

func (c *clock) tick(cx *clockCx, _ reactor.Fired) fsm.State {
	now := c.now(cx.Now())
	c.expiry.advance(now * nanosPerUs)
	for range duePerTick {
		node, ok := c.expiry.expired()
		if !ok {
			break
		}
		c.redis.Keys.Due(node, now/1000)
	}
	c.freeMemory()
	return c.arm(cx)
}

// freeFrom is how many keys there must have been for freeMemory to do anything.
const freeFrom = 100_000

// freeMemory returns memory to the system once most keys have expired, and again after the
// last one. The garbage collector runs when memory is allocated, so after a burst of keys it
// may not run for minutes.
func (c *clock) freeMemory() {
	keys := c.redis.Keys.Len()
	c.mostKeys = max(c.mostKeys, keys)
	c.many = c.many || keys >= freeFrom
	if c.many && (keys == 0 || keys < c.mostKeys/16) {
		c.many, c.mostKeys = keys > 0, keys
		freeMemory()
	}
}

// arm arms the timer for the next deadline, if there is one.
func (c *clock) arm(cx *clockCx) fsm.State {
	next, ok := c.expiry.next()
	c.expiry.armed = math.MaxInt64
	if !ok {
		return fsm.Stay
	}
	c.expiry.armed = next
	left := time.Duration(next - c.now(cx.Now())*nanosPerUs)
	return cx.Fail(cx.Arm(tick, max(left, clockGrain)))
}

// expiry implements store.Timers with timer wheels. A wheel has a fixed number of timers, so
// another is added when there are nodes with higher numbers than all wheels have.
type expiry struct {
	wheels []*timerwheel.Wheel
	each   uint32 // how many timers a wheel has: the first has those of nodes 0 to each-1
	now    int64  // the time of all wheels
	armed  int64  // the deadline that the clock's timer is armed for
	clock  reactor.Ref[earlier]
}

// newExpiry makes an expiry whose wheels begin at now, in microseconds since 1970.
func newExpiry(each int, now int64) (*expiry, error) {
	e := &expiry{each: uint32(each), now: now * nanosPerUs, armed: math.MaxInt64}
	return e, e.grow()
}

// grow adds a wheel.
func (e *expiry) grow() error {
	w, err := timerwheel.New(int(e.each), clockGrain, e.now)
	if err == nil {
		e.wheels = append(e.wheels, w)
	}
	return err
}

// timer returns a node's wheel and its number there.
func (e *expiry) timer(node uint32) (*timerwheel.Wheel, timerwheel.Timer) {
	return e.wheels[node/e.each], timerwheel.Timer(node % e.each)
}

func (e *expiry) Add(node uint32, deadline int64) {
	for int(node/e.each) >= len(e.wheels) {
		if err := e.grow(); err != nil {
			panic(err) // newExpiry would have failed with the same
		}
	}
	at := min(deadline, neverMillis) * nanosPerMs
	wheel, timer := e.timer(node)
	wheel.Add(timer, at)
	if at < e.armed {
		e.armed = at
		e.clock.Send(earlier{}) // if the mailbox is full, the message in it will do
	}
}

func (e *expiry) Cancel(node uint32) {
	wheel, timer := e.timer(node)
	wheel.Cancel(timer)
}

func (e *expiry) advance(now int64) {
	e.now = now
	for _, w := range e.wheels {
		w.Advance(now)
	}
}

// expired returns a node whose deadline has passed, if there is one.
func (e *expiry) expired() (node uint32, ok bool) {
	for i, w := range e.wheels {
		if timer, ok := w.Expired(); ok {
			return uint32(i)*e.each + uint32(timer), true
		}
	}
	return 0, false
}

// next returns the earliest deadline, if there is one.
func (e *expiry) next() (at int64, ok bool) {
	at = math.MaxInt64
	for _, w := range e.wheels {
		if next, some := w.Next(); some {
			at, ok = min(at, next), true
		}
	}
	return at, ok
}
