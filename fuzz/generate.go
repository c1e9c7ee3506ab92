package fuzz

import (
	"math/rand/v2"

	"github.com/stator-go/stator/fuzz/trace"
)

// dice makes traces. What a run is made of is drawn anew for each: some faults are
// off entirely, so that others are not hidden by them.
type dice struct {
	*rand.Rand
	spec   *Spec
	knows  *knowledge
	weight [trace.NumOps]int
	total  int
	hold   int // of 100 events
	how    Strategy
	conns  int // numbers in use
}

// knowledge is what runs of a world have shown to be there.
type knowledge struct {
	actions   int
	signals   bool // that machines ask for
	datagrams bool // sockets for them
}

// has tells whether an event may do anything.
func (k *knowledge) has(op trace.Op) bool {
	switch op {
	case trace.Act:
		return k.actions > 0
	case trace.Signal:
		return k.signals
	case trace.Datagram, trace.DatagramFails:
		return k.datagrams
	}
	return true
}

// usual are the weights of what is no fault.
var usual = [trace.NumOps]int{
	trace.Settle: 1, trace.Turn: 1, trace.Advance: 4, trace.Dial: 10, trace.Send: 30, trace.Finish: 3, trace.Close: 2, trace.Reset: 2, trace.Pace: 3, trace.Act: 6,
	trace.Signal: 4, trace.Datagram: 20,
}

// newDice throws for a world, by what its runs have shown.
func newDice(w *World, seed uint64, how Strategy) *dice {
	return &dice{Rand: rand.New(rand.NewPCG(seed, 0)), spec: w.spec, knows: &w.knows, how: how}
}

// draw decides what the next trace is made of.
func (d *dice) draw() {
	d.total = 0
	if d.how == Random || d.how == Guided && d.IntN(2) == 0 {
		d.drawEven()
		return
	}
	faults := []int{0, 1, 1, 4}[d.IntN(4)]
	for op := range trace.NumOps {
		w := usual[op]
		switch {
		case !d.knows.has(op):
			w = 0
		case op.IsFault() && d.IntN(2) == 0:
			w = faults * (1 + d.IntN(4))
		case op != trace.Dial && op != trace.Send && d.IntN(4) == 0:
			w = 0
		case op == trace.Leave && d.IntN(8) == 0:
			w = 1
		}
		d.weight[op] = w
		d.total += w
	}
	d.hold = []int{0, 0, 20, 70}[d.IntN(4)]
	d.conns = 1 + d.IntN(d.spec.Conns)
}

// drawEven takes a bit of everything.
func (d *dice) drawEven() {
	for op := range trace.NumOps {
		if d.weight[op] = usual[op]; !d.knows.has(op) {
			d.weight[op] = 0
		} else if op.IsFault() {
			d.weight[op] = 1
		}
		d.total += d.weight[op]
	}
	d.hold, d.conns = 20, d.spec.Conns
}

// trace is a new trace.
func (d *dice) trace() trace.Trace {
	d.draw()
	return d.more(nil)
}

// more appends as many events as a new trace has. A run's beginning and end cost as
// much as a hundred events, so there are long ones among them.
func (d *dice) more(tr trace.Trace) trace.Trace {
	for range 1 + d.IntN(16<<d.IntN(6)) {
		tr = append(tr, d.event())
	}
	return tr
}

func (d *dice) event() (e trace.Event) {
	at := d.IntN(d.total)
	for at >= d.weight[e.Op] {
		at -= d.weight[e.Op]
		e.Op++
	}
	e.Hold = d.IntN(100) < d.hold
	switch e.Op.Target() {
	case trace.OnConn:
		if e.On = uint16(d.IntN(d.conns)); e.Op != trace.Dial && d.IntN(4) == 0 {
			e.On += uint16(d.spec.Conns)
		}
	case trace.OnLoop:
		e.On = uint16(d.IntN(d.spec.Loops))
	case trace.OnAction:
		e.On = uint16(d.IntN(max(1, d.knows.actions)))
	case trace.OnDatagramPeer:
		if e.On = uint16(d.IntN(d.conns)); d.IntN(4) == 0 {
			e.On += uint16(d.spec.Conns)
		}
	}
	d.arguments(&e)
	return e
}

