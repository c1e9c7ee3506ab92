package sim

import (
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// The end of scarcity. It shows which machines wait for Config.Buffers: those that go on as
// soon as there are more, at the same moment and with nothing else changed. Package reactor
// keeps half of them for machines that hold little. So no machine waits that reads little,
// and writes little to peers that read at once, while there are few machines.

// What reactor.Config promises: a machine that holds nothing can read and write so many bytes,
// if there are fewer machines than one for perMachine of Buffers.
const (
	ownShare   = 4 << 10
	perMachine = 16 << 10
)

// modest is a machine that must not wait for Config.Buffers.
type modest struct {
	m          *Machine
	generation uint32
	unread     int // bytes that it has not read
	got        int // bytes that its peers have got
}

// endScarcity gives all loops the Buffers of their Config. Before other faults cease, it
// observes each machine that Starves.
func (w *World) endScarcity() {
	e := limits(w.trace, trace.Scarce)
	if e == nil {
		return
	}
	w.Settle()
	for i, d := range w.drivers {
		s, ok := w.steps[i].(*reactor.Stepper)
		if !ok || d.over || w.halted {
			continue
		}
		stats, known := w.stats(i)
		var all []modest
		if limit := w.scarce(e, i, w.cfg.Loop.Buffers); known && stats.Waiting > 0 && stats.Messages == 0 && d.withPorts()*perMachine < limit {
			all = d.modest()
		}
		s.SetBuffers(w.cfg.Loop.Buffers)
		if len(all) > 0 {
			w.Settle()
			w.checkModest(all)
		}
	}
}

// scarce returns how many bytes of Buffers a Scarce leaves a loop.
func (w *World) scarce(e *trace.Event, loop, buffers int) int {
	return lower(buffers, w.own[loop].Held+(8+int(e.A))<<10)
}

// withPorts returns how many machines have ports.
func (d *simDriver) withPorts() (n int) {
	for _, m := range *d.machines {
		for _, s := range m.ports {
			if m.Lives && s != nil && s.machine() == m {
				n++
				break
			}
		}
	}
	return n
}

// modest returns the machines that have read and written so little that they must not wait,
// and whose peers read at once.
func (d *simDriver) modest() (all []modest) {
	for _, m := range *d.machines {
		if unread, got, ok := d.w.needs(m); ok {
			all = append(all, modest{m, m.Generation, unread, got})
		}
	}
	return all
}

// needs returns how many bytes the peers of a machine have sent that it has not read, and how
// many they have got. ok is false if it has none, or may need more than its own share.
func (w *World) needs(m *Machine) (unread, got int, ok bool) {
	sent := 0
	for _, s := range m.ports {
		if s == nil || s.machine() != m {
			continue
		}
		c := w.connOf(s)
		if c == nil || c.peer == nil || c.peer.other != s || s.kind != stream || c.pace != eager || s.phase != connected {
			return 0, 0, false
		}
		unread, got, sent, ok = unread+s.in.len(), got+len(c.Got), sent+len(c.Sent), true
	}
	return unread, got, ok && m.Lives && sent <= ownShare && got <= ownShare
}

// checkModest observes the machines that have gone on as there were more buffers.
func (w *World) checkModest(all []modest) {
	for _, was := range all {
		if w.halted || was.m.Generation != was.generation {
			continue
		}
		unread, got, ok := w.needs(was.m)
		if ok && (unread < was.unread || got > was.got) {
			o := w.observation(Starves)
			o.Machine, o.Conn, o.N = was.m, was.m.Conn, was.unread
			w.emit(o)
		}
	}
}
