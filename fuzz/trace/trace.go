// Package trace defines the input of a simulated run: a list of events, 8 bytes each.
// Together with a fuzz.Spec it determines the run, if handlers follow the rules in package
// fuzz.
//
// Package fuzz generates, shrinks and keeps traces. You can also write one: as text for
// [Parse], one event per line,
//
//	dial 0
//	send 0 word=1 hold
//	finish 0
//
// or as the same events in Go:
//
//	trace.Trace{{Op: trace.Dial}, {Op: trace.Send, A: 1, Hold: true}, {Op: trace.Finish}}
//
// An event whose target does not exist, or no longer exists, does nothing. So every list
// of events is a valid trace, and so is every trace with events left out.
package trace

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Trace is the input of one run: its events, in order.
type Trace []Event

// Event is one event of a trace.
type Event struct {
	Op   Op
	Hold bool   // the loops take no turn before the next event
	On   uint16 // number of the connection, loop, action or datagram peer: see Op.Target
	A, B uint16 // arguments: see Op.Args
}

// MaxArg is the largest argument. In a [Pace] it means that the peer reads all at once, in
// a [Signal] all signals, in an [AnswerWaits] that no reply comes while faults last.
const MaxArg = 1<<16 - 1

// Times returns the count that an argument stands for: arg, or 1 if it is 0.
func Times(arg uint16) int { return max(1, int(arg)) }

// Units are the units of time of [Advance] and [Jump]: Event.B, modulo their number, is an
// index.
var Units = [...]time.Duration{time.Microsecond, time.Millisecond, 100 * time.Millisecond, time.Second, time.Minute}

// Span returns how much time passes in an [Advance] or [Jump]: at most 24 hours.
func (e Event) Span() time.Duration {
	return min(time.Duration(e.A)*Units[int(e.B)%len(Units)], 24*time.Hour)
}

// String returns the trace as text, one event per line, in the format that [Parse] reads.
func (tr Trace) String() string {
	var b strings.Builder
	for _, e := range tr {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

// String returns the event as text: its name, its target and its named arguments.
func (e Event) String() string {
	o := e.Op.info()
	s := o.name
	if o.on != OnNothing {
		s += fmt.Sprint(" ", e.On)
	}
	switch {
	case e.hasWord() && isLastingByte(e.A):
		s += fmt.Sprintf(" byte=%d", e.A-lastingBytes)
	case o.a != "":
		s += fmt.Sprintf(" %s=%d", o.a, e.A)
	}
	if o.b != "" {
		s += fmt.Sprintf(" %s=%d", o.b, e.B)
	}
	if e.Hold {
		s += " hold"
	}
	return s
}

// Parse reads a trace in the format of [Trace.String]. It ignores empty lines, and the
// rest of a line after a #. Numbers that are missing are 0.
func Parse(text string) (tr Trace, err error) {
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if f := strings.Fields(text); len(f) > 0 {
			e, err := parseEvent(f)
			if err != nil {
				return nil, fmt.Errorf("trace: line %d: %w", n, err)
			}
			tr = append(tr, e)
		}
	}
	return tr, lines.Err()
}

// usage describes the arguments of an Op in the text of a trace.
func (op Op) usage() string {
	var all []string
	if op.Target() != OnNothing {
		all = append(all, "a number")
	}
	a, b := op.Args()
	for _, name := range []string{a, b} {
		if name != "" {
			all = append(all, name+"=…")
		}
	}
	return strings.Join(append(all, "hold"), ", ")
}

// parseEvent reads the fields of a line.
func parseEvent(f []string) (e Event, err error) {
	op, known := opNamed(f[0])
	if !known {
		return e, fmt.Errorf("unknown event %q: want one of %s", f[0], names())
	}
	e.Op = op
	seen := make(map[*uint16]bool)
	for _, arg := range f[1:] {
		if arg == "hold" && !e.Hold {
			e.Hold = true
			continue
		}
		to, value, from, most := e.argument(arg)
		if to == nil || seen[to] {
			return e, fmt.Errorf("%s: unexpected argument %q: want %s", f[0], arg, op.usage())
		}
		seen[to] = true
		n, err := strconv.ParseUint(value, 10, 16)
		if err != nil || uint16(n) > most {
			return e, fmt.Errorf("argument %q: want a number from 0 to %d", arg, most)
		}
		*to = from + uint16(n)
	}
	return e, nil
}

// argument finds the field that an argument sets. The field becomes from plus value,
// which may be at most most. If the event has no such argument, to is nil.
func (e *Event) argument(text string) (to *uint16, value string, from, most uint16) {
	o := e.Op.info()
	name, value, named := strings.Cut(text, "=")
	switch {
	case !named && o.on != OnNothing:
		return &e.On, text, 0, MaxArg
	case named && name == "byte" && e.hasWord():
		return &e.A, value, lastingBytes, 1<<8 - 1
	case named && o.a != "" && name == o.a:
		return &e.A, value, 0, MaxArg
	case named && o.b != "" && name == o.b:
		return &e.B, value, 0, MaxArg
	}
	return nil, "", 0, 0
}
