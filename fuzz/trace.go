package fuzz

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stator-go/stator/reactor"
)

// Event is one thing that happens in a run: 8 bytes, whatever it is. What it means
// for a world in which its target is gone, or never was, is nothing; so each list of
// events is a run, and each sublist of one.
type Event struct {
	Op   Op
	Hold bool   // the loops take no turn before the next event
	On   uint16 // connection, loop, or action
	A, B uint16
}

// Trace is a run.
type Trace []Event

// Op is what an Event does.
type Op uint8

// target is what Event.On numbers.
type target uint8

const (
	onNothing target = iota
	onConn
	onLoop
	onAction
	onPen
)

// opInfo is all that there is to say of an Op: a row of ops.
type opInfo struct {
	name  string
	on    target
	a, b  string // names of the arguments; empty: unused
	fault bool
	do    func(w *World, e Event)
	say   string // for people; ON, AA and BB stand for the numbers
	least string // which of A and B is 1 when it is less
}

// The order of ops is part of the format of recorded bytes: new ones come last.
const (
	opNone Op = iota
	opTurn
	opAdvance
	opDial
	opSend
	opFinish
	opClose
	opReset
	opPace
	opAct
	opLeave
	opLimit
	opShortRead
	opShortWrite
	opBlockRead
	opBlockWrite
	opWindow
	opSplit
	opSpurious
	opStale
	opPermute
	opFew
	opLate
	opAcceptFails
	opConnectFails
	opJump
	opSignal
	opLetter
	opMailFails
	opAbrupt
	opScarce
	opCount
)

var ops [opCount]opInfo

func init() { // the rows call what reads them
	ops = [opCount]opInfo{
		opNone:         {name: "settle", do: func(*World, Event) {}, say: "the loops come to rest"},
		opTurn:         {name: "turn", on: onLoop, a: "times", do: (*World).doTurn, say: "loop ON alone takes AA turns", least: "A"},
		opAdvance:      {name: "advance", a: "n", b: "unit", do: func(w *World, e Event) { w.advance(e.span()) }, say: "time passes"},
		opDial:         {name: "dial", on: onConn, a: "listener", do: onAConn(func(w *World, c *conn, e Event) { w.dial(c, int(e.A)) }), say: "connection ON dials listener AA"},
		opSend:         {name: "send", on: onConn, a: "word", b: "more", do: onAConn((*World).doSend), say: "connection ON sends"},
		opFinish:       {name: "finish", on: onConn, do: onAConn((*World).doFinish), say: "connection ON ends its direction"},
		opClose:        {name: "close", on: onConn, do: onAConn(func(w *World, c *conn, _ Event) { w.hangUp(c, false) }), say: "connection ON closes"},
		opReset:        {name: "reset", on: onConn, do: onAConn(func(w *World, c *conn, _ Event) { w.hangUp(c, true) }), say: "connection ON is reset"},
		opPace:         {name: "pace", on: onConn, a: "bytes", b: "ms", do: onAConn((*World).doPace), say: "connection ON reads AA bytes each BB ms"},
		opAct:          {name: "act", on: onAction, a: "arg", b: "more", do: (*World).doAct, say: "action ON happens with AA"},
		opLeave:        {name: "leave", on: onLoop, do: func(w *World, e Event) { w.leave(int(e.On)) }, say: "loop ON is asked to shut down"},
		opLimit:        {name: "limit", a: "slots", b: "steps", fault: true, do: func(*World, Event) {}, say: "loops have AA slots, and BB steps a turn", least: "AB"},
		opShortRead:    {name: "short-read", on: onConn, a: "bytes", b: "times", fault: true, do: onASock((*sock).doShortRead), say: "connection ON is read AA bytes at a time, BB times", least: "AB"},
		opShortWrite:   {name: "short-write", on: onConn, a: "bytes", b: "times", fault: true, do: onASock((*sock).doShortWrite), say: "connection ON takes AA bytes of a write, BB times", least: "AB"},
		opBlockRead:    {name: "block-read", on: onConn, a: "times", fault: true, do: onASock(func(s *sock, e Event) { s.armed.readBlocks = min(times(e.A), 1000) }), say: "connection ON would block a read, AA times", least: "A"},
		opBlockWrite:   {name: "block-write", on: onConn, a: "times", fault: true, do: onASock(func(s *sock, e Event) { s.armed.writeBlocks = min(times(e.A), 1000) }), say: "connection ON would block a write, AA times", least: "A"},
		opWindow:       {name: "window", on: onConn, a: "bytes", b: "queue", fault: true, do: onAConn((*World).doWindow), say: "connection ON has kernels with room for AA+BB bytes", least: "A"},
		opSplit:        {name: "split", on: onConn, a: "bytes", b: "times", fault: true, do: onAConn((*World).doSplit), say: "connection ON sends in pieces of AA bytes, BB times", least: "AB"},
		opSpurious:     {name: "spurious", on: onConn, a: "bits", fault: true, do: onAConn(func(w *World, c *conn, e Event) { w.spurious(c, untrue(e.A)) }), say: "connection ON is said to be ready, and is not"},
		opStale:        {name: "stale", on: onConn, a: "bits", fault: true, do: onAConn(func(w *World, c *conn, e Event) { w.stale(c, untrue(e.A)) }), say: "an event comes late, for what connection ON was before"},
		opPermute:      {name: "permute", on: onLoop, a: "seed", fault: true, do: onADriver(func(d *simDriver, e Event) { d.armed.seed = uint32(e.A) }), say: "the next events of loop ON come in another order"},
		opFew:          {name: "few", on: onLoop, a: "events", fault: true, do: onADriver(func(d *simDriver, e Event) { d.armed.most = times(e.A) }), say: "the next wait of loop ON answers AA events at most", least: "A"},
		opLate:         {name: "late", on: onLoop, a: "µs", fault: true, do: onADriver(func(d *simDriver, e Event) { d.armed.late = int64(e.A) * 1000 }), say: "the next deadline of loop ON is seen AA µs late"},
		opAcceptFails:  {name: "accept-fails", on: onLoop, a: "error", b: "times", fault: true, do: onADriver((*simDriver).doAcceptFails), say: "accepting fails on loop ON, BB times", least: "B"},
		opConnectFails: {name: "connect-fails", on: onLoop, a: "how", b: "times", fault: true, do: onADriver((*simDriver).doConnectFails), say: "connecting fails on loop ON, BB times", least: "B"},
		opJump:         {name: "jump", a: "n", b: "unit", fault: true, do: (*World).doJump, say: "the clock jumps"},
		opSignal:       {name: "signal", on: onLoop, a: "which", b: "more", do: (*World).doSignal, say: "a signal that loop ON asked for comes"},
		opLetter:       {name: "letter", on: onPen, a: "word", b: "to", do: (*World).doLetter, say: "datagram peer ON sends"},
		opMailFails:    {name: "mail-fails", on: onLoop, a: "how", b: "times", fault: true, do: onADriver((*simDriver).doMailFails), say: "datagrams of loop ON, the next BB,", least: "B"},
		opAbrupt:       {name: "abrupt", on: onConn, a: "calls", b: "what", fault: true, do: onASock(func(s *sock, e Event) { s.armed.calls, s.armed.what = times(e.A), int(e.B) }), say: "connection ON acts before the AA-th next read or write of its machine", least: "A"},
		opScarce:       {name: "scarce", a: "KiB", b: "timers", fault: true, do: func(*World, Event) {}, say: "ports of a loop hold 8+AA KiB together, and BB timers run (0: as many as usual)"},
	}
}

