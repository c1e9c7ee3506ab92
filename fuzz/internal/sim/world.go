// Package sim runs traces: production loops over simulated drivers, with a peer for each
// connection and a clock of its own.
//
// All of it happens on one goroutine, so that a run depends on its trace alone. What
// happens is given to observers, as an Observation each; see there for what there is. The
// package judges nothing: it knows no oracle, no model and no report.
package sim

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"runtime/debug"
	"slices"
	"time"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

const forever = math.MaxInt64

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// Config says what a world has.
type Config struct {
	Setup     func(*World) error // wires machines, before each run
	Dict      trace.Dictionary
	WordsOnly bool // a peer whose word is cut, as there is no room, sends no other one
	Loops     int
	Conns     int                               // that peers dial; machines may begin as many
	Loop      reactor.Config                    // of each loop
	Peers     func(driver.Addr) Peer            // that machines find at an address that they dial; nil: one that accepts
	Backends  func(driver.Addr) Backend         // answers what machines send to an address that they dial; nil, or a nil Backend: the trace alone does
	Roles     Roles                             // of the addresses
	Faults    trace.Weights                     // of the traces to come; those of the run's end that are off do not happen
	Names     map[string][]string               // IP addresses of host names that machines dial
	Wrap      func(driver.Driver) driver.Driver // what tests put between a loop and its driver; nil: nothing
}

// World runs traces, one after the other.
type World struct {
	now      int64
	depth    int
	at       int // events that have begun
	stage    Stage
	tracing  bool // loops report events, not transitions alone
	halted   bool
	stopped  bool   // the loops were stopped
	moved    uint64 // bytes, sockets and other things that show progress
	events   uint64 // readiness events given to loops in this run
	idle     int    // turns since moved changed
	last     uint64 // moved then
	chatter  int    // turns, writes and messages since a machine read, of chatterUnit each
	spell    int    // turns since the loops rested
	digest   digest
	ticks    int
	replying int // backends with bytes to send
	dialled  int // connections that machines began in the run, or in a round of its Repeat

	cfg       Config
	observers []Observer
	wanting   [numWhats][]Observer
	seen      [8]Observation // by depth
	plain     [8]Observation // those without fields of their own, by depth
	move      Observation    // of the last transition
	message   any            // that a machine is given next
	current   *Machine       // that was given an event last, in the turn under way; nil: none was

	drivers  []*simDriver
	loops    []*reactor.Loop
	steps    []stepper
	machines [][]*Machine // by loop and slot
	actions  []action
	slots    []int           // by loop
	own      []reactor.Stats // by loop: what Setup needs, for a fault that sets limits; nil: not known

	sockets       []*socket // by row; 0 is none
	spare         []*socket
	listeners     []listener
	attempts      []Attempt
	conns         []Conn
	peers         []DatagramPeer
	nextPort      uint16
	sharers       []*socket // memory of bound
	spread        int       // how often one of several sharers was chosen
	opened        int
	word          []byte   // what one send sends
	freeDatagrams [][]byte // memory

	trace    trace.Trace
	opts     Options
	calling  *caller // that is called; nil: none
	put      []later // off
	works    []work
	waits    []trace.Event // that make the next works wait
	slow     slowness      // of the next connection to a Backend
	handedIn int           // works of this run
	probe    probe.Probe
	found    Found
	round    int   // of a Repeat that is under way; 0: none is
	jumpedTo int64 // when the clock jumped last

	before     uint64 // the same, in earlier runs
	handled    uint64 // messages, and
	consumed   uint64 // bytes of input that machines had handled, when progresses looked last
	counted    uint64 // messages of the run that are in chatter, or came before
	maxChatter int    // turns, writes and messages without a read before a loop Chatters

}

// Options says what is special about a run.
type Options struct {
	Again    bool // it repeats a trace that was run before, perhaps changed
	Spurious bool // each wait also returns events for sockets that are not ready
}

