package reactor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/stator-go/stator/mailbox"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/internal/osdriver"
	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/slab"
	"github.com/stator-go/stator/timerwheel"
)

// forever is a time that does not come.
const forever = math.MaxInt64

// Loop waits for readiness, deadlines, messages and signals, and calls the handlers of
// machines for them, all on one goroutine. Its methods, Kind's methods with a Host, and
// Ref.Send may be called from any goroutine; everything else happens in handlers.
type Loop struct {
	cfg    Config
	id     uint8
	drv    driver.Driver
	os     *osdriver.Driver // drv, if it is the operating system's
	tracer Tracer           // cfg.Observer, if it is one

	// The machines, and what they own besides their ports.
	slots  *slab.Slab[header]
	stores []*base
	byKind map[any]any // *Kind to *store
	wheel  *timerwheel.Wheel
	timers timerTable
	pool   pool
	errs   errTable

	// What runs now.
	turn    turn
	queue   runQueue
	call    currentCall
	scratch scratch

	// What waits.
	acceptor acceptor
	buffers  bufferWaiters
	senders  senders
	dials    dials
	monitors monitors
	signals  signals

	sleeper *mailbox.Sleeper // wakes the loop from other goroutines
	control control
	stats   counters
}

// NewLoop makes a loop. It reserves address space for the limits of cfg, and uses memory
// only as machines come. On Unix and Windows its tables lie outside of the Go heap: neither
// GOGC nor GOMEMLIMIT counts them. Machines, messages and buffers are in the heap. A loop
// that is never run must be closed.
//
// The error says which field of cfg is out of its range, or that a loop that has not ended
// has Config.ID. It is ErrFull if 255 loops of the process have not ended, ErrUnsupported if
// there is no driver for the system, or the system's.
func NewLoop(cfg Config) (*Loop, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	l := &Loop{cfg: cfg, byKind: map[any]any{}, pool: newPool(cfg.Buffers, takeScratch())}
	l.tracer, _ = cfg.Observer.(Tracer)
	l.turn.events = make([]poll.Event, cfg.Events)
	l.control.done = make(chan struct{})
	l.acceptor = acceptor{loop: l, resumeAt: forever}
	l.buffers.loop, l.senders.loop, l.dials.loop, l.signals.loop = l, l, l, l
	l.monitors.limit = cfg.Monitors
	l.dials.lookups.limit = cfg.Lookups
	var err error
	if l.id, err = loops.register(l); err != nil {
		return nil, err
	}
	if err := l.open(); err != nil {
		loops.unregister(l.id)
		return nil, fmt.Errorf("reactor: new loop: %w", err)
	}
	return l, nil
}

func (l *Loop) open() (err error) {
	if l.slots, err = slab.NewOffHeap[header](l.id, l.cfg.Slots); err != nil {
		return err
	}
	l.queue.slots = l.slots
	if l.drv = l.cfg.Driver; l.drv == nil {
		if l.os, err = osdriver.New(l.cfg.Slots); err != nil {
			return err
		}
		l.drv = l.os
	}
	l.turn.now = l.drv.Now()
	l.sleeper = mailbox.NewSleeper(l.drv.Wake)
	l.timers = newTimerTable(l, l.cfg.Slots, l.cfg.Timers)
	l.wheel, err = timerwheel.New(l.cfg.Slots+l.cfg.Timers, l.cfg.Resolution, l.turn.now)
	if err != nil {
		l.drv.End()
	}
	return err
}

// Run runs the loop until ctx ends, or Shutdown or Close ends it, and returns when every
// descriptor is closed. When ctx ends, each machine is stopped as if it had returned
// fsm.Stop, with one try to send what it wrote. Shutdown gives machines time to finish.
//
// The error is nil after Shutdown or Close, context.Cause(ctx) after the end of ctx, and
// ErrRunning if the loop runs already or has ended. If Driver.Wait fails, the loop panics.
//
// Handlers run on a goroutine of Run's own, so that a Goexit in a handler ends its machine
// and not the caller.
func (l *Loop) Run(ctx context.Context) error {
	if err := l.begin(); err != nil {
		return err
	}
	return l.run(ctx)
}