// arguments draws A and B: mostly small, as most limits are.
func (d *dice) arguments(e *trace.Event) {
	small := func() uint16 { return uint16(d.IntN(1 << (1 + d.IntN(5)))) }
	e.A, e.B = small(), small()
	switch e.Op {
	case trace.Dial:
		if e.A = 0; d.IntN(4) == 0 {
			e.A = uint16(d.IntN(4))
		}
	case trace.Send:
		e.A = d.word()
		if e.B = 0; d.IntN(8) == 0 {
			e.B = uint16(d.IntN(1 << d.IntN(11)))
		}
	case trace.Advance, trace.Jump:
		e.A, e.B = uint16(d.IntN(100)), uint16(d.IntN(len(trace.Units)))
	case trace.Pace:
		if d.IntN(2) == 0 {
			e.A = 1<<16 - 1
		}
	case trace.Window:
		e.A, e.B = uint16(1+d.IntN(1<<d.IntN(12))), uint16(d.IntN(1<<d.IntN(12)))
	case trace.Datagram:
		if e.A = d.word(); d.IntN(8) == 0 {
			e.A = uint16(len(d.spec.Dict) + 256)
		}
	case trace.Act:
		e.A = uint16(d.IntN(1 << 16))
		if e.B = 0; d.IntN(8) == 0 {
			e.B = uint16(d.IntN(1 << d.IntN(8)))
		}
	case trace.Permute, trace.Late:
		e.A = uint16(d.IntN(1 << 16))
	case trace.Abrupt:
		e.A, e.B = uint16(1+d.IntN(8)), uint16(d.IntN(trace.AbruptSend+1))
		if e.B == trace.AbruptSend {
			e.B += d.word()
		}
	case trace.Scarce:
		e.B = uint16(d.IntN(4))
	case trace.Limit:
		e.A, e.B = uint16(1+d.IntN(8)), uint16(1+d.IntN(32))
	}
}

// word is a word of the dictionary, or now and then a single byte.
func (d *dice) word() uint16 {
	n := len(d.spec.Dict)
	if n == 0 || d.IntN(16) == 0 {
		return uint16(n + d.IntN(256))
	}
	return uint16(d.IntN(n))
}

// mutate is a trace like another one: that one with a few events more, with as many
// more as a new trace has, or changed.
func (d *dice) mutate(tr, other trace.Trace) trace.Trace {
	d.draw()
	out := append(make(trace.Trace, 0, len(tr)+16), tr...)
	switch d.IntN(3) {
	case 0:
		return d.extend(out)
	case 1:
		return d.more(out)
	}
	for range 1 + d.IntN(4) {
		at := d.IntN(len(out) + 1)
		switch d.IntN(6) {
		case 0, 1:
			out = append(out[:at], append(trace.Trace{d.event()}, out[at:]...)...)
		case 2:
			if end := min(len(out), at+1+d.IntN(4)); at < end {
				out = append(out[:at], out[end:]...)
			}
		case 3:
			if at < len(out) {
				d.arguments(&out[at])
			}
		case 4:
			if at < len(out) {
				out[at].Hold = !out[at].Hold
			}
		case 5:
			if len(other) > 0 && len(out) < 256 {
				from := d.IntN(len(other))
				part := other[from:min(len(other), from+1+d.IntN(16))]
				out = append(out[:at], append(append(trace.Trace{}, part...), out[at:]...)...)
			}
		}
	}
	return out
}

// extend goes on where a trace ends, half of the time with more of its last event.
func (d *dice) extend(tr trace.Trace) trace.Trace {
	for range 1 + d.IntN(4) {
		if last := len(tr) - 1; last >= 0 && d.IntN(2) == 0 {
			e := tr[last]
			d.arguments(&e)
			tr = append(tr, e)
		} else {
			tr = append(tr, d.event())
		}
	}
	return tr
}