func onAConn(do func(*World, *conn, Event)) func(*World, Event) {
	return func(w *World, e Event) {
		if int(e.On) < len(w.conns) {
			do(w, &w.conns[e.On], e)
		}
	}
}

func onASock(do func(*sock, Event)) func(*World, Event) {
	return onAConn(func(_ *World, c *conn, e Event) {
		if s := c.machineEnd(); s != nil {
			do(s, e)
		}
	})
}

func onADriver(do func(*simDriver, Event)) func(*World, Event) {
	return func(w *World, e Event) {
		if int(e.On) < len(w.drivers) {
			do(w.drivers[e.On], e)
		}
	}
}

// times makes a count of an argument: once at least.
func times(n uint16) int { return max(1, int(n)) }

// units are the spans that time passes in.
var units = [...]time.Duration{time.Microsecond, time.Millisecond, 100 * time.Millisecond, time.Second, time.Minute}

func (e Event) span() time.Duration {
	return min(time.Duration(e.A)*units[int(e.B)%len(units)], 24*time.Hour)
}

// limit lowers the limits of loops, where the trace says so.
func (tr Trace) limit(cfg *reactor.Config) {
	for _, e := range tr {
		if e.Op == opLimit {
			cfg.Slots = min(cfg.Slots, max(1, int(e.A)))
			cfg.Steps = max(1, int(e.B)%64)
			break
		}
	}
	for _, e := range tr {
		if e.Op == opScarce {
			cfg.Buffers = (8 + int(e.A)) << 10
			if e.B > 0 {
				cfg.Timers = int(e.B)
			}
			break
		}
	}
}

// String is one event a line, for people and for Parse.
func (tr Trace) String() string {
	var b strings.Builder
	for _, e := range tr {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

// String is the event's op, target and arguments, as Parse takes them.
func (e Event) String() string {
	o := &ops[e.Op%opCount]
	s := o.name
	if o.on != onNothing {
		s += fmt.Sprint(" ", e.On)
	}
	switch {
	case e.saysWord() && e.A >= lastingBytes && e.A < lastingBytes+256:
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

// Parse reads what Trace.String wrote. Empty lines, and what follows a #, are left out;
// numbers that are not given are 0.
func Parse(text string) (tr Trace, err error) {
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if f := strings.Fields(text); len(f) > 0 {
			e, err := parseEvent(f)
			if err != nil {
				return nil, fmt.Errorf("fuzz: trace, line %d: %w", n, err)
			}
			tr = append(tr, e)
		}
	}
	return tr, lines.Err()
}

func parseEvent(f []string) (e Event, err error) {
	for e.Op < opCount && ops[e.Op].name != f[0] {
		e.Op++
	}
	if e.Op == opCount {
		return e, fmt.Errorf("no event is named %q", f[0])
	}
	seen := make(map[*uint16]bool)
	for _, arg := range f[1:] {
		if arg == "hold" && !e.Hold {
			e.Hold = true
			continue
		}
		to, value, from, most := e.argument(arg)
		if to == nil || seen[to] {
			return e, fmt.Errorf("%s has no argument %q, or no more of them", f[0], arg)
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

// argument is what an argument's text sets, to from and its value, which is most at
// most; nil: nothing.
func (e *Event) argument(text string) (to *uint16, value string, from, most uint16) {
	o := &ops[e.Op]
	name, value, named := strings.Cut(text, "=")
	switch {
	case !named && o.on != onNothing:
		return &e.On, text, 0, 1<<16 - 1
	case named && name == "byte" && e.saysWord():
		return &e.A, value, lastingBytes, 1<<8 - 1
	case named && o.a != "" && name == o.a:
		return &e.A, value, 0, 1<<16 - 1
	case named && o.b != "" && name == o.b:
		return &e.B, value, 0, 1<<16 - 1
	}
	return nil, "", 0, 0
}
