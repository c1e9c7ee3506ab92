package fuzz

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

const forever = math.MaxInt64

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// World is a machine room that keeps its own time: production loops over simulated
// drivers, and a peer for each connection. Everything in it happens on one
// goroutine, so that a run depends on nothing but its trace.
type World struct {
	spec    *Spec
	now     int64
	drivers []*driver
	loops   []*reactor.Loop
	steps   []stepper
	actions []action

	socks     []*sock // by row; 0 is none
	spare     []*sock
	listeners []listener
	conns     []conn
	pens      []penPal
	nextPort  uint16
	opened    int
	slots     int // of each loop

	trace   trace.Trace
	at      int // the event under way
	stage   stage
	words   []byte   // what one send sends
	letters [][]byte // memory for datagrams
	failure *Failure
	asks    asked
	journal *journal // what happened, for people; nil: not kept
	watch   *watch   // for where two runs part; nil: nobody asks
	tally   *tally   // what a report tells; nil: none is wanted

	moved  uint64 // bytes, sockets and whatever else shows that something goes on
	turns  uint64
	events uint64 // readiness events told to loops
	idle   int    // turns since moved changed
	last   uint64 // moved then
	chat   int    // turns and writes since a machine read, breaths each
	hears  int    // how many of them it bears

	chatters bool // it was too many

	digest    xxhash.Digest
	notes     []byte
	cover     *coverage
	movers    []mover
	probe     probe.Probe
	claims    map[string]*claim
	bounds    map[reactor.AnyKind]*bounds
	peak      peak
	culprit   trace.Trace // made of the trace that is checked, and fails by itself
	knows     knowledge
	jumped    int64  // when the clock did so last: loops did not see what passed before
	lives     []life // that are over
	ticks     int
	undecided int
	heeds     bool // loops have a witness, as somebody wants to know of events
	deaf      bool // they should have one from now on
	rerun     bool // the run is one more of a trace that was run
	haunted   bool // every Wait tells of sockets that are not ready as well
}

// action is something that other goroutines do, as Setup declared it.
type action struct {
	name string
	do   func(arg int)
}

// Loop is the i-th loop, for Setup: kinds are wired to it as in production.
func (w *World) Loop(i int) *reactor.Loop { return w.loops[i] }

// Loops is how many loops there are.
func (w *World) Loops() int { return len(w.loops) }

// Now is the world's clock, which Context.Now reads. A machine that needs the date has a
// function for it in its prototype: in a world, time.Unix(0, 0).Add(w.Now()).
func (w *World) Now() time.Duration { return time.Duration(w.now) }

// Action declares, in Setup, something that happens to machines from outside, such
// as a message that another goroutine sends. Runs do it with arguments from 0 to
// 65,535, at any time between two turns of the loops.
func (w *World) Action(name string, do func(arg int)) {
	w.actions = append(w.actions, action{name, do})
}

func newWorld(s *Spec) *World {
	w := &World{spec: s, heeds: len(s.Oracles) > 0, hears: chattering, socks: []*sock{{}}, conns: make([]conn, 2*s.Conns), pens: make([]penPal, 2*s.Conns), notes: make([]byte, 0, 4096), cover: newCoverage(), claims: make(map[string]*claim), bounds: make(map[reactor.AnyKind]*bounds)}
	w.probe = probe.New(ear{w})
	for i := range w.conns {
		w.conns[i].number = i
	}
	if s.Report {
		w.tally = newTally()
	}
	return w
}

// begin makes everything new: loops over their drivers, and what Setup makes of them.
func (w *World) begin(tr trace.Trace) error {
	w.clear()
	w.trace = tr
	w.heeds = w.heeds || w.tally != nil || w.journal != nil
	for i := range w.spec.Loops {
		d := &driver{w: w, loop: i, dueAt: forever}
		cfg := w.spec.Config
		cfg.Driver, cfg.Observer = d, d.observer()
		if w.spec.breaks != nil {
			cfg.Driver = w.spec.breaks(d)
		}
		limit(tr, &cfg)
		w.slots = cfg.Slots
		l, err := reactor.NewLoop(cfg)
		if err != nil {
			return err
		}
		w.drivers, w.loops = append(w.drivers, d), append(w.loops, l)
		st, err := l.Stepper()
		if err != nil {
			return err
		}
		w.steps = append(w.steps, st)
	}
	if w.spec.Setup == nil {
		return errors.New("there is no Spec.Setup: want one that calls Listen, Spawn or Adopt at World.Loop")
	}
	err := w.spec.Setup(w)
	w.knows.actions = len(w.actions)
	if err == nil && w.opened == 0 && len(w.actions) == 0 && w.machines() == 0 {
		return errors.New("Spec.Setup made nothing that runs could do anything to: want a call of Listen, Spawn or Adopt at World.Loop")
	}
	return err
}

