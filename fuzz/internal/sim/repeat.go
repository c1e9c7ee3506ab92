package sim

import (
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// A Repeat makes a long run of a short trace, for mistakes that show only after many
// connections or messages. Observers see RoundOver after each round, so that they can
// compare what machines hold.

const (
	mostRepeated = 1 << 22 // events that one Repeat makes at most
	mostNames    = 4096    // rounds in which each peer has another address
	leastSlots   = 1 << 14 // of a loop, and as many timers, so that what is never freed does not soon come to a limit
)

// doRepeat repeats events that came before it.
func (w *World) doRepeat(e trace.Event) {
	if w.round > 0 {
		return
	}
	to := w.at - 1
	from := 0
	if e.A > 0 {
		from = max(0, to-int(e.A))
	}
	if from >= to {
		return
	}
	rounds := min(int(e.B), mostRepeated/(to-from))
	for w.round = 1; w.round <= rounds && !w.halted; w.round++ {
		w.dialled = 0
		for at := from; at < to && !w.halted; at++ {
			w.Do(w.trace[at])
		}
		if !w.halted && w.wants(RoundOver) {
			o := w.observation(RoundOver)
			o.N, o.Limit = w.round, rounds
			w.emit(o)
		}
	}
	w.round = 0
}

// roomToGrow raises the limits of a loop that a leak would come to.
func roomToGrow(cfg *reactor.Config) {
	cfg.Slots = max(cfg.Slots, leastSlots)
	if cfg.Timers > 0 {
		cfg.Timers = max(cfg.Timers, cfg.Slots)
	}
}

// Holdings is what the machines of all loops hold at one moment.
type Holdings struct {
	Machines map[reactor.AnyKind]int // by kind
	Alive    int                     // machines of all kinds; a loop written by hand has no kinds
	Slots    int                     // for those
	Timers   int                     // named timers that run
	Held     int                     // bytes of Config.Buffers
}

// Holdings returns what the machines of all loops hold now.
func (w *World) Holdings() Holdings {
	h := Holdings{Machines: make(map[reactor.AnyKind]int)}
	for i := range w.steps {
		s, ok := w.stats(i)
		if !ok {
			continue
		}
		h.Alive, h.Timers, h.Held = h.Alive+s.Machines, h.Timers+s.TimersArmed, h.Held+s.Held
		h.Slots += w.slots[i]
		for _, m := range w.machines[i] {
			if m.Lives {
				h.Machines[m.Kind]++
			}
		}
	}
	return h
}

// Lives returns how many connections there have been in the run.
func (w *World) Lives() (n int) {
	for i := range w.conns {
		n += w.conns[i].Life
	}
	return n
}

// Recorded returns how many bytes of memory the records of connections take.
func (w *World) Recorded() (n int) {
	for i := range w.conns {
		n += cap(w.conns[i].Sent) + cap(w.conns[i].Got)
	}
	return n
}

// Owner returns the machine that has, or had, a connection; nil if none had.
func (w *World) Owner(conn int) *Machine { return w.owner(&w.conns[conn]) }
