package judge

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

// Relay returns an Oracle that judges machines that pass the bytes of connections to front on
// to a connection of theirs to back, and the other way round.
func Relay(title, front, back string) Oracle {
	return relay{named{title}, ParseAddress(front), ParseAddress(back)}
}

type relay struct {
	named
	front, back Address
}

func (r relay) Judges(driver.Addr, bool) bool { return false }

// joins reports whether what one connection sends is for the other one.
func (r relay) joins(a, b *sim.Conn) bool {
	return r.front.Is(a.Addr) && r.back.Is(b.Addr) || r.back.Is(a.Addr) && r.front.Is(b.Addr)
}

// passes judges what one connection gets of what another one sent. If rested is true, nothing
// hinders that all of it arrives, and the end as well.
func (r relay) passes(from, to *sim.Conn, rested bool) string {
	same := 0
	for same < min(len(from.Sent), len(to.Got)) && from.Sent[same] == to.Got[same] {
		same++
	}
	switch {
	case same < len(to.Got):
		return fmt.Sprintf("connection %d gets %s behind %d bytes: want what connection %d sent, %s",
			to.Number, Brief(to.Got[same:]), same, from.Number, Brief(from.Sent[same:]))
	case !rested || !from.Joined() || !to.Joined():
		return ""
	case same < len(from.Sent):
		return fmt.Sprintf("connection %d gets %d of the %d bytes that connection %d sent: want %s, too",
			to.Number, same, len(from.Sent), from.Number, Brief(from.Sent[same:]))
	case from.PeerEnded() && !to.MachineEnded():
		return fmt.Sprintf("connection %d gets no end, although the peer of connection %d has half-closed", to.Number, from.Number)
	}
	return ""
}

// givenUp reports whether a machine has ended a connection that it dialled, before it sent
// anything there: it may have dialled another one instead.
func (j *Judge) givenUp(c *sim.Conn) bool {
	return j.w.Dialled(c) && len(c.Got) == 0 && c.MachineEnded() && !c.Joined()
}

// partners yields the connections whose bytes a relay passes on to c, and the other way round. An
// oracle that is no relay has none.
func (j *Judge) partners(o Oracle, c *sim.Conn) iter.Seq[*sim.Conn] {
	return func(yield func(*sim.Conn) bool) {
		r, ok := o.(relay)
		for i := 0; ok && i < j.w.Conns(); i++ {
			d := j.w.Conn(i)
			if d != c && d.Life > 0 && c.SameMachine(d) && r.joins(c, d) && !j.givenUp(c) && !j.givenUp(d) && !yield(d) {
				return
			}
		}
	}
}

// relayed judges a connection together with the others of its machine.
func (j *Judge) relayed(c *sim.Conn, rested bool) (v verdict) {
	if c.Life == 0 || j.failure != nil {
		return v
	}
	for n, o := range j.oracles() {
		for d := range j.partners(o, c) {
			r := o.(relay)
			j.notes.judged[n] = true
			m := j.w.MachineOf(c)
			unhindered := rested && m != nil && m.Lives && !j.w.Obstructed()
			for _, text := range []string{r.passes(c, d, unhindered), r.passes(d, c, unhindered)} {
				if text != "" {
					return verdict{oracle: oracleName(o), kind: "relay", why: text}
				}
			}
		}
	}
	return v
}

// ends judges the end of a machine: one end is no reason to stop passing bytes on in the other
// direction, a full buffer none to lose bytes, and the peer of a connection that broke must not
// find a clean end.
func (j *Judge) ends(o *sim.Observation) (v verdict) {
	if errors.Is(o.Err, reactor.ErrFull) {
		v = j.overflows(o.Machine, o.Err)
	}
	if v.why == "" {
		v = j.hides(o)
	}
	if o.OK && v.why == "" {
		v = j.stops(o.Machine)
	}
	return v
}

// hides judges the end of a machine, one of whose connections broke. The loop resets the others
// only if it ends with the error of that connection, and has not closed it.
func (j *Judge) hides(o *sim.Observation) (v verdict) {
	m := o.Machine
	broken, closed := j.w.Lost(m)
	if broken == nil || o.Err != nil && !closed {
		return v
	}
	for _, o := range j.oracles() {
		for c := range j.partners(o, broken) {
			if c.Of(m) && c.Established() {
				return verdict{oracle: oracleName(o), kind: "relay", why: fmt.Sprintf("connection %d gets a clean end, although connection %d broke: want a reset, as by cx.Fail",
					c.Number, broken.Number)}
			}
		}
	}
	return v
}

// overflows judges the end of a machine that found a buffer full, although nothing was scarce.
func (j *Judge) overflows(m *sim.Machine, reason error) (v verdict) {
	if slices.ContainsFunc(j.w.Trace(), func(e trace.Event) bool { return e.Op == trace.Scarce }) {
		return v
	}
	return j.judgePairs(m, func(*sim.Conn) string {
		return fmt.Sprintf("ends with %q, and both peers are there: want it to read when there is room", reason)
	})
}

// stops judges the end of a machine that ended by itself.
func (j *Judge) stops(m *sim.Machine) verdict {
	return j.judgePairs(m, func(c *sim.Conn) string {
		if c.PeerEnded() {
			return ""
		}
		return fmt.Sprintf("ends by itself, and the peer of connection %d has not ended", c.Number)
	})
}

// judgePairs judges the pairs of connections that a machine joins as it ends, in both orders.
func (j *Judge) judgePairs(m *sim.Machine, wrong func(c *sim.Conn) string) (v verdict) {
	for _, o := range j.oracles() {
		for i := range j.w.Conns() {
			c := j.w.Conn(i)
			if !c.Of(m) || !c.Joined() {
				continue
			}
			for d := range j.partners(o, c) {
				if text := wrong(c); d.Joined() && text != "" {
					return verdict{oracle: oracleName(o), kind: "relay", why: fmt.Sprintf("the machine of connections %d and %d %s", min(i, d.Number), max(i, d.Number), text)}
				}
			}
		}
	}
	return v
}

func (j *Judge) failRelay(v verdict) {
	if v.why != "" {
		j.Fail(v.oracle, "%s", v.why)
		j.failure.Kind = v.kind
	}
}
