package judge

import (
	"bytes"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/reactor/driver"
)

// Oracle judges what peers sent and got in a run.
type Oracle interface {
	Title() string
	// Conn judges what a connection sent and got. kind is what it finds, without bytes.
	Conn(sent, got []byte, fate sim.Fate) (kind, text string)
	// All judges all connections of a run together, if Remembers says so. at is when they
	// went wrong. decided is false if it would take too long.
	All(conns []History) (text string, at Stamp, decided bool)
	Remembers() bool
	// Lacks reports whether answers to what a connection sent are still to come, as far as
	// an oracle that Remembers knows.
	Lacks(sent, got []byte) bool
	// Datagrams judges what a datagram peer sent and got.
	Datagrams(sent, got []string) string
	// Judges reports whether the oracle judges connections to an address, which peers dial, or
	// machines.
	Judges(addr driver.Addr, dialled bool) bool
}

// named is an Oracle that passes everything. Oracles embed it, and override what they judge.
type named struct{ title string }

func (n named) Title() string                                    { return n.title }
func (n named) Conn(_, _ []byte, _ sim.Fate) (kind, text string) { return "", "" }
func (n named) All([]History) (_ string, _ Stamp, decided bool)  { return "", Stamp{}, true }
func (n named) Remembers() bool                                  { return false }
func (n named) Lacks(_, _ []byte) bool                           { return false }
func (n named) Datagrams(_, _ []string) string                   { return "" }
func (n named) Judges(_ driver.Addr, dialled bool) bool          { return !dialled }

// oracleName returns the name of an oracle of a spec, as a Failure has it.
func oracleName(o Oracle) string {
	kind := model
	if other, ok := o.(interface{ kind() string }); ok {
		kind = other.kind()
	} else if o.Remembers() {
		kind = linear
	}
	return kind + ` "` + o.Title() + `"`
}

// Datagrams returns an Oracle that judges what each datagram peer sent and got.
func Datagrams(title string, judge func(sent, got []string) string) Oracle {
	require(judge != nil, "Datagrams", title, "wrong", "a function that returns what is wrong with what a datagram peer sent and got")
	return datagrams{named{title}, judge}
}

type datagrams struct {
	named
	judge func(sent, got []string) string
}

func (d datagrams) Datagrams(sent, got []string) string { return d.judge(sent, got) }

// oracles yields the oracles of the spec. While one is yielded, a panic is its own.
func (j *Judge) oracles() iter.Seq2[int, Oracle] {
	return func(yield func(int, Oracle) bool) {
		for i, o := range j.cfg.Oracles {
			j.asking = o.Title()
			if !yield(i, o) {
				break
			}
		}
		j.asking = ""
	}
}

// verdict is what an oracle finds wrong with a connection.
type verdict struct{ oracle, kind, why string }

func (j *Judge) verdict(c *sim.Conn, sent []byte, fate sim.Fate) (v verdict) {
	if c.Life == 0 || j.failure != nil {
		return v
	}
	for i, o := range j.oracles() {
		if !o.Judges(c.Addr, j.w.Dialled(c)) {
			continue
		}
		j.notes.judged[i] = true
		if kind, text := o.Conn(sent, c.Got, fate); text != "" {
			return verdict{oracleName(o), kind, text}
		}
	}
	return v
}

func (j *Judge) failConn(c *sim.Conn, v verdict) {
	if v.why != "" {
		j.Fail(v.oracle, "connection %d: %s", c.Number, v.why)
		j.failure.Kind = v.kind
	}
}

// judgeOver judges a connection that is over.
func (j *Judge) judgeOver(c *sim.Conn) {
	fate, sent := c.Fate(), c.Sent
	switch fate {
	case sim.Open:
		fate = sim.CutOff
	case sim.Quit, sim.Left:
		sent = c.SentByEnd()
	}
	j.failConn(c, j.verdict(c, sent, fate))
	if c.Life > 0 {
		j.history.keep(c, j.w.Dialled(c))
	}
	j.failRelay(j.relayed(c, false))
}

// judgeOpenConns judges the connections that are open when faults have ceased. A connection
// that has not got all its answers has time for as long as any peer gets more: other
// connections may have to be served first.
func (j *Judge) judgeOpenConns() {
	for i := range j.w.Conns() {
		v := j.judgeOpen(i)
		for got := -1; (v.why != "" || j.lacks(i)) && got < j.w.Got(); v = j.judgeOpen(i) {
			got = j.w.Got()
			j.w.Advance(j.cfg.Patience)
		}
		j.failConn(j.w.Conn(i), v)
		r := j.relayed(j.w.Conn(i), true)
		for got := -1; r.why != "" && got < j.w.Got(); r = j.relayed(j.w.Conn(i), true) {
			got = j.w.Got()
			j.w.Advance(j.cfg.Patience)
		}
		j.failRelay(r)
	}
}

