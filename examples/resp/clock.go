package main

import (
	"math"
	"runtime/debug"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/timerwheel"
)

// The clock is a machine without a port that removes expired keys: it arms a timer for the
// next key's deadline. Keys have their own timer wheel, whose unit is nanoseconds since
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
	c.expiry.wheel.Advance(now * nanosPerUs)
	for range duePerTick {
		node, ok := c.expiry.wheel.Expired()
		if !ok {
			break
		}
		c.redis.Keys.Due(uint32(node), now/1000)
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
		go debug.FreeOSMemory()
	}
}

// arm arms the timer for the next deadline, if there is one.
func (c *clock) arm(cx *clockCx) fsm.State {
	next, ok := c.expiry.wheel.Next()
	c.expiry.armed = math.MaxInt64
	if !ok {
		return fsm.Stay
	}
	c.expiry.armed = next
	left := time.Duration(next - c.now(cx.Now())*nanosPerUs)
	return cx.Fail(cx.Arm(tick, max(left, clockGrain)))
}

// expiry implements store.Timers with a timer wheel.
type expiry struct {
	wheel *timerwheel.Wheel
	most  uint32 // nodes below this number can have a timer
	armed int64  // the deadline that the clock's timer is armed for
	clock reactor.Ref[earlier]
}

// newExpiry makes an expiry whose wheel begins at now, in microseconds since 1970.
func newExpiry(timers int, now int64) (*expiry, error) {
	w, err := timerwheel.New(timers, clockGrain, now*nanosPerUs)
	return &expiry{wheel: w, most: uint32(timers), armed: math.MaxInt64}, err
}

func (e *expiry) Add(node uint32, deadline int64) {
	if node >= e.most {
		return
	}
	at := min(deadline, neverMillis) * nanosPerMs
	e.wheel.Add(timerwheel.Timer(node), at)
	if at < e.armed {
		e.armed = at
		e.clock.Send(earlier{}) // if the mailbox is full, the message in it will do
	}
}

func (e *expiry) Cancel(node uint32) {
	if node < e.most {
		e.wheel.Cancel(timerwheel.Timer(node))
	}
}