func (l *Loop) begin() error {
	l.control.mu.Lock()
	defer l.control.mu.Unlock()
	if l.control.started || l.control.ended {
		return fmt.Errorf("reactor: run: %w", ErrRunning)
	}
	l.control.started = true
	return nil
}

func (l *Loop) run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { l.request(requestStop) })()
	for !l.work() {
	}
	if l.control.requested.Load()&requestStop != 0 && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Serve runs the loop until ctx ends, and then shuts it down within grace. Grace should be
// longer than the kinds' Options.Linger. With signal.NotifyContext, ctx ends at a signal.
//
// The error is nil if every machine had ended within grace, or if Shutdown or Close ended
// the loop before. If machines were left, they were stopped, and errors.Is finds
// context.DeadlineExceeded. ErrRunning is as for Run.
func (l *Loop) Serve(ctx context.Context, grace time.Duration) error {
	if err := l.begin(); err != nil { // first, as the context may have ended already
		return err
	}
	late := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		patience, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		late <- l.Shutdown(patience)
	})
	err := l.run(context.Background())
	if !stop() && err == nil {
		if err = <-late; errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("reactor: machines were left after the grace of %v: %w", grace, err)
		}
	}
	return err
}

// Close frees a loop that was never run, or stops one that runs as the end of Run's context
// does, and returns when it has ended. The error is ErrInHandler if the loop runs and a
// handler, of any loop, calls Close, or if a Stepper runs the loop. Otherwise it is nil, also
// if the loop had ended.
func (l *Loop) Close() error {
	l.control.mu.Lock()
	if !l.control.started {
		l.control.started = true
		l.control.mu.Unlock()
		l.acceptor.closeAll() // without accepting what waits
		l.request(requestStop)
		for !l.work() {
		}
		return nil
	}
	l.control.mu.Unlock()
	if l.control.stepped || loops.inHandler() {
		return fmt.Errorf("reactor: close: %w", ErrInHandler)
	}
	l.request(requestStop)
	<-l.control.done
	return nil
}

// Shutdown leads every machine where its row's Shutdown says, as soon as nothing is ready
// for it and messages that were sent before are handled. No more connections are accepted.
// Shutdown returns when the loop has ended. A loop that was never run is closed.
//
// The error is nil if every machine ended by itself. If ctx ends first, the machines that
// are left are stopped, and the error is context.Cause(ctx). ErrInHandler is as for Close.
func (l *Loop) Shutdown(ctx context.Context) error {
	l.control.mu.Lock()
	started := l.control.started
	l.control.mu.Unlock()
	if !started {
		return l.Close()
	}
	if l.control.stepped || loops.inHandler() {
		return fmt.Errorf("reactor: shutdown: %w", ErrInHandler)
	}
	l.request(requestShutdown)
	select {
	case <-l.control.done:
		return nil
	case <-ctx.Done():
		l.request(requestStop)
		<-l.control.done
		return context.Cause(ctx)
	}
}

// work runs turns on a goroutine of its own. It returns true when the loop has ended,
// and false when a handler's Goexit has ended the goroutine.
func (l *Loop) work() bool {
	done := make(chan bool)
	go func() {
		over := false
		defer func() { done <- over }()
		l.control.goid.Store(goroutineID())
		for !over {
			over = l.runTurn()
		}
	}()
	return <-done
}

// finish ends the loop, after its last machine.
func (l *Loop) finish() {
	l.control.ending = true
	l.reap()
	l.senders.wake() // so that no mailbox lists a queue of a loop that has ended
	for _, b := range l.stores {
		b.closeInbox()
	}
	l.control.mu.Lock()
	l.control.ended, l.control.last = true, l.counted()
	l.control.mu.Unlock()
	for _, f := range l.control.takePosted() {
		f() // no machine is admitted any more: ErrClosed
	}
	l.drv.End()
	giveScratch(l.pool.chunks[scratchNum].b)
	giveScratch(l.scratch.copied)
	giveScratch(l.scratch.relayed)
	l.pool, l.scratch = pool{}, scratch{} // a loop that is kept keeps no buffers
	loops.unregister(l.id)
	close(l.control.done)
}