// lacks reports whether an oracle that judges all connections together misses answers to an
// open one.
func (j *Judge) lacks(conn int) (lacks bool) {
	if j.failure != nil || !j.history.on || !j.w.CheckOpen(conn) {
		return false
	}
	c := j.w.Conn(conn)
	for _, o := range j.oracles() {
		lacks = lacks || o.Judges(c.Addr, j.w.Dialled(c)) && o.Lacks(c.Sent, c.Got)
	}
	return lacks
}

func (j *Judge) judgeOpen(conn int) (v verdict) {
	if j.w.CheckOpen(conn) {
		c := j.w.Conn(conn)
		v = j.verdict(c, c.Sent, c.Fate())
	}
	return v
}

// judgeDatagrams judges what datagram peers got.
func (j *Judge) judgeDatagrams() {
	for i, p := range j.w.DatagramPeers() {
		for _, o := range j.oracles() {
			if text := o.Datagrams(p.Sent, p.Got); text != "" && j.failure == nil {
				j.Fail(oracleName(o), "datagram peer %d: %s", i, text)
				j.failure.Kind = "datagrams"
			}
		}
	}
}

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

// History is a connection that is over, for oracles that look at all of them.
type History struct {
	Conn          int
	Addr          driver.Addr
	Dialled       bool // by a machine
	Sent, Got     []byte
	SentAt, GotAt []Stamp
	Whole         bool // it rested open, with all answers due
}

// recorder keeps the histories of a run, if an oracle asks for them.
type recorder struct {
	on            bool
	sentAt, gotAt [][]Stamp // by connection
	over          []History
}

func (r *recorder) begin(conns int) {
	if !r.on {
		return
	}
	if r.sentAt == nil {
		r.sentAt, r.gotAt = make([][]Stamp, conns), make([][]Stamp, conns)
	}
	for i := range conns {
		r.sentAt[i], r.gotAt[i] = r.sentAt[i][:0], r.gotAt[i][:0]
	}
	r.over = r.over[:0]
}

func (r *recorder) observe(o *sim.Observation) {
	at := Stamp{o.N, o.Tick, o.Event, o.Time}
	switch o.What {
	case sim.Connects:
		r.sentAt[o.Conn], r.gotAt[o.Conn] = r.sentAt[o.Conn][:0], r.gotAt[o.Conn][:0]
	case sim.Sends:
		r.sentAt[o.Conn] = append(r.sentAt[o.Conn], at)
	case sim.Gets:
		r.gotAt[o.Conn] = append(r.gotAt[o.Conn], at)
	}
}

// mostHistories is how many connections of a run are judged together. To judge those of a
// long Repeat would take for ever.
const mostHistories = 1000

// keep records the history of a connection that is over.
func (r *recorder) keep(c *sim.Conn, dialled bool) {
	if r.on && len(r.over) <= mostHistories {
		r.over = append(r.over, History{c.Number, c.Addr, dialled, bytes.Clone(c.Sent), bytes.Clone(c.Got),
			append([]Stamp(nil), r.sentAt[c.Number]...), append([]Stamp(nil), r.gotAt[c.Number]...), c.Whole()})
	}
}

// judgedBy returns the connections that an oracle judges.
func (r *recorder) judgedBy(o Oracle) (all []History) {
	for _, h := range r.over {
		if o.Judges(h.Addr, h.Dialled) {
			all = append(all, h)
		}
	}
	return all
}

// judgeHistory judges all connections of the run together.
func (j *Judge) judgeHistory() {
	if len(j.history.over) > mostHistories {
		return
	}
	for _, o := range j.oracles() {
		if j.failure != nil {
			continue
		}
		if text, at, decided := o.All(j.history.judgedBy(o)); text != "" {
			j.Fail(oracleName(o), "%s", text)
			j.failure.Kind = "all connections" // which bytes no order explains does not matter
			if at.Time > 0 {
				j.failure.At, j.failure.Time, j.failure.During, j.failure.Tick = at.Event, time.Duration(at.Time), "", at.Tick
			}
		} else if !decided {
			j.notes.Undecided++
		}
	}
}
