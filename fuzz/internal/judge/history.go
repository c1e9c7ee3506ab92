package judge

import (
	"bytes"
	"math"
	"slices"
	"time"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

// What is known of each connection of a run, beside its bytes: when they came, and how late
// its machine may be.

// Stamp is when the first bytes of a stream had arrived.
type Stamp struct {
	Bytes int
	Tick  int // see sim.Observation
	Event int
	Time  int64
}

// stampAt returns when so many bytes had arrived.
func stampAt(stamps []Stamp, bytes int) Stamp {
	at, _ := slices.BinarySearchFunc(stamps, bytes, func(s Stamp, n int) int { return s.Bytes - n })
	if at == len(stamps) {
		return Stamp{Tick: math.MaxInt}
	}
	return stamps[at]
}

func (s Stamp) at() time.Duration { return time.Duration(s.Time) }

// History is a connection, for oracles that need more than its bytes.
type History struct {
	Conn          int
	Addr          driver.Addr
	Dialled       bool // by a machine
	Sent, Got     []byte
	SentAt, GotAt []Stamp
	Whole         bool // it rested open, with all answers due
	past

	Dial       int64  // when a machine began to dial it; 0: a peer dialled it
	Refused    bool   // it is an attempt of a machine, which was refused
	GaveUp     bool   // it is an attempt of a machine, which gave up before there was an answer
	Pending    bool   // it is an attempt of a machine, which waits for the answer
	Machine    uint64 // identifies it; 0: none took the connection
	Unread     int    // bytes that its machine had not read when it ended it
	Slow       bool   // the peer does not read all at once
	Now        int64  // when it is judged
	Disturbed  bool   // its machine may have handled inputs later than they were sent
	Slack      int64  // how much later than it must a machine may do something
	Late       int64  // the same, without Patience, for what it does without its peer
	By         int64  // what was due then has come when faults have ceased, or comes within Patience
	Resolution int64
}

// past is what happened to a connection. Times are 0 for what has not happened.
type past struct {
	Began    int64
	Finished int64 // the peer half-closed
	Closed   int64 // the peer closed, or reset it
	Over     int64 // the machine ended it
	GotEnd   int64 // the peer got the end
	Reset    bool  // that was a reset
	Cause    reactor.Event
	Kind     string // of the machine; empty: none took it
	Born     int64  // when that began to live
}

// recorder keeps the histories of a run, if an oracle asks for them.
type recorder struct {
	on            bool
	sentAt, gotAt [][]Stamp // by connection
	past          []past
	over          []History
	found         []finding // by oracle
	tick          int       // of the last byte
	calm          int64     // when faults ceased; 0: they have not, or there were none

	disturbed bool // machines may be late in this run
	delayed   bool // also with what they do by themselves
	leaves    bool // a loop is told to shut down: its machines do no more by themselves
}

func (r *recorder) begin(conns int, tr trace.Trace) {
	if !r.on {
		return
	}
	if r.sentAt == nil {
		r.sentAt, r.gotAt = make([][]Stamp, conns), make([][]Stamp, conns)
		r.past = make([]past, conns)
	}
	for i := range conns {
		r.sentAt[i], r.gotAt[i] = r.sentAt[i][:0], r.gotAt[i][:0]
	}
	r.over, r.found, r.tick = r.over[:0], r.found[:0], 0
	r.calm = 0
	r.read(tr)
}

// read notes what in a trace may make machines late.
func (r *recorder) read(tr trace.Trace) {
	r.disturbed, r.delayed, r.leaves = false, false, false
	for _, e := range tr {
		switch e.Op {
		case trace.ConnectFails, trace.ConnectWaits, trace.AnswerWaits, trace.Split, trace.Pace: // they delay peers
			r.disturbed = true
		case trace.Leave:
			r.leaves = true
		default:
			if e.Op.IsFault() || e.Op == trace.Turn {
				r.disturbed, r.delayed = true, true
			}
		}
	}
}

func (r *recorder) observe(o *sim.Observation) {
	at := Stamp{o.N, o.Tick, o.Event, o.Time}
	r.tick = max(r.tick, o.Tick)
	switch o.What {
	case sim.Connects:
		r.past[o.Conn] = past{Began: o.Time}
		r.sentAt[o.Conn], r.gotAt[o.Conn] = r.sentAt[o.Conn][:0], r.gotAt[o.Conn][:0]
	case sim.Sends:
		r.sentAt[o.Conn] = append(r.sentAt[o.Conn], at)
	case sim.Gets:
		r.gotAt[o.Conn] = append(r.gotAt[o.Conn], at)
	case sim.Finishes:
		r.past[o.Conn].Finished = o.Time
	case sim.Closes:
		r.past[o.Conn].Closed = o.Time
	case sim.GetsEnd, sim.GetsReset:
		r.past[o.Conn].GotEnd, r.past[o.Conn].Reset = o.Time, o.What == sim.GetsReset
	}
}

// mostHistories is how many connections of a run are judged together. To judge those of a
// long Repeat would take for ever.
const mostHistories = 1000

// machineEnds notes that a machine has ended a connection, and why.
func (j *Judge) machineEnds(c *sim.Conn, now int64) {
	if p := &j.history.past[c.Number]; p.Over == 0 {
		p.Over = now
		if m := j.w.MachineOf(c); m != nil {
			p.Cause = m.Cause
		}
	}
	j.nameMachine(c)
}

// nameMachine notes the kind of a connection's machine: another one may have its slot later.
func (j *Judge) nameMachine(c *sim.Conn) {
	if m := j.w.MachineOf(c); m != nil && m.Kind != nil {
		p := &j.history.past[c.Number]
		p.Kind, p.Born = m.Kind.Name(), m.Born
	}
}

// historyOf returns the history of a connection so far.
func (j *Judge) historyOf(c *sim.Conn) History {
	h := History{Conn: c.Number, Addr: c.Addr, Dialled: j.w.Dialled(c), Sent: c.Sent, Got: c.Got, Whole: c.Whole(), Unread: c.Unread, Machine: c.Owner(), Dial: c.Dialled}
	if r := &j.history; r.on {
		j.nameMachine(c)
		h.SentAt, h.GotAt, h.past = r.sentAt[c.Number], r.gotAt[c.Number], r.past[c.Number]
		h.Slow = c.Slow()
		j.setSlack(&h)
	}
	return h
}

// setSlack notes how late machines may be.
func (j *Judge) setSlack(h *History) {
	r := &j.history
	h.Now, h.Resolution = j.w.Now(), int64(2*j.w.Resolution())
	born := max(0, h.Born-h.Began)
	late := func(disturbed bool) int64 {
		switch {
		case !disturbed:
			return h.Resolution + born
		case r.calm == 0:
			return math.MaxInt64 / 4
		}
		return h.Resolution + born + max(0, r.calm-h.Began)
	}
	h.By = h.Began
	h.Disturbed = r.disturbed || born > 0
	if !r.disturbed {
		h.By = max(h.Began, r.calm-born)
	}
	h.Late, h.Slack = late(r.delayed), late(r.disturbed)+int64(j.cfg.Patience)
	if r.leaves {
		h.Late = math.MaxInt64 / 4
	}
}

// keep records the history of a connection that is over.
func (j *Judge) keep(c *sim.Conn) {
	if r := &j.history; r.on && len(r.over) <= mostHistories {
		h := j.historyOf(c)
		h.Sent, h.Got, h.SentAt, h.GotAt = bytes.Clone(h.Sent), bytes.Clone(h.Got), slices.Clone(h.SentAt), slices.Clone(h.GotAt)
		r.over = append(r.over, h)
	}
}
