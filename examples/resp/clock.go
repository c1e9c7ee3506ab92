package main

import (
	"math"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/timerwheel"
)

// The clock is a machine without a port: it sleeps until the next key's deadline
// and removes the keys whose time has come. Keys have a wheel of their own, whose
// times are nanoseconds since 1970, as their deadlines are milliseconds since then.

const ticking = fsm.First

const tick reactor.Timer = 0

const (
	duePerTick  = 1000 // keys removed a call
	clockGrain  = time.Millisecond
	nanosPerUs  = int64(time.Microsecond)
	nanosPerMs  = int64(time.Millisecond)
	neverMillis = math.MaxInt64 / nanosPerMs
)

type (
	sooner struct{} // a deadline came in that is earlier than the one slept for
	clock  struct {
		*server
		expiry *expiry
	}
	clockCx = reactor.Context[sooner]
)

func newClock() *reactor.Kind[clock, sooner] {
	return reactor.Must(reactor.NewKind("clock",
		reactor.Options{Timers: []reactor.TimerSpec{tick: {Name: "tick"}}, Mailbox: 1, Queue: 1, MaxMachines: 1},
		reactor.Table[clock, sooner]{
			fsm.Any: {Shutdown: fsm.Stop},
			ticking: {Name: "ticking", Idle: fsm.Never, OnMessage: (*clock).sooner, OnTimer: (*clock).tick},
		}))
}

func (c *clock) sooner(cx *clockCx, _ *sooner) fsm.State { return c.sleep(cx) }

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
	return c.sleep(cx)
}

func (c *clock) sleep(cx *clockCx) fsm.State {
	next, ok := c.expiry.wheel.Next()
	c.expiry.armed = math.MaxInt64
	if !ok {
		return fsm.Stay
	}
	c.expiry.armed = next
	left := time.Duration(next - c.now(cx.Now())*nanosPerUs)
	return cx.Fail(cx.Arm(tick, max(left, clockGrain)))
}

// expiry is store.Timers over the wheel.
type expiry struct {
	wheel *timerwheel.Wheel
	most  uint32 // nodes that have a timer: those below
	armed int64  // what the clock sleeps for
	clock reactor.Ref[sooner]
}

// newExpiry begins at a time in microseconds since 1970.
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
		e.clock.Send(sooner{}) // full means that one is on its way
	}
}

func (e *expiry) Cancel(node uint32) {
	if node < e.most {
		e.wheel.Cancel(timerwheel.Timer(node))
	}
}
