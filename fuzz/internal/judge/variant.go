package judge

import "github.com/stator-go/stator/fuzz/trace"

// Variant is a trace that is made from another one with a change that must not matter. It
// records which event each of its events is made from, so that reports of its run use the
// numbers of the original trace.
type Variant struct {
	How      string // what is special about it, for people
	Trace    trace.Trace
	From     []int // by event: the number of the event that it is made of; 0: none
	Spurious bool  // it is run with spurious events
}

// Itself returns a trace as it is.
func Itself(tr trace.Trace, how string) (v Variant) {
	v.How = how
	for i, e := range tr {
		v.add(e, i+1)
	}
	return v
}

func (v *Variant) add(e trace.Event, from int) {
	v.Trace, v.From = append(v.Trace, e), append(v.From, from)
}

// Number returns the number of the last event, among the first n, that is made of one.
func (v *Variant) Number(n int) int {
	for n = min(n, len(v.From)); n > 0; n-- {
		if v.From[n-1] > 0 {
			return v.From[n-1]
		}
	}
	return 0
}

// calm returns a trace without faults, in which the loops rest after each event. A Repeat
// would repeat other events than in the trace.
func calm(tr trace.Trace, how string) (v Variant) {
	v.How = how
	for i, e := range tr {
		if !e.Op.IsFault() && e.Op != trace.Pace && e.Op != trace.Turn && e.Op != trace.Repeat {
			e.Hold = false
			v.add(e, i+1)
		}
	}
	return v
}

// without returns a variant without the events that are off.
func (v Variant) without(off trace.Weights) (out Variant) {
	if len(off) == 0 {
		return v
	}
	out.How, out.Spurious = v.How, v.Spurious
	for i, e := range v.Trace {
		if !off.OffEvent(e) {
			out.add(e, v.From[i])
		}
	}
	return out
}

// alone returns a variant without what happens to other connections.
func (v Variant) alone(conn int, how string) (out Variant) {
	out.How = how
	for i, e := range v.Trace {
		if e.Op.Target() != trace.OnConn || int(e.On) == conn {
			out.add(e, v.From[i])
		}
	}
	return out
}

// whole returns what one connection sends, in one piece; speaks is false if it sends
// nothing. The connection dials first, whether it did so or not.
func whole(tr trace.Trace, conn int, how string) (v Variant, speaks bool) {
	v.How = how
	v.add(trace.Event{Op: trace.Dial, On: uint16(conn), Hold: true}, 0)
	for i, e := range tr {
		switch {
		case int(e.On) != conn:
		case e.Op == trace.Dial && v.From[0] == 0:
			v.From[0], v.Trace[0].A = i+1, e.A // at the same listener
		case e.Op == trace.Send && e.B < 64:
			e.Hold = true
			v.add(e, i+1)
		}
	}
	if len(v.Trace) == 1 {
		return v, false
	}
	v.Trace[len(v.Trace)-1].Hold = false
	return v, true
}

// split returns what whole sends, byte by byte, with the loops at rest after each.
func (v Variant) split(how string) Variant {
	out := v.behindDial(how, trace.Event{Op: trace.Split, On: v.Trace[0].On, A: 1, B: trace.MaxArg})
	for i := range out.Trace {
		out.Trace[i].Hold = false
	}
	return out
}

// splitFrom returns a variant in which the words that the connections from a number on send
// arrive byte by byte; speaks is false if they send none.
func (v Variant) splitFrom(conn int, how string) (out Variant, speaks bool) {
	out.How = how
	for i, e := range v.Trace {
		if e.Op == trace.Send && int(e.On) >= conn && e.B < 64 {
			out.add(trace.Event{Op: trace.Split, On: e.On, A: 1, B: 1, Hold: true}, 0)
			speaks = true
		}
		out.add(e, v.From[i])
	}
	return out, speaks
}

// speakers returns how many connections send something.
func (v Variant) speakers() int {
	on := make(map[uint16]bool)
	for _, e := range v.Trace {
		if e.Op == trace.Send {
			on[e.On] = true
		}
	}
	return len(on)
}

// cuts is how many reads, and how many writes, of a machine move one byte each: enough for
// all boundaries in the messages of a protocol, and not for all bytes of what they carry.
const cuts = 1024

// cut returns what whole sends, to a machine whose reads and writes move one byte each.
func (v Variant) cut(how string) Variant {
	on := v.Trace[0].On
	return v.behindDial(how, trace.Event{Op: trace.ShortRead, On: on, A: 1, B: cuts}, trace.Event{Op: trace.ShortWrite, On: on, A: 1, B: cuts})
}

// ended returns what whole sends to a machine that exists, and the peer's end, before the
// loops see any of it.
func (v Variant) ended(how string) (out Variant) {
	out.How = how
	for i, e := range v.Trace {
		e.Hold = i > 0
		out.add(e, v.From[i])
	}
	out.add(trace.Event{Op: trace.Finish, On: v.Trace[0].On}, 0)
	return out
}

// behindDial returns a variant with events inserted behind its first one: faults need a
// connection.
func (v Variant) behindDial(how string, events ...trace.Event) (out Variant) {
	out.How = how
	out.add(v.Trace[0], v.From[0])
	for _, e := range events {
		out.add(e, 0)
	}
	out.Trace[0].Hold = false
	for i := 1; i < len(v.Trace); i++ {
		out.add(v.Trace[i], v.From[i])
	}
	return out
}
