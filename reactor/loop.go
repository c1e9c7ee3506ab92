package reactor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stator-go/stator/mailbox"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/internal/osdriver"
	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/slab"
	"github.com/stator-go/stator/timerwheel"
)

const (
	forever     = math.MaxInt64
	scratchSize = 64 << 10
)

// Loop waits for readiness, deadlines, messages and signals, and feeds them to
// machines, all on one goroutine. Spawn, Listen, Adopt, Send, Shutdown and Stats
// may be called from any goroutine; all else happens in handlers.
type Loop struct {
	cfg Config
	id  uint8
	drv driver.Driver
	os  *osdriver.Driver // drv, when it is the operating system's: a concrete type lets buffers stay on stacks

	witness Witness // cfg.Observer, when it is one
	slots   *slab.Slab[header]
	wheel   *timerwheel.Wheel
	stores  []*base
	byKind  map[any]any // *Kind -> *store
	timers  timerTable
	watches watches
	pool    pool
	errs    errTable

	// One turn.
	now      int64
	events   []poll.Event
	event    int // the next one of them
	found    int
	phase    phase
	finished bool
	runFirst uint32
	runLast  uint32
	runLen   int
	runLeft  int
	kindAt   int      // the next kind to receive
	overdue  []uint32 // machines that were silent too long, and run first
	graves   []uint32

	// One call of a handler.
	calling   uint32 // the machine's index+1 while its handler runs
	crashed   uint32 // the machine's index+1 after its handler panicked
	crashedBy error
	progress  bool
	peeked    uint8 // ports whose input the handler looked at and did not take
	reason    error
	cork      []byte
	corked    int
	corkOf    corkOf
	copying   []byte
	relay     []byte // Copy's
	vec       driver.Vec

	listeners []listener
	accepting int       // listeners with connections waiting and not paused
	resumeAt  int64     // when paused listeners try again
	starved   []starved // machines that Config.Buffers refused
	feedBelow int       // one of them is served when less is lent; 0: none
	doors     doors
	lookups   []lookup
	notified  []subscription
	signalled Signals // being told
	signalAt  int     // the next subscription

	// Shared with other goroutines.
	sleeper *mailbox.Sleeper
	mu      sync.Mutex
	calls   []func()
	signals atomic.Uint64 // Signals that came and are not told
	control atomic.Bool   // calls, shutdown or stop are pending
	asked   atomic.Uint32
	started bool
	stepped bool // by a Stepper: its goroutine is the loop's
	ended   bool
	gone    chan struct{}
	goid    atomic.Uint64
	leaving bool // Shutdown was asked for
	ending  bool // nothing new any more
	stats   counters
	last    Stats // of a loop that has ended
}

// What other goroutines ask of a loop, in Loop.asked.
const (
	askShutdown = 1 << iota
	askStop
)

// NewLoop makes a loop; nothing is allocated for its limits before they are used,
// but for the address space.
func NewLoop(cfg Config) (*Loop, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	l := &Loop{
		cfg: cfg, byKind: map[any]any{}, gone: make(chan struct{}),
		events: make([]poll.Event, cfg.Events), pool: newPool(cfg.Buffers, scratchSize),
		cork: make([]byte, scratchSize), resumeAt: forever,
	}
	l.witness, _ = cfg.Observer.(Witness)
	var err error
	if l.id, err = loops.take(l); err != nil {
		return nil, err
	}
	if err := l.open(); err != nil {
		loops.give(l.id)
		return nil, fmt.Errorf("reactor: new loop: %w", err)
	}
	return l, nil
}

func (l *Loop) open() (err error) {
	if l.slots, err = slab.New[header](l.id, l.cfg.Slots); err != nil {
		return err
	}
	if l.drv = l.cfg.Driver; l.drv == nil {
		if l.os, err = osdriver.New(l.cfg.Slots); err != nil {
			return err
		}
		l.drv = l.os
	}
	l.now = l.drv.Now()
	l.sleeper = mailbox.NewSleeper(l.drv.Wake)
	l.watches.most = l.cfg.Monitors
	l.timers = newTimerTable(l.cfg.Slots, l.cfg.Timers)
	l.wheel, err = timerwheel.New(l.cfg.Slots+l.cfg.Timers, l.cfg.Resolution, l.now)
	if err != nil {
		l.drv.End()
	}
	return err
}

// Run runs the loop until ctx ends, or a Shutdown is done. It returns with every
// descriptor closed: nil after a Shutdown, else the context's cause. When ctx
// ends, each machine is stopped as if it had answered Stop, with one try to send
// what it wrote; Shutdown is the patient way.
//
// Handlers run on a goroutine of Run's own, so that a Goexit in one ends its
// machine and not the loop.
func (l *Loop) Run(ctx context.Context) error {
	if err := l.begin(); err != nil {
		return err
	}
	return l.run(ctx)
}

