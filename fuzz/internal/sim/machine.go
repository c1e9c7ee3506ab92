package sim

import (
	"errors"
	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// Machine is a record of a machine: the last one in a slot of a loop.
type Machine struct {
	Loop       int
	Generation uint32
	Index      uint32
	Conn       int // of its first port; -1: none
	Kind       reactor.AnyKind
	Lives      bool
	State      reactor.State
	Before     reactor.State // the state before that one

	Moves            int           // transitions so far
	PrevFrom, PrevTo reactor.State // the transition before the last one

	Born  int64               // when it was born
	Since int64               // when it came into its state
	Heard int64               // when it last got bytes or a message, or came into its state
	Stuck [fsm.MaxPorts]int64 // by port: since when output that the loop holds does not move; 0: it moves

	Cause  reactor.Event // the last event that it was given; empty if no observer wants Told
	led    int           // how often it was given something else than readiness and failures
	fails  int           // how often something failed, the end of input included
	failed reactor.State // the state in which it did last

	ports [fsm.MaxPorts]*socket // as registered last
	next  [fsm.MaxPorts]uint8   // the generation of the port's next socket
	lost  lost
}

// lost is a connection that broke, as its machine knows, before its peer ended it in order.
type lost struct {
	is     bool
	conn   int32
	life   int
	closed bool // by the machine
}

// Lost returns the connection that broke last while the machine had it, as an error told the
// machine; nil if none has since it dialled last. closed reports whether the machine has closed
// it since: its error is then no reason to reset others when the machine ends.
func (w *World) Lost(m *Machine) (c *Conn, closed bool) {
	if !m.lost.is || w.conns[m.lost.conn].Life != m.lost.life {
		return nil, false
	}
	return &w.conns[m.lost.conn], m.lost.closed
}

// breaks returns the error of a connection that broke. Its machine knows that now.
func (s *socket) breaks() (err error) {
	err, s.broken, s.over = s.broken, nil, true
	if m := s.machine(); m != nil && s.conn >= 0 && !s.ended {
		m.lost = lost{is: true, conn: s.conn, life: s.life}
	}
	return err
}

// machineKey identifies a machine of a world: a token without the number of its loop,
// which depends on what else the process runs.
type machineKey struct {
	loop       int
	generation uint32
	index      uint32
}

func (k machineKey) id() uint64 {
	return uint64(k.loop)<<56 | uint64(k.generation)<<24 | uint64(k.index)
}

// ID identifies a machine of a run, as Conn.Owner does.
func (m *Machine) ID() uint64 {
	return machineKey{m.Loop, m.Generation, m.Index}.id()
}

// Machines returns the records of the slots of a loop.
func (w *World) Machines(loop int) []*Machine { return w.machines[loop] }

// MachineOf returns the machine that has, or had, the other end of a connection; nil if none
// had, or if another machine has had its slot since.
func (w *World) MachineOf(c *Conn) *Machine {
	k := c.owner
	if k.generation == 0 || int(k.index) >= len(w.machines[k.loop]) {
		return nil
	}
	if m := w.machines[k.loop][k.index]; m.Generation == k.generation {
		return m
	}
	return nil
}

// machine returns the record of a machine.
func (d *simDriver) machine(generation, index uint32) *Machine {
	all := d.machines
	for int(index) >= len(*all) {
		*all = append(*all, &Machine{Conn: -1})
	}
	m := (*all)[index]
	if m.Generation != generation {
		*m = Machine{Loop: d.loop, Generation: generation, Index: index, Conn: -1}
	}
	return m
}

// machine returns the machine that has s as a port; nil if none has.
func (s *socket) machine() *Machine {
	if s.driver == nil || !s.watched || !s.data.OfMachine() {
		return nil
	}
	return s.driver.machine(s.data.Generation(), s.data.Index())
}

// setOwner notes which machine a connection belongs to.
func (w *World) setOwner(s *socket) {
	if s.conn < 0 || !s.data.OfMachine() {
		return
	}
	generation, index := s.data.Generation(), s.data.Index()
	if c := w.connOf(s); c != nil {
		c.owner = machineKey{s.driver.loop, generation, index}
	}
	m := s.driver.machine(generation, index)
	m.lost = lost{}
	if m.ports[s.data.Port()] = s; m.Conn < 0 {
		m.Conn = int(s.conn)
	}
}

// Moved is called by a loop for each transition.
func (d *simDriver) Moved(t reactor.Token, k reactor.AnyKind, from, to reactor.State) {
	w := d.w
	m := d.machine(t.Generation(), t.Index())
	m.PrevFrom, m.PrevTo = m.Before, m.State
	m.Kind, m.Before, m.State, m.Lives = k, from, to, true
	if from == fsm.Any || m.Moves == 0 {
		m.Born, m.Stuck = w.now, [fsm.MaxPorts]int64{}
	}
	m.Since, m.Heard = w.now, w.now
	m.Moves++
	w.note(noteMove, uint64(t.Generation())<<32|uint64(t.Index()), uint64(from)<<8|uint64(to))
	w.observeMove(m, from, to)
}

// Ended is called by a loop when a machine has ended.
func (d *simDriver) Ended(t reactor.Token, k reactor.AnyKind, reason error) {
	w := d.w
	m := d.machine(t.Generation(), t.Index())
	m.Kind, m.Lives = k, false
	w.end(m, reason)
	w.note(noteStop, uint64(t.Generation())<<32|uint64(t.Index()), 0)
	if m.Conn >= 0 && errors.Is(reason, reactor.ErrTimeout) && w.conns[m.Conn].Of(m) {
		w.conns[m.Conn].late = true
	}
	byItself := reason == nil && m.led == 0
	if byItself && m.Conn >= 0 {
		w.endsByItself(&w.conns[m.Conn], machineKey{d.loop, t.Generation(), t.Index()}, m)
	} else if reason == nil {
		for _, s := range m.ports {
			if s != nil && s.machine() == m {
				w.closesByItself(s, m)
			}
		}
	}
	o := w.observation(Ended)
	o.Machine, o.Conn, o.Err, o.OK = m, m.Conn, reason, byItself
	w.emit(o)
}

// tracingDriver is a driver whose loop also reports the events that it gives to machines.
type tracingDriver struct{ *simDriver }

var _ reactor.MessageTracer = tracingDriver{}

// observer returns what a loop reports to. Events are reported only if an observer wants
// them, as they cost time.
func (d *simDriver) observer() reactor.Observer {
	if !d.w.tracing {
		return d
	}
	return tracingDriver{d}
}

// Traced is called by a loop for each event that it gives to a machine.
func (d tracingDriver) Traced(t reactor.Token, k reactor.AnyKind, in reactor.State, c reactor.Event) {
	w := d.w
	m := d.machine(t.Generation(), t.Index())
	m.Cause, w.current = c, m
	switch c {
	case reactor.EventReady, reactor.EventEnter:
	case reactor.EventFail:
		m.fails, m.failed = m.fails+1, in
	default:
		m.led++
	}
	if c == reactor.EventMessage {
		m.Heard = w.now
	}
	if w.wants(Told) {
		if m.Kind == nil {
			m.Kind = k
		}
		o := w.observation(Told)
		o.Machine, o.Conn, o.From, o.Message = m, m.Conn, in, w.message
		w.emit(o)
	}
	w.message = nil
}

// TracedSend is called when something sends a message to a machine of the loop: the machine
// that is called, an action, or Setup.
func (d tracingDriver) TracedSend(to reactor.Token, m any, err error) {
	w := d.w
	if !w.wants(Posts) {
		return
	}
	o := w.observation(Posts)
	o.Machine, o.Message, o.Err = w.current, m, err
	if x := int(to.Index()); x < len(*d.machines) {
		o.Other = (*d.machines)[x]
	}
	if w.current == nil && w.calling != nil {
		o.Name = w.calling.what
	}
	w.emit(o)
}

// TracedMessage is called by a loop before Traced, if the event is a message.
func (d tracingDriver) TracedMessage(_ reactor.Token, m any) { d.w.message = m }

// endsByItself records that the machine of a connection ended by itself: only bytes, and
// their end, led to that, and the peer can receive all that the machine sent.
func (w *World) endsByItself(c *Conn, k machineKey, m *Machine) {
	p := c.peer
	if c.owner != k || p == nil || c.cut || p.other == nil || p.other.awaitsRoom {
		return
	}
	c.ending, c.sentByEnd = CutOff, len(c.Sent)
	switch {
	case !p.shutOut && m.fails == 0:
		c.ending = Quit
	case p.shutOut && (m.fails == 0 || m.fails == 1 && m.failed == m.Before):
		c.ending = Left // the end of input is all that failed, and the last that happened
	}
}

// closesByItself does the same for a connection that a machine dialled, and closes: only bytes
// led to that since the machine dialled it. The machine has no other port, which might have led
// to it, and nothing failed that depends on more than these bytes.
func (w *World) closesByItself(s *socket, m *Machine) {
	c := w.connOf(s)
	alone := !w.besides(s, m) && !s.beside
	if c == nil || !alone || w.stopped || !w.Dialled(c) || s.phase != connected || s.why != nil || m.led != s.led {
		return
	}
	p, fails := c.peer, m.fails-s.fails
	if p == nil || c.cut || p.other != s || s.awaitsRoom {
		return
	}
	c.ending, c.sentByEnd = CutOff, len(c.Sent)
	switch own := len(m.Kind.Options().Ports) == 1 && limits(w.trace, trace.Limit) == nil && limits(w.trace, trace.Scarce) == nil; {
	case !p.shutOut && (fails == 0 || own):
		c.ending = Quit
	case p.shutOut && (fails == 0 || fails == 1 && (m.failed == m.Before || m.failed == m.State)):
		c.ending = Left
	}
}

// besides reports whether a machine has another port than s, and notes there that it had s.
func (w *World) besides(s *socket, m *Machine) (others bool) {
	for _, o := range w.sockets[1:] {
		if o != s && o.driver == s.driver && o.machine() == m {
			o.beside, others = true, true
		}
	}
	return others
}