// machines is how many there are.
func (w *World) machines() (n int) {
	for i := range w.steps {
		if s, ok := w.stats(i); ok {
			n += s.Machines
		}
	}
	return n
}

func (w *World) clear() {
	for _, s := range w.socks[1:] {
		if s.nature != free {
			s.driver = nil
			w.drop(s)
		}
	}
	// Rows are handed out in the same order in every run, with the same generations.
	w.spare = w.spare[:0]
	for row := len(w.socks) - 1; row > 0; row-- {
		w.socks[row].id = reactor.Sock(row)
		w.spare = append(w.spare, w.socks[row])
	}
	for i := range w.conns {
		w.conns[i].clear()
	}
	w.clearPens()
	w.drivers, w.loops, w.steps, w.actions = w.drivers[:0], w.loops[:0], w.steps[:0], w.actions[:0]
	w.listeners = w.listeners[:0]
	w.now, w.nextPort, w.opened, w.at, w.stage = int64(time.Hour), 40_000, 0, 0, 0
	w.asks = asked{}
	w.failure, w.moved, w.turns, w.events, w.idle, w.last = nil, 0, 0, 0, 0, 0
	w.chat, w.chatters = 0, false
	w.lives, w.ticks, w.jumped = w.lives[:0], 0, 0
	w.digest.Reset()
	w.notes = w.notes[:0]
	w.cover.begin()
	w.movers = w.movers[:0]
}

// spinning is how many turns may pass, in a world at rest, without anything moving;
// chattering, how many turns and writes without a byte being read: output may leave a
// byte at a time, and be as much as machines hold, or as they answer to the input that
// they hold; so a write that is cut short, and its turn, count as one of breaths. Who is
// known to go on for ever is cut off sooner.
const (
	spinning   = 2000
	chattering = 1 << 19
	nagging    = 1 << 13
	breaths    = 32
)

// turn lets one loop take a turn.
func (w *World) turn(d *driver) {
	w.turns++
	if w.last != w.moved {
		w.last, w.idle = w.moved, 0
	}
	if w.idle++; w.idle > spinning {
		w.fail(oracleBounds, "loop %d has taken %d turns in which nothing moved, and does not come to rest", d.loop, spinning)
		return
	}
	if w.chat += breaths; w.chat > breaths*w.hears {
		w.chatters = true
		w.fail(oracleBounds, "loop %d does not come to rest: %d writes and turns at one moment, in which no machine read anything", d.loop, w.hears)
		return
	}
	w.note(noteTurn, uint64(d.loop), 0)
	if d.armed.late > 0 && !d.busy() {
		w.strikes(trace.Late, nil) // a deadline is why the loop takes this turn
	}
	d.armed.turning()
	w.steps[d.loop].Turn()
}

// wants tells whether a loop would take a turn now.
func (w *World) wants(d *driver) bool {
	return !d.over && (d.busy() || w.due(d) <= w.now)
}

// due is when a loop takes its next turn by itself.
func (w *World) due(d *driver) int64 {
	if d.over {
		return forever
	}
	at := w.steps[d.loop].Until()
	if at > 0 && at < forever-d.armed.late {
		at += d.armed.late
	}
	return at
}

// settle lets all loops take turns, one after the other, until none wants any.
func (w *World) settle() {
	for busy := true; busy; {
		busy = false
		for _, d := range w.drivers {
			if w.failure == nil && w.wants(d) {
				w.turn(d)
				busy = true
			}
		}
	}
	w.idle, w.chat = 0, 0
}

