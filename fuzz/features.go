package fuzz

// Features are what makes a run worth keeping: coverage.go has those of transitions,
// probes.go those of values; here are those of faults. A fault counts with the state
// of the machine that it meets, once when an event arms it and once when it happens.

const (
	faultFeature = 1 << 31
	faultHappens = 1 << 30
)

// armedIn is told of each fault that an event arms.
func (w *World) armedIn(e Event) {
	if c := int(e.On); ops[e.Op].on == onConn && c < len(w.conns) {
		if s := w.conns[c].machineEnd(); s != nil {
			w.met(e.Op, s, 0)
		}
	}
}

// happens is told of each fault that happens to a socket of a machine's.
func (w *World) happens(op Op, s *sock) {
	w.met(op, s, faultHappens)
	w.strikes(op, s)
}

func (w *World) met(op Op, s *sock, how uint32) {
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
