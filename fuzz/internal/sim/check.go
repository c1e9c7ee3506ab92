package sim

import (
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// Checks of sockets and loops at the end of a run. Each makes an observation; observers decide
// whether it is a failure.

// checkEnds looks for machines that outlive their peers.
func (w *World) checkEnds() {
	for _, s := range w.sockets[1:] {
		switch {
		case w.halted:
			return
		case s.driver == nil || !s.connects():
		case s.phase == unanswered && s.silent: // it may be a client that tries again and again
		case s.phase == unanswered:
			o := w.observation(Unanswered)
			o.Name, o.Machine = s.remote.String(), s.machine()
			w.emit(o)
		case s.conn >= 0 && !w.hasPeer(s):
			o := w.observation(HoldsOpen)
			o.Conn, o.Machine = int(s.conn), w.owner(&w.conns[s.conn])
			w.emit(o)
		}
	}
}

// owner returns the machine that has, or had, a connection.
func (w *World) owner(c *Conn) *Machine {
	if c.owner.loop >= len(w.drivers) {
		return nil
	}
	return w.drivers[c.owner.loop].machine(c.owner.generation, c.owner.index)
}

// checkStaleEvents compares the number of events of closed sockets that loops got with the
// number that they counted as stale.
func (w *World) checkStaleEvents() {
	for i, d := range w.drivers {
		if stats, ok := w.stats(i); ok && !w.halted {
			w.observeLoop(StaleEvents, i, int(d.stale), int(stats.Stale))
		}
	}
}

// checkBacklogs looks for connections that wait to be accepted, once time to try again
// has passed.
func (w *World) checkBacklogs() {
	w.Advance(100 * time.Millisecond)
	for _, s := range w.sockets[1:] {
		if s.kind != listening || len(s.backlog) == 0 || w.halted || s.driver.atMost() {
			continue
		}
		if stats, ok := w.stats(s.driver.loop); ok {
			o := w.observation(Unaccepted)
			o.Name, o.Loop, o.N = s.local.String(), s.driver.loop, len(s.backlog)
			o.Limit = w.slots[s.driver.loop]
			o.Free = o.Limit - stats.Machines
			w.emit(o)
		}
	}
}

// atMost reports whether there are as many machines of some kind as its Options allow: it may
// be the kind that listens.
func (d *simDriver) atMost() bool {
	lives := make(map[reactor.AnyKind]int)
	for _, m := range d.w.machines[d.loop] {
		if m.Lives {
			lives[m.Kind]++
			if most := m.Kind.Options().MaxMachines; most > 0 && lives[m.Kind] >= most {
				return true
			}
		}
	}
	return false
}

// repeatReadiness reports the readiness of all sockets to loops at rest once more. A machine
// that reads then could have read before, and was not called.
func (w *World) repeatReadiness() {
	for _, s := range w.sockets[1:] {
		d := s.driver
		if d == nil || !s.watched || !s.connects() || s.phase != connected || len(d.staleEvents) > 0 || w.halted {
			continue
		}
		waiting, moved := s.in.len(), w.moved
		d.extraEvents = append(d.extraEvents, poll.Event{Token: poll.Token(s.data), Ready: s.ready()})
		if w.Settle(); !w.halted && w.moved != moved && s.driver == d && s.in.len() != waiting {
			o := w.observation(ReadsLate)
			o.Conn, o.N = int(s.conn), waiting
			w.emit(o)
		}
	}
}

// checkStopped looks for loops that were stopped and go on.
func (w *World) checkStopped() {
	for _, d := range w.drivers {
		if !d.over && !w.halted {
			w.observeLoop(LoopRemains, d.loop, 0, 0)
		}
	}
}

// checkLateEnds looks for machines that live on although they have no reason to: all their
// peers have half-closed, all input is read and all output sent, and nothing but a deadline
// can end them.
func (w *World) checkLateEnds() {
	if !w.wants(EndsLate) {
		return
	}
	w.Settle()
	for _, d := range w.drivers {
		for _, m := range *d.machines {
			if !w.halted && !d.over && m.Lives && m.waitsForEnded() && !w.dials(m) {
				o := w.observation(EndsLate)
				o.Machine, o.Conn = m, m.Conn
				w.emit(o)
			}
		}
	}
}

// dials reports whether a machine waits for a connection: what it wrote for that is still to be
// sent.
func (w *World) dials(m *Machine) bool {
	for _, s := range w.sockets[1:] {
		if s.kind == stream && s.phase != connected && s.machine() == m {
			return true
		}
	}
	return false
}

// waitsForEnded reports whether a machine has ports, all of them have ended, and its row waits
// for nothing but their input, and for deadlines that stop it.
func (m *Machine) waitsForEnded() bool {
	input := fsm.Ready(0)
	for p, s := range m.ports {
		if s == nil || s.machine() != m {
			continue
		}
		if s.kind != stream || s.phase != connected || !s.ended || s.in.len() > 0 || s.why != nil || m.Stuck[p] > 0 ||
			s.other != nil && (s.other.driver != nil || s.other.in.len() > 0) {
			return false
		}
		input |= fsm.Port(p).Readable()
	}
	if input == 0 {
		return false
	}
	table := m.Kind.Plain()
	if int(m.State) >= len(table) {
		return false
	}
	row, life := table.Resolve(m.State), table[fsm.Any].Within
	if row.Wait == 0 || row.Wait.Bits()&^input != 0 || row.Wait.Gates()&fsm.Sendable != 0 ||
		row.OnMessage != nil || row.OnTimer != nil || row.OnDown != nil || row.OnSignal != nil {
		return false
	}
	for _, deadline := range []fsm.Deadline{row.Within, row.Idle, life} {
		if deadline.Runs() && deadline.To != fsm.Stop {
			return false
		}
	}
	return row.Within.Runs() || row.Idle.Runs() || life.Runs()
}