// advance moves the clock, with a stop at each time when something is due.
func (w *World) advance(by time.Duration) {
	to := w.now + int64(by)
	for w.settle(); w.failure == nil; w.settle() {
		w.judgeBounds()
		next := w.next()
		if next > to {
			break
		}
		w.clock(next)
	}
	w.clock(to)
}

// next is when something is due.
func (w *World) next() int64 {
	next := int64(forever)
	for _, d := range w.drivers {
		next = min(next, w.due(d))
	}
	for i := range w.conns {
		next = min(next, w.conns[i].readAt)
	}
	return max(next, w.now)
}

// clock sets the time, and lets peers that read now and then read.
func (w *World) clock(to int64) {
	if to <= w.now {
		return
	}
	w.now = to
	w.moved++
	w.note(noteTime, uint64(to), 0)
	for i := range w.conns {
		if c := &w.conns[i]; c.readAt <= to {
			w.trickle(c)
		}
	}
}

// port is a port number that nobody has.
func (w *World) port() uint16 {
	w.nextPort++
	return w.nextPort
}

// bound is the socket that listens, or takes datagrams, at an address.
func (w *World) bound(a reactor.Addr, n nature) *sock {
	for _, s := range w.socks[1:] {
		if s.nature == n && s.local.Net == a.Net && meets(s.local, a) {
			return s
		}
	}
	return nil
}

// listener is a socket that listens, or did in this run.
type listener struct {
	id reactor.Sock
	at reactor.Addr
}

// listened tells whether machines were to be found at an address: when their listener
// is gone nobody else is there.
func (w *World) listened(a reactor.Addr) bool {
	return slices.ContainsFunc(w.listeners, func(l listener) bool { return l.at.Net == a.Net && meets(l.at, a) })
}

// meets tells whether what is sent to one address comes to another one.
func meets(at, to reactor.Addr) bool {
	if at.Net >= reactor.Unix {
		return at.Path == to.Path
	}
	return at.IP.Port() == to.IP.Port() && (at.IP.Addr() == to.IP.Addr() || at.IP.Addr().IsUnspecified() || to.IP.Addr().IsUnspecified())
}

// reachable is an address that one can send to: a wildcard is this machine.
func reachable(a netip.AddrPort) netip.AddrPort {
	if a.Addr().IsUnspecified() {
		return netip.AddrPortFrom(loopback, a.Port())
	}
	return a
}

// connect begins a connection of a machine's: to a listener of the world's loops,
// or else to a peer.
func (w *World) connect(d *driver, a reactor.Addr) *sock {
	l := w.bound(a, listening)
	fail := d.armed.connectFails()
	if fail != connectNone {
		w.strikes(trace.ConnectFails, nil)
	}
	if fail == connectNone && l == nil && (w.listened(a) || !w.spec.answers(a)) {
		fail = connectRefused
	}
	switch fail {
	case connectRefused:
		s := w.open(stream, d)
		s.remote, s.phase, s.broken = a, failed, refused{}
		return s
	case connectSilent:
		s := w.open(stream, d)
		s.remote, s.phase = a, unanswered
		return s
	}
	s, p := w.pair(d, nil)
	s.local = reactor.Addr{Net: a.Net, IP: netip.AddrPortFrom(loopback, w.port())}
	s.remote, s.phase = a, answered
	p.local, p.remote = s.remote, s.local
	w.moved++
	if l != nil {
		l.backlog = append(l.backlog, p)
		l.tell()
		return s
	}
	c := w.outbound()
	if c == nil {
		w.shut(p)
		s.phase, s.broken = failed, refused{}
		return s
	}
	w.take(c, p, s)
	return s
}

// abort ends the connection that waits longest at a listener.
func (w *World) abort(l *sock) {
	s := l.backlog[0]
	l.backlog = l.backlog[:copy(l.backlog, l.backlog[1:])]
	if s.other != nil {
		w.reset(s.other, errno.ECONNRESET)
	}
	w.drop(s)
}

// fail notes what is wrong: the first thing only.
func (w *World) fail(o oracle, format string, args ...any) {
	if w.failure == nil {
		w.failure = &Failure{Oracle: string(o), Text: fmt.Sprintf(format, args...), At: w.at, Time: time.Duration(w.now), during: stages[w.stage]}
	}
}