// Found is what the machines of a world have used or declared in the runs so far, so that a
// search makes only events that may have an effect.
type Found struct {
	Actions   int    // that Setup declared
	Signals   bool   // that machines ask for
	Datagrams bool   // sockets for them
	Work      bool   // that machines hand to Go
	Dials     bool   // connections that machines begin
	LookUps   bool   // of names
	Backends  bool   // that machines dialled
	Played    uint64 // roles that had a connection, a bit each
}

// Add adds what other runs have shown.
func (f *Found) Add(other Found) {
	f.Actions = max(f.Actions, other.Actions)
	f.Signals = f.Signals || other.Signals
	f.Datagrams = f.Datagrams || other.Datagrams
	f.Work = f.Work || other.Work
	f.Dials = f.Dials || other.Dials
	f.LookUps = f.LookUps || other.LookUps
	f.Backends = f.Backends || other.Backends
	f.Played |= other.Played
}

// action is something that happens from outside, as if another goroutine did it.
type action struct {
	caller
	name string
	do   func(arg int)
}

// caller is an action, or work, that is being called.
type caller struct{ what string }

// New returns a world in which nothing has run yet.
func New(cfg Config) *World {
	w := &World{cfg: cfg, maxChatter: chattering, sockets: []*socket{{}}, machines: make([][]*Machine, cfg.Loops),
		conns: make([]Conn, 2*cfg.Conns), peers: make([]DatagramPeer, 2*cfg.Conns)}
	w.probe = probe.New(probeSink{w})
	for i := range w.conns {
		w.conns[i].Number = i
	}
	return w
}

// Loop returns the i-th loop.
func (w *World) Loop(i int) *reactor.Loop { return w.loops[i] }

// Word returns the dictionary's word of a number.
func (w *World) Word(n uint16) string { return w.cfg.Dict.Word(n) }

// Loops returns the number of loops.
func (w *World) Loops() int { return len(w.loops) }

// Now returns the time on the world's clock, in nanoseconds.
func (w *World) Now() int64 { return w.now }

// Action declares something that happens to machines from outside.
func (w *World) Action(name string, do func(arg int)) {
	w.actions = append(w.actions, action{caller{fmt.Sprintf("action %q", name)}, name, do})
}

// Actions returns the names of the actions of the last run.
func (w *World) Actions() (names []string) {
	for _, a := range w.actions {
		names = append(names, a.name)
	}
	return names
}

// Probe returns what handlers report to.
func (w *World) Probe() probe.Probe { return w.probe }

// Found returns what the runs so far have shown to be there.
func (w *World) Found() *Found { return &w.found }

// Listeners returns how many sockets listen, or did, in the last run.
func (w *World) Listeners() int { return len(w.listeners) }

// Conns returns how many connections there may be: those of peers, then as many that
// machines begin.
func (w *World) Conns() int { return len(w.conns) }

// Conn returns the connection of a number.
func (w *World) Conn(i int) *Conn { return &w.conns[i] }

// DatagramPeers returns the peers that send and receive datagrams.
func (w *World) DatagramPeers() []DatagramPeer { return w.peers }

// Events returns how many readiness events loops were given in the last run.
func (w *World) Events() uint64 { return w.events }

// AllEvents returns how many readiness events loops were given in all runs.
func (w *World) AllEvents() uint64 { return w.before + w.events }

// StartTracing makes loops report the events that they give to machines, from the next run
// on. They do so as well while an observer wants Told.
func (w *World) StartTracing() { w.tracing = true }

// StopTracing takes StartTracing back.
func (w *World) StopTracing() { w.tracing = false }

// Tracing reports whether loops report events.
func (w *World) Tracing() bool { return w.tracing }

// ExpectChatter says whether a loop is expected to go on writing for ever: then the world
// observes that it Chatters much sooner than otherwise.
func (w *World) ExpectChatter(expected bool) {
	if w.maxChatter = chattering; expected {
		w.maxChatter = chatterExpected
	}
}

// Halt ends the run: no more of its trace is done, and its loops are stopped.
func (w *World) Halt() { w.halted = true }