func (l *Loop) begin() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.started || l.ended {
		return fmt.Errorf("reactor: run: %w", ErrRunning)
	}
	l.started = true
	return nil
}

func (l *Loop) run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { l.ask(askStop) })()
	for !l.work() {
	}
	if l.asked.Load()&askStop != 0 && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Serve runs the loop until ctx ends, a program's signals say, and then shuts it
// down within grace, better above the kinds' Options.Linger. It returns nil when every
// machine came to its end by then.
func (l *Loop) Serve(ctx context.Context, grace time.Duration) error {
	if err := l.begin(); err != nil { // before a context that has ended shuts it down
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

// Close frees a loop that was never run, or stops one that runs. ErrInHandler in a
// handler, of whatever loop.
func (l *Loop) Close() error {
	l.mu.Lock()
	if !l.started {
		l.started = true
		l.mu.Unlock()
		l.closeListeners() // what waits there is nobody's
		l.ask(askStop)
		for !l.work() {
		}
		return nil
	}
	l.mu.Unlock()
	if l.stepped || loops.handling() {
		return fmt.Errorf("reactor: close: %w", ErrInHandler)
	}
	l.ask(askStop)
	<-l.gone
	return nil
}

// Shutdown asks every machine to take its state's Shutdown edge as soon as nothing
// is ready for it and what it was sent before is handled, accepts no more
// connections, and waits until the loop has ended. When ctx ends first, what is
// left is stopped, and the context's cause returned. ErrInHandler in a handler, of
// whatever loop.
func (l *Loop) Shutdown(ctx context.Context) error {
	l.mu.Lock()
	started := l.started
	l.mu.Unlock()
	if !started {
		return l.Close()
	}
	if l.stepped || loops.handling() {
		return fmt.Errorf("reactor: shutdown: %w", ErrInHandler)
	}
	l.ask(askShutdown)
	select {
	case <-l.gone:
		return nil
	case <-ctx.Done():
		l.ask(askStop)
		<-l.gone
		return context.Cause(ctx)
	}
}

func (l *Loop) ask(what uint32) {
	l.asked.Or(what)
	l.control.Store(true)
	l.sleeper.Wake()
}

// work runs turns until the loop ends, or, answering false, until a handler's
// Goexit ended the goroutine.
func (l *Loop) work() bool {
	done := make(chan bool)
	go func() {
		over := false
		defer func() { done <- over }()
		l.goid.Store(goroutineID())
		for !over {
			over = l.turn()
		}
	}()
	return <-done
}

// obey does what other goroutines asked for.
func (l *Loop) obey() {
	l.control.Store(false)
	l.mu.Lock()
	calls := l.calls
	l.calls = nil
	l.mu.Unlock()
	for _, f := range calls {
		f()
	}
	asked := l.asked.Load()
	if asked&askShutdown != 0 && !l.leaving {
		l.control.Store(true) // a panic in a handler comes back here
		l.hear()
		l.leaving = true
		l.closeListeners()
		for t, h := range l.slots.All() {
			if h.flags&dead == 0 {
				h.flags |= leaving
				l.queue(t.Index(), h)
			}
		}
	}
	if asked&askStop != 0 {
		l.control.Store(true) // a panic in an Exit comes back here
		l.stopAll()
	}
}

// hear takes all messages and events that there are, more than a turn's, so that
// nothing looks idle to a shutdown that has some before it.
func (l *Loop) hear() {
	for _, b := range l.stores {
		b.deliver(b.opt.Inflow)
	}
	for range l.cfg.Slots/len(l.events) + 1 {
		n := l.collect(0)
		for _, ev := range l.events[:n] {
			l.ready(ev)
		}
		if n < len(l.events) {
			return
		}
	}
}

// stopAll stops every machine now: Exit runs, one try to send, all is closed.
func (l *Loop) stopAll() {
	l.leaving, l.ending = true, true
	l.closeListeners()
	for t, h := range l.slots.All() {
		if h.flags&(dead|stopping) == 0 {
			l.reason = ErrShutdown
			l.stop(t.Index(), h)
		}
		if h.flags&dead == 0 {
			l.die(t.Index(), h)
		}
	}
}

// finish closes what is left when no machine is: the loop is over.
func (l *Loop) finish() {
	l.ending = true
	l.bury()
	l.reopen() // no inbox lists a door of a loop that is over
	for _, b := range l.stores {
		b.closeInbox()
	}
	l.mu.Lock()
	l.ended, l.last = true, l.counted()
	calls := l.calls
	l.calls = nil
	l.mu.Unlock()
	for _, f := range calls {
		f() // admit answers ErrClosed
	}
	l.drv.End()
	loops.give(l.id)
	close(l.gone)
}
