package judge

import (
	"bytes"
	"fmt"
	"time"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// Variants that put machines under pressure: peers that do not read, and more work than
// there is time for. What connections send in a trace is repeated until it is much. That takes
// long, so it is done for few traces.

// Pressure says what deep checks do with variants under pressure.
type Pressure uint8

const (
	PressureJudged Pressure = iota // they count for the checks that need them
	PressureNone                   // they are not run
	PressureAll                    // they count for all checks
	PressureAlone                  // they count for the checks that need them, and there are no other variants
)

// How much is sent in a variant under pressure.
const (
	muchSent   = 16 << 10 // bytes
	crowdSent  = 72 << 10 // bytes, by a peer that does not read: more than all of Buffers
	crowdKiB   = 48       // of Buffers: each of two machines has a share of its own
	mostSends  = 256
	burst      = 512     // words at a time, or fewer:
	mostAtOnce = 2 << 10 // bytes beside the first word
	fewSent    = 4 << 10
	busyRounds = 80
	busyGets   = 48 // answers that others got
)

// pressures compares a trace with variants of it under pressure. Only the judge observes
// them: they are not among the runs that a search learns from, and reports count. They end
// when faults cease, as all answers that take no time are there.
func (j *Judge) pressures(tr trace.Trace) (f *Failure) {
	defer j.w.Only(j)()
	defer func() { j.short = false }()
	j.short = true
	for c := 0; c < j.cfg.Conns && f == nil; c++ {
		if mine, speaks := whole(tr, c, ""); speaks {
			f = j.press(mine, j.theirs(tr, mine, c), c)
		}
	}
	if f != nil && j.Pressure != PressureAll && !f.OfPressure() {
		return nil // the variant is another trace, which fails by itself
	}
	return f
}

// theirs returns what another connection sends, by the one with the next number.
func (j *Judge) theirs(tr trace.Trace, mine Variant, c int) Variant {
	other := (c + 1) % j.cfg.Conns
	for n := 1; n < j.cfg.Conns; n++ {
		if s, speaks := whole(tr, (c+n)%j.cfg.Conns, ""); speaks {
			return s.by(other)
		}
	}
	return mine.by(other)
}

// press runs the variants of one connection, and another one beside it. If answers take time,
// much input would take too much.
func (j *Judge) press(mine, theirs Variant, c int) *Failure {
	took, f := j.took(mine, c)
	beside := j.cfg.Conns > 1
	if f == nil && took > 0 && beside {
		return j.overload(mine, theirs, c, took)
	}
	if f != nil || took > 0 {
		return f
	}
	if took == 0 {
		f = j.slowPeer(mine, c)
	}
	if f == nil && took == 0 && beside {
		f = j.crowd(mine, theirs, c)
	}
	if f == nil && beside {
		f = j.slowListener(mine, theirs, c)
	}
	return f
}

// took returns how long the first answer to what a connection sends takes when it is alone; less
// than 0 if there is none in a second.
func (j *Judge) took(mine Variant, c int) (time.Duration, *Failure) {
	lone := Variant{How: "when it is alone"}
	lone.dials(mine)
	j.sends(&lone, mine)
	lone.add(trace.Event{Op: trace.Advance, A: 1, B: 3}, 0)
	heard, f := j.hears(lone, c, 1)
	if heard.mine == 0 {
		return -1, f
	}
	return time.Duration(heard.first - int64(time.Hour)), f
}

// OfPressure reports whether only variants under pressure show such failures.
func (f *Failure) OfPressure() bool { return f.Oracle == SlowPeers || f.Oracle == Starvation }

// by returns what whole sends, by another connection.
func (v Variant) by(conn int) (out Variant) {
	for i, e := range v.Trace {
		e.On = uint16(conn)
		out.add(e, v.From[i])
	}
	return out
}

// sends adds what whole sends, once, with the loops at rest after each.
func (j *Judge) sends(v *Variant, s Variant) {
	for i, e := range s.Trace[1:] {
		e.Hold, e.B = false, min(e.B, uint16(mostAtOnce/j.length(e)))
		v.add(e, s.From[i+1])
	}
}

// length returns the length of the word of a send.
func (j *Judge) length(e trace.Event) int { return max(1, len(j.w.Word(e.A))) }

// dials adds the first event of what whole sends.
func (v *Variant) dials(s Variant) {
	e := s.Trace[0]
	e.Hold = false
	v.add(e, s.From[0])
}

// sendMuch adds what whole sends again and again, in bursts, until it is so many bytes.
func (j *Judge) sendMuch(v *Variant, s Variant, size int) {
	for sent, n := 0, 0; sent < size && n < mostSends; {
		for i, e := range s.Trace[1:] {
			e.Hold, e.B = false, uint16(min(burst, mostAtOnce/j.length(e)))
			v.add(e, s.From[i+1])
			sent, n = sent+j.length(e)*(int(e.B)+1), n+1
		}
	}
}

// stops adds that the peer of a connection does not read, and its kernel holds a byte.
func (v *Variant) stops(conn int) {
	v.add(trace.Event{Op: trace.Pace, On: uint16(conn)}, 0)
	v.add(trace.Event{Op: trace.Window, On: uint16(conn), A: 1}, 0)
}

// readsAgain adds that it does.
func (v *Variant) readsAgain(conn int) {
	v.add(trace.Event{Op: trace.Window, On: uint16(conn), A: 32 << 10, B: 32 << 10}, 0)
	v.add(trace.Event{Op: trace.Pace, On: uint16(conn), A: trace.MaxArg}, 0)
}

// slowPeer compares what a connection gets for much input if its peer reads at once with what
// it gets if the peer reads late: the same, or the beginning of it, as its machine may give up.
func (j *Judge) slowPeer(mine Variant, c int) *Failure {
	if j.cfg.Without&CheckSegmentation != 0 {
		return nil
	}
	make := func(how string, slow, scarce bool) Variant {
		v := Variant{How: how}
		if scarce {
			v.add(trace.Event{Op: trace.Scarce}, 0)
		}
		if v.dials(mine); slow {
			v.stops(c)
		}
		if j.sendMuch(&v, mine, muchSent); slow {
			v.readsAgain(c)
		}
		j.sends(&v, mine)
		return v
	}
	fast := make("if its peer reads at once", false, false)
	got, f := j.outputs(fast)
	sent := j.sent()
	for _, scarce := range []bool{false, true} {
		if f == nil {
			f = j.compareSlow(fast, got, sent, make("if its peer reads late", true, scarce), c)
		}
	}
	return f
}

// slowListener does the same with a connection that sends little, if it gets something for
// what another one sends.
func (j *Judge) slowListener(mine, theirs Variant, c int) *Failure {
	if took, f := j.took(theirs, (c+1)%j.cfg.Conns); took > 0 || f != nil {
		return f
	}
	if j.cfg.Without&CheckSegmentation != 0 {
		return nil
	}
	make := func(how string, slow bool) (v Variant, listens int) {
		v.How = how
		v.dials(mine)
		j.sends(&v, mine)
		v.dials(theirs)
		if slow {
			v.add(trace.Event{Op: trace.Scarce, A: 8}, 0)
		}
		if listens = len(v.Trace); slow {
			v.stops(c)
		}
		if j.sendMuch(&v, theirs, muchSent); slow {
			v.readsAgain(c)
		}
		j.sends(&v, theirs)
		return v, listens
	}
	fast, listens := make("if its peer reads at once", false)
	heard := &hearer{conn: c, from: listens}
	j.w.Attach(heard)
	got, f := j.outputs(fast)
	j.w.Detach(heard)
	if f == nil && heard.mine > 0 {
		sent := j.sent()
		slow, _ := make("if its peer reads late", true)
		f = j.compareSlow(fast, got, sent, slow, c)
	}
	return f
}

// sent returns how many bytes connections have sent in the last run.
func (j *Judge) sent() (n int) {
	for i := range j.cfg.Conns {
		n += len(j.w.Conn(i).Sent)
	}
	return n
}

// compareSlow runs the variant in which the peer reads late. A peer that has no room to send
// sends less than it does otherwise: then there is nothing to compare.
func (j *Judge) compareSlow(fast Variant, got [][]byte, sent int, slow Variant, c int) *Failure {
	late, f := j.outputs(slow)
	if f == nil && j.sent() == sent && !bytes.HasPrefix(got[c], late[c]) {
		f = j.differ(SlowPeers, fast.Trace, c, fast, got[c], slow, late[c])
	}
	return f
}

// crowd runs a connection beside one whose peer sends much and does not read. The world
// observes whether the first one's machine waits for what the second one's holds.
func (j *Judge) crowd(mine, theirs Variant, c int) *Failure {
	other := int(theirs.Trace[0].On)
	v := Variant{How: "beside a connection whose peer does not read"}
	v.add(trace.Event{Op: trace.Scarce, A: crowdKiB - 8}, 0)
	v.dials(theirs)
	v.stops(other)
	v.stops(j.cfg.Conns) // if its machine has dialled, that goes nowhere, too
	j.sendMuch(&v, theirs, crowdSent)
	v.dials(mine)
	sent := 0
	for i, e := range mine.Trace[1:] {
		if sent += len(j.w.Word(e.A)) * (int(e.B) + 1); sent > fewSent {
			break
		}
		e.Hold = false
		v.add(e, mine.From[i+1])
	}
	_, f := j.outputs(v)
	return f
}

// hearer counts what connections get from some event on.
type hearer struct {
	conn         int
	from         int
	mine, others int
	first        int64 // when conn got something; 0: it did not
}

func (h *hearer) Wants() []sim.What { return []sim.What{sim.Gets} }

func (h *hearer) Observe(o *sim.Observation) {
	switch {
	case o.Event <= h.from || o.Stage != sim.StageEvents:
	case o.Conn != h.conn:
		h.others++
	default:
		if h.mine++; h.first == 0 {
			h.first = o.Time
		}
	}
}

// overload fails if a connection whose answer takes time gets none while others get many,
// for what they send later, and more than there is time for.
func (j *Judge) overload(mine, theirs Variant, c int, took time.Duration) *Failure {
	busy := Variant{How: "among others that send more than there is time for"}
	busy.dials(mine)
	for n := range j.cfg.Conns {
		if n != c {
			busy.dials(theirs.by(n))
			e := theirs.Trace[1]
			e.On, e.B, e.Hold = uint16(n), 0, false
			busy.add(e, theirs.From[1])
		}
	}
	from := len(busy.Trace)
	j.sends(&busy, mine)
	words := len(busy.Trace) - from
	for round := range busyRounds {
		at := 1 + (round+1)%(len(theirs.Trace)-1)
		for n := range j.cfg.Conns {
			if n != c {
				e := theirs.Trace[at]
				e.On, e.B, e.Hold = uint16(n), 0, false
				busy.add(e, theirs.From[at])
			}
		}
		busy.add(pause(took), 0)
	}
	heard, f := j.hears(busy, c, from)
	if f == nil && heard.mine == 0 && heard.others >= busyGets+8*words {
		now := time.Duration(j.w.Now())
		f = &Failure{Oracle: Starvation, At: len(busy.Trace), Time: now, Conn: c, Runs: []Variant{busy}, Kind: "no answer",
			Text: fmt.Sprintf("connection %d gets no answer while others get %d, to what they sent later: alone it gets one in %v", c, heard.others, took)}
	}
	return f
}

// hears runs a variant, and returns what connections got in it from some event on.
func (j *Judge) hears(v Variant, conn, from int) (*hearer, *Failure) {
	h := &hearer{conn: conn, from: from}
	j.w.Attach(h)
	defer j.w.Detach(h)
	_, f := j.outputs(v)
	return h, f
}

// pause returns an event in which so much time passes, or a bit more.
func pause(d time.Duration) trace.Event {
	for unit, u := range trace.Units {
		if n := (d + u - 1) / u; n <= trace.MaxArg {
			return trace.Event{Op: trace.Advance, A: uint16(n), B: uint16(unit)}
		}
	}
	return trace.Event{Op: trace.Advance}
}