// LoopOver reports whether a loop has ended.
func (w *World) LoopOver(loop int) bool { return w.drivers[loop].over }

// Lateness returns how late the next deadline of a loop may be, as a fault has it.
func (w *World) Lateness(loop int) int64 { return w.drivers[loop].armed.late }

// JumpedTo returns the time to which the clock jumped last: loops did not see what
// passed before.
func (w *World) JumpedTo() int64 { return w.jumpedTo }

// Resolution returns the resolution of the loops' deadlines.
func (w *World) Resolution() time.Duration {
	if r := w.cfg.Loop.Resolution; r != 0 {
		return r
	}
	return time.Millisecond
}

// Begin prepares the run of a trace: new loops over new drivers, and what Setup makes of
// them.
func (w *World) Begin(tr trace.Trace, opts Options) error {
	if w.own == nil && (limits(tr, trace.Limit) != nil || limits(tr, trace.Scarce) != nil) {
		w.countOwn()
	}
	return w.begin(tr, opts)
}

// countOwn counts what machines that Setup makes hold, before and after their first turns: a
// fault leaves that to them.
func (w *World) countOwn() {
	defer w.Only(halter{w})()
	w.own = make([]reactor.Stats, w.cfg.Loops)
	w.resumable(func() {
		if w.begin(nil, Options{}) == nil {
			w.addOwn()
			w.Settle()
			w.addOwn()
		}
	})
	w.Cleanup()
	w.events = 0 // they are part of no run
}

func (w *World) addOwn() {
	for i := range w.steps {
		if s, ok := w.stats(i); ok {
			o := &w.own[i]
			o.Machines, o.TimersArmed, o.Held = max(o.Machines, s.Machines), max(o.TimersArmed, s.TimersArmed), max(o.Held, s.Held)
		}
	}
}

// halter is an observer that ends runs in which a loop does not come to rest.
type halter struct{ w *World }

func (halter) Wants() []What          { return []What{Idles, Chatters} }
func (h halter) Observe(*Observation) { h.w.Halt() }

func (w *World) begin(tr trace.Trace, opts Options) error {
	w.clear()
	w.trace, w.opts = tr, opts
	w.tracing = w.tracing || w.wants(Told)
	o := w.observation(RunBegins)
	o.Again, o.Spurious = opts.Again, opts.Spurious
	w.emit(o)
	for i := range w.cfg.Loops {
		if err := w.newLoop(i); err != nil {
			return err
		}
	}
	if w.cfg.Setup == nil {
		return errors.New("Spec.Setup is nil: want a function that calls Listen, Spawn or Adopt at World.Loop")
	}
	err := w.setUp()
	w.found.Actions = len(w.actions)
	if err == nil && w.opened == 0 && len(w.actions) == 0 && w.countMachines() == 0 {
		return errors.New("Spec.Setup made nothing that runs could do anything to: want a call of Listen, Spawn or Adopt at World.Loop")
	}
	return err
}

// setUp calls Setup. A panic is returned as a *PanicError.
func (w *World) setUp() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{v, debug.Stack()}
		}
	}()
	return w.cfg.Setup(w)
}

func (w *World) newLoop(i int) error {
	d := w.newDriver(i)
	for _, m := range w.machines[i] {
		*m = Machine{Conn: -1}
	}
	cfg := w.cfg.Loop
	cfg.Driver, cfg.Observer = d, d.observer()
	if w.cfg.Wrap != nil {
		cfg.Driver = w.cfg.Wrap(d)
	}
	w.limit(i, &cfg)
	w.slots = append(w.slots, cfg.Slots)
	l, err := reactor.NewLoop(cfg)
	if err != nil {
		return err
	}
	st, err := l.Stepper()
	if err != nil {
		return err
	}
	w.drivers, w.loops, w.steps = append(w.drivers, d), append(w.loops, l), append(w.steps, st)
	return nil
}

func (w *World) newDriver(loop int) *simDriver {
	return &simDriver{w: w, loop: loop, machines: &w.machines[loop]}
}

