package fuzz

import "github.com/stator-go/stator/fuzz/trace"

// Features are what makes a run worth keeping: coverage.go has those of transitions,
// probes.go those of values; here are the others. A fault counts with the state of the
// machine that it meets, once when an event arms it and once when it happens. A state
// counts when a machine is in it after an event, the loops at rest: only from there the
// next event goes on.

const (
	restFeature  = 1 << 29
	faultFeature = 1 << 31
	faultHappens = 1 << 30
)

// armedIn is told of each fault that an event arms.
func (w *World) armedIn(e trace.Event) {
	if c := int(e.On); e.Op.Target() == trace.OnConn && c < len(w.conns) {
		if s := w.conns[c].machineEnd(); s != nil {
			w.met(e.Op, s, 0)
		}
	}
}

// happens is told of each fault that happens to a socket of a machine's.
func (w *World) happens(op trace.Op, s *sock) {
	w.met(op, s, faultHappens)
	w.strikes(op, s)
}

func (w *World) met(op trace.Op, s *sock, how uint32) {
	if m := s.machine(); m != nil && m.kind != nil {
		w.cover.addFine(faultFeature | how | uint32(op)<<20 | uint32(w.cover.index(m.kind))<<8 | uint32(m.state))
	}
}

// machine is what is known of the machine that has s as a port; nil: nobody has.
func (s *sock) machine() *machine {
	if s.driver == nil || !s.watched || s.data>>32&1 == 0 {
		return nil
	}
	return s.driver.at(uint32(s.data>>32), uint32(s.data)&(1<<24-1))
}

// rests is told when the loops have come to rest.
func (w *World) rests() {
	for _, m := range w.movers {
		if m.driver.machines[m.index].generation == m.generation {
			at := &m.driver.machines[m.index]
			w.cover.add(restFeature | uint32(w.cover.index(at.kind))<<8 | uint32(at.state))
		}
	}
	w.movers = w.movers[:0]
}

// mover is a machine that moved since the loops were at rest.
type mover struct {
	driver            *driver
	generation, index uint32
}
