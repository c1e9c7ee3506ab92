package fuzz

import "github.com/stator-go/stator/fuzz/trace"

// A variant is a trace made of another one, with something changed that must not
// matter. It keeps what each of its events is made of, so that what happens in its run
// is told in the numbers of the trace that people see.
type variant struct {
	how     string // what is special about it, for people
	trace   trace.Trace
	from    []int // by event, the number of the one that it is made of; 0: none
	haunted bool  // events come that are not true
}

// itself is a trace as it is.
func itself(tr trace.Trace, how string) (v variant) {
	v.how = how
	for i, e := range tr {
		v.add(e, i+1)
	}
	return v
}

func (v *variant) add(e trace.Event, from int) {
	v.trace, v.from = append(v.trace, e), append(v.from, from)
}

// number is that of the last event, among the first n, that is made of one.
func (v *variant) number(n int) int {
	for n = min(n, len(v.from)); n > 0; n-- {
		if v.from[n-1] > 0 {
			return v.from[n-1]
		}
	}
	return 0
}

// calm is a trace without faults, in which the loops rest after each event.
func calm(tr trace.Trace, how string) (v variant) {
	v.how = how
	for i, e := range tr {
		if !e.Op.IsFault() && e.Op != trace.Pace && e.Op != trace.Turn {
			e.Hold = false
			v.add(e, i+1)
		}
	}
	return v
}

// alone is a variant without what happens to other connections.
func (v variant) alone(conn int, how string) (out variant) {
	out.how = how
	for i, e := range v.trace {
		if e.Op.Target() != trace.OnConn || int(e.On) == conn {
			out.add(e, v.from[i])
		}
	}
	return out
}

// whole is what one connection sends, in one piece; false when it sends nothing. It
// dials, whether it did or not: words are worth more than who says them.
func whole(tr trace.Trace, conn int, how string) (v variant, speaks bool) {
	v.how = how
	v.add(trace.Event{Op: trace.Dial, On: uint16(conn), Hold: true}, 0)
	for i, e := range tr {
		switch {
		case int(e.On) != conn:
		case e.Op == trace.Dial && v.from[0] == 0:
			v.from[0] = i + 1
		case e.Op == trace.Send && e.B < 64:
			e.Hold = true
			v.add(e, i+1)
		}
	}
	if len(v.trace) == 1 {
		return v, false
	}
	v.trace[len(v.trace)-1].Hold = false
	return v, true
}

// always is a number of times that never ends.
const always = 1<<16 - 1

// split is what whole sends, byte by byte, with the loops at rest after each.
func (v variant) split(how string) variant {
	out := v.behindDial(how, trace.Event{Op: trace.Split, On: v.trace[0].On, A: 1, B: always})
	for i := range out.trace {
		out.trace[i].Hold = false
	}
	return out
}

// cuts is how many reads and how many writes of a machine move one byte each: enough
// for each boundary of what a protocol says, and not for each byte of what it carries.
const cuts = 1024

// cut is what whole sends, with a machine whose reads and writes move one byte each: so
// each boundary is met that there is.
func (v variant) cut(how string) variant {
	on := v.trace[0].On
	return v.behindDial(how, trace.Event{Op: trace.ShortRead, On: on, A: 1, B: cuts}, trace.Event{Op: trace.ShortWrite, On: on, A: 1, B: cuts})
}

// ended is what whole sends to a machine that is there, and the peer's end before the
// loops see any of it.
func (v variant) ended(how string) (out variant) {
	out.how = how
	for i, e := range v.trace {
		e.Hold = i > 0
		out.add(e, v.from[i])
	}
	out.add(trace.Event{Op: trace.Finish, On: v.trace[0].On}, 0)
	return out
}

// behindDial is a variant with events behind its first one: faults of a connection
// that there is.
func (v variant) behindDial(how string, events ...trace.Event) (out variant) {
	out.how = how
	out.add(v.trace[0], v.from[0])
	for _, e := range events {
		out.add(e, 0)
	}
	out.trace[0].Hold = false
	for i := 1; i < len(v.trace); i++ {
		out.add(v.trace[i], v.from[i])
	}
	return out
}
