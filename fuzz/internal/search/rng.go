package search

import (
	"math/rand/v2"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// rng makes traces at random. For each trace it chooses which events it may have: some faults
// are off, so that they do not hide others.
type rng struct {
	*rand.Rand
	cfg    *Config
	found  *sim.Found
	how    Strategy
	weight [trace.NumOps]int
	total  int
	hold   int // of 100 events
	conns  int // numbers in use
	words  vocabulary
	so     trace.Trace // the events in front of the next one
}

func newRNG(cfg *Config, found *sim.Found, words vocabulary, random *rand.Rand) *rng {
	return &rng{Rand: random, cfg: cfg, found: found, how: cfg.Strategy, words: words}
}

// has reports whether an event may have an effect.
func (r *rng) has(op trace.Op) bool {
	switch op {
	case trace.Act:
		return r.found.Actions > 0
	case trace.Signal:
		return r.found.Signals
	case trace.WorkWaits:
		return r.found.Work
	case trace.Interleave:
		return r.cfg.Loops > 1 || r.found.Actions > 0 || r.found.Work
	case trace.ConnectWaits:
		return r.found.Dials
	case trace.LookUpWaits, trace.LookUpFails:
		return r.found.LookUps
	case trace.AnswerWaits:
		return r.found.Backends
	case trace.Repeat: // which only a soak makes
		return false
	case trace.Datagram, trace.DatagramFails:
		return r.found.Datagrams
	}
	return true
}

// usual has the weights of events that are not faults.
var usual = [trace.NumOps]int{
	trace.Settle: 1, trace.Turn: 1, trace.Advance: 4, trace.Dial: 10, trace.Send: 30, trace.Finish: 3, trace.Close: 2, trace.Reset: 2, trace.Pace: 3, trace.Act: 6,
	trace.Signal: 4, trace.Datagram: 20,
}

// draw chooses the weights of the next trace.
func (r *rng) draw() {
	r.total = 0
	defer r.weigh()
	if r.how == Random || r.how == Guided && r.IntN(2) == 0 {
		r.drawEven()
		return
	}
	faults := []int{0, 1, 1, 4}[r.IntN(4)]
	for op := range trace.NumOps {
		w := usual[op]
		switch {
		case !r.has(op):
			w = 0
		case op.IsFault() && r.IntN(2) == 0:
			w = faults * (1 + r.IntN(4))
		case op != trace.Dial && op != trace.Send && r.IntN(4) == 0:
			w = 0
		case op == trace.Leave && r.IntN(8) == 0:
			w = 1
		}
		r.weight[op] = w
	}
	r.hold = []int{0, 0, 20, 70}[r.IntN(4)]
	r.conns = 1 + r.IntN(r.cfg.Conns)
}

// weigh makes some events more frequent, or switches them off, as the Spec has it.
func (r *rng) weigh() {
	for op := range r.weight {
		if len(r.cfg.Faults) > 0 {
			r.weight[op] *= r.cfg.Faults.Of(trace.Op(op))
		}
		r.total += r.weight[op]
	}
	if r.total == 0 {
		r.weight[trace.Settle], r.total = 1, 1
	}
}

// drawEven gives weight to all events.
func (r *rng) drawEven() {
	for op := range trace.NumOps {
		if r.weight[op] = usual[op]; !r.has(op) {
			r.weight[op] = 0
		} else if op.IsFault() {
			r.weight[op] = 1
		}
	}
	r.hold, r.conns = 20, r.cfg.Conns
}

// trace returns a new trace.
func (r *rng) trace() trace.Trace {
	r.draw()
	return r.more(nil)
}

// more appends as many events as a new trace has. The beginning and the end of a run cost
// as much as a hundred events, so there are long ones among them.
func (r *rng) more(tr trace.Trace) trace.Trace {
	for range 1 + r.IntN(16<<r.IntN(6)) {
		r.so = tr
		tr = append(tr, r.event())
	}
	return tr
}

func (r *rng) event() (e trace.Event) {
	at := r.IntN(r.total)
	for at >= r.weight[e.Op] {
		at -= r.weight[e.Op]
		e.Op++
	}
	e.Hold = r.IntN(100) < r.hold
	switch e.Op.Target() {
	case trace.OnConn:
		if e.On = uint16(r.IntN(r.conns)); e.Op == trace.AnswerWaits || e.Op != trace.Dial && r.IntN(4) == 0 {
			e.On += uint16(r.cfg.Conns)
		}
	case trace.OnLoop:
		e.On = uint16(r.IntN(r.cfg.Loops))
	case trace.OnAction:
		e.On = uint16(r.IntN(max(1, r.found.Actions)))
	case trace.OnDatagramPeer:
		if e.On = uint16(r.IntN(r.conns)); r.IntN(4) == 0 {
			e.On += uint16(r.cfg.Conns)
		}
	}
	r.arguments(&e)
	return e
}

// arguments draws A and B: mostly small, as most limits are.
func (r *rng) arguments(e *trace.Event) {
	small := func() uint16 { return uint16(r.IntN(1 << (1 + r.IntN(5)))) }
	e.A, e.B = small(), small()
	switch e.Op {
	case trace.Dial:
		if e.A = 0; len(r.cfg.Roles.All) > 0 {
			e.A, _ = pick(r, r.words.dialable)
		} else if r.IntN(4) == 0 {
			e.A = uint16(r.IntN(4))
		}
	case trace.Send:
		e.A = r.word(e.On)
		e.B = r.repeats()
	case trace.Advance, trace.Jump:
		e.A, e.B = uint16(r.IntN(100)), uint16(r.IntN(len(trace.Units)))
	case trace.Pace:
		if r.IntN(2) == 0 {
			e.A = trace.MaxArg
		}
	case trace.Window:
		e.A, e.B = uint16(1+r.IntN(1<<r.IntN(12))), uint16(r.IntN(1<<r.IntN(12)))
	case trace.Datagram:
		if e.A = r.datagramWord(); r.IntN(8) == 0 {
			e.A = r.cfg.Dict.Empty()
		}
	case trace.Act:
		e.A = uint16(r.IntN(1 << 16))
		if e.B = 0; r.IntN(8) == 0 {
			e.B = uint16(r.IntN(1 << r.IntN(8)))
		}
	case trace.WorkWaits, trace.ConnectWaits, trace.LookUpWaits:
		e.A = uint16(r.IntN(1 << r.IntN(14)))
	case trace.AnswerWaits:
		if e.A = uint16(r.IntN(1 << r.IntN(14))); r.IntN(4) == 0 {
			e.A = trace.MaxArg
		}
	case trace.Permute, trace.Late:
		e.A = uint16(r.IntN(1 << 16))
	case trace.Abrupt:
		e.A, e.B = uint16(1+r.IntN(8)), uint16(r.IntN(trace.AbruptSend+1))
		if e.B == trace.AbruptSend {
			e.B += r.word(e.On)
		}
		for r.cfg.Faults.OffEvent(*e) && e.B < trace.AbruptSend {
			e.B++
		}
	case trace.Scarce:
		if e.A >= 16 { // so much that each of some machines has a share of its own
			e.A = 16 + (e.A-16)*8
		}
		e.B = uint16(r.IntN(4))
	case trace.Limit:
		e.A, e.B = uint16(1+r.IntN(8)), uint16(1+r.IntN(32))
	}
}

// repeats returns how many more times a word is sent: mostly none, else any number, or a power
// of two in all, or one more than that, as those are what most limits are.
func (r *rng) repeats() uint16 {
	switch n := r.IntN(32); {
	case n < 4:
		return uint16(r.IntN(1 << r.IntN(11)))
	case n == 4:
		return uint16(1<<r.IntN(12) - r.IntN(2))
	}
	return 0
}

// word returns the number of a dictionary word for a connection, or sometimes that of a single
// byte.
func (r *rng) word(conn uint16) uint16 {
	n := len(r.cfg.Dict)
	if !r.cfg.WordsOnly && (n == 0 || r.IntN(16) == 0) {
		return uint16(n + r.IntN(256))
	}
	if len(r.cfg.Roles.All) == 0 && n > 0 {
		return uint16(r.IntN(n))
	}
	if word, ok := r.words.draw(r, conn, r.so); ok {
		return word
	}
	if r.cfg.WordsOnly {
		return r.cfg.Dict.Empty()
	}
	return uint16(n + r.IntN(256))
}

// datagramWord returns the number of a word for a datagram, whose receiver is not known.
func (r *rng) datagramWord() uint16 {
	if len(r.cfg.Roles.All) == 0 {
		return r.word(0)
	}
	if word, ok := pick(r, r.words.all); ok && r.IntN(16) > 0 {
		return word
	}
	return uint16(len(r.cfg.Dict) + r.IntN(256))
}

// mutate returns a trace made from another one: with a few more events, with as many more as
// a new trace has, or changed.
func (r *rng) mutate(tr, other trace.Trace) trace.Trace {
	r.draw()
	out := append(make(trace.Trace, 0, len(tr)+16), tr...)
	switch r.IntN(3) {
	case 0:
		return r.extend(out)
	case 1:
		return r.more(out)
	}
	for range 1 + r.IntN(4) {
		at := r.IntN(len(out) + 1)
		r.so = out[:at]
		switch r.IntN(6) {
		case 0, 1:
			out = append(out[:at], append(trace.Trace{r.event()}, out[at:]...)...)
		case 2:
			if end := min(len(out), at+1+r.IntN(4)); at < end {
				out = append(out[:at], out[end:]...)
			}
		case 3:
			if at < len(out) {
				r.arguments(&out[at])
			}
		case 4:
			if at < len(out) {
				out[at].Hold = !out[at].Hold
			}
		case 5:
			if len(other) > 0 && len(out) < 256 {
				from := r.IntN(len(other))
				part := other[from:min(len(other), from+1+r.IntN(16))]
				out = append(out[:at], append(append(trace.Trace{}, part...), out[at:]...)...)
			}
		}
	}
	return out
}

// extend adds events to a trace: half of the time more of its last event.
func (r *rng) extend(tr trace.Trace) trace.Trace {
	for range 1 + r.IntN(4) {
		r.so = tr
		if last := len(tr) - 1; last >= 0 && r.IntN(2) == 0 {
			e := tr[last]
			r.arguments(&e)
			tr = append(tr, e)
		} else {
			tr = append(tr, r.event())
		}
	}
	return tr
}