// countMachines returns how many machines live.
func (w *World) countMachines() (n int) {
	for i := range w.steps {
		if s, ok := w.stats(i); ok {
			n += s.Machines
		}
	}
	return n
}

func (w *World) clear() {
	for _, s := range w.sockets[1:] {
		if s.kind != free {
			s.driver = nil
			w.drop(s)
		}
	}
	// Rows are handed out in the same order in every run, with the same generations.
	w.spare = w.spare[:0]
	for row := len(w.sockets) - 1; row > 0; row-- {
		w.sockets[row].id = driver.Sock(row)
		w.spare = append(w.spare, w.sockets[row])
	}
	for i := range w.conns {
		w.conns[i].clear()
	}
	w.clearDatagramPeers()
	w.drivers, w.loops, w.steps, w.actions = w.drivers[:0], w.loops[:0], w.steps[:0], w.actions[:0]
	w.listeners, w.attempts, w.slots = w.listeners[:0], w.attempts[:0], w.slots[:0]
	w.now, w.nextPort, w.spread, w.opened, w.at, w.stage = int64(time.Hour), 40_000, 0, 0, 0, 0
	w.halted, w.stopped, w.calling = false, false, nil
	clear(w.put)
	clear(w.works)
	w.put = w.put[:0]
	w.works, w.waits, w.handedIn = w.works[:0], w.waits[:0], 0
	w.slow = slowness{}
	w.before += w.events
	w.moved, w.events, w.idle, w.last, w.chatter = 0, 0, 0, 0, 0
	w.handled, w.consumed, w.spell, w.counted = 0, 0, 0, 0
	w.ticks, w.jumpedTo, w.round, w.replying, w.dialled = 0, 0, 0, 0, 0
	w.digest = 0
}

// bound returns the socket that listens, or takes datagrams, at an address. Of those that
// share it, one call returns the one, and the next call another one.
func (w *World) bound(a driver.Addr, k socketKind) *socket {
	w.sharers = w.sharers[:0]
	for _, s := range w.sockets[1:] {
		if s.kind == k && s.local.Net == a.Net && reaches(a, s.local) {
			w.sharers = append(w.sharers, s)
		}
	}
	switch n := len(w.sharers); n {
	case 0:
		return nil
	case 1:
		return w.sharers[0]
	default:
		w.spread++
		return w.sharers[w.spread%n]
	}
}

// listener is a socket that listens, or did in this run.
type listener struct {
	id driver.Sock
	at driver.Addr
}

// listened reports whether machines have listened at an address. When their listener is
// closed, no peer takes its place.
func (w *World) listened(a driver.Addr) bool {
	return slices.ContainsFunc(w.listeners, func(l listener) bool { return l.at.Net == a.Net && reaches(a, l.at) })
}

// reaches reports whether what is sent to one address arrives at another. A wildcard is this
// host, whose one address is loopback: others are other hosts.
func reaches(to, at driver.Addr) bool {
	if at.Net >= driver.Unix {
		return at.Path == to.Path
	}
	a, b := to.IP.Addr(), at.IP.Addr()
	return to.IP.Port() == at.IP.Port() && (a == b || isHere(a) && b.IsUnspecified() || a.IsUnspecified() && isHere(b))
}

func isHere(a netip.Addr) bool { return a.IsUnspecified() || a.IsLoopback() }

// reachable returns an address to send to: this machine's own for a wildcard.
func reachable(a netip.AddrPort) netip.AddrPort {
	if a.Addr().IsUnspecified() {
		return netip.AddrPortFrom(loopback, a.Port())
	}
	return a
}

// port returns a port number that is not in use.
func (w *World) port() uint16 {
	w.nextPort++
	return w.nextPort
}

// Moment returns how many events have begun, the time, and the stage of the run.
func (w *World) Moment() (event int, now int64, stage Stage) { return w.at, w.now, w.stage }

// Trace returns the trace of the run.
func (w *World) Trace() trace.Trace { return w.trace }
