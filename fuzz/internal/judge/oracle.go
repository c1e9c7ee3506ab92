package judge

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/reactor/driver"
)

// Oracle judges what peers sent and got in a run.
type Oracle interface {
	Title() string
	// Conn judges what a connection sent and got. kind is what it finds, without bytes.
	// If it is "undecided", text is empty.
	Conn(h *History, fate sim.Fate) (kind, text string)
	// Due returns when the machine of an open connection must have ended it; 0: it need not.
	Due(h *History) int64
	// All judges all connections of a run together, if Remembers says so. at is when they
	// went wrong. decided is false if it would take too long.
	All(conns []History) (text string, at Stamp, decided bool)
	Remembers() bool
	// Conns judges all connections of a run when faults have ceased.
	Conns(conns []History, now int64) string
	// Lacks reports whether answers are still to come, as far as an oracle that Remembers knows.
	// passes is true if All would find nothing wrong.
	Lacks(conns []History) (lacks, passes bool)
	// Datagrams judges what a datagram peer sent and got.
	Datagrams(sent, got []string) string
	// Judges reports whether the oracle judges connections to an address, which peers dial, or
	// machines.
	Judges(addr driver.Addr, dialled bool) bool
}

// named is an Oracle that passes everything. Oracles embed it, and override what they judge.
type named struct{ title string }

func (n named) Title() string                                   { return n.title }
func (n named) Conn(*History, sim.Fate) (kind, text string)     { return "", "" }
func (n named) Conns([]History, int64) string                   { return "" }
func (n named) Due(*History) int64                              { return 0 }
func (n named) All([]History) (_ string, _ Stamp, decided bool) { return "", Stamp{}, true }
func (n named) Remembers() bool                                 { return false }
func (n named) Lacks([]History) (lacks, passes bool)            { return false, false }
func (n named) Datagrams(_, _ []string) string                  { return "" }
func (n named) Judges(_ driver.Addr, dialled bool) bool         { return !dialled }

// oracleName returns the name of an oracle of a spec, as a Failure has it.
func oracleName(o Oracle) string {
	title, kind := o.Title(), model
	o = anywhere(o)
	if other, ok := o.(interface{ kind() string }); ok {
		kind = other.kind()
	} else if o.Remembers() {
		kind = linear
	}
	return kind + ` "` + title + `"`
}

// anywhere returns an oracle without the address that it may be limited to.
func anywhere(o Oracle) Oracle {
	if p, ok := o.(placed); ok {
		return p.Oracle
	}
	return o
}

// Conns returns an Oracle that judges all connections of a run by a function.
func Conns(title string, judge func(conns []History, now int64) string) Oracle {
	return ownJudge{named{title}, judge, nil}
}

type ownJudge struct {
	named
	judge func(conns []History, now int64) string
	due   func(conns []History, now int64) int64 // when more must have happened; nil: never
}

func (o ownJudge) Remembers() bool                         { return true }
func (o ownJudge) kind() string                            { return model }
func (o ownJudge) Judges(driver.Addr, bool) bool           { return true }
func (o ownJudge) Conns(conns []History, now int64) string { return o.judge(conns, now) }

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
type verdict struct {
	oracle, kind, why string
	unasked           bool // machines may send without being asked: that peers get more says little
}

func (j *Judge) verdict(c *sim.Conn, sent []byte, fate sim.Fate) (v verdict) {
	if c.Life == 0 || j.failure != nil {
		return v
	}
	h := j.historyOf(c)
	h.Sent = sent
	for i, o := range j.oracles() {
		if !o.Judges(c.Addr, j.w.Dialled(c)) {
			continue
		}
		j.notes.judged[i] = true
		kind, text := o.Conn(&h, fate)
		if text != "" {
			return verdict{oracleName(o), kind, text, pushes(o)}
		}
		j.doubt = j.doubt || kind == undecided
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
		j.keep(c)
	}
	j.failRelay(j.relayed(c, false))
}

// judgeOpenConns judges the connections that are open when faults have ceased. A connection
// that has not got all its answers has time for as long as any peer gets more: other
// connections may have to be served first.
func (j *Judge) judgeOpenConns() {
	for i := range j.w.Conns() {
		v := j.judgeOpen(i)
		most := mostWaits
		if v.unasked {
			most = fewWaits
		}
		j.wait(most, func() bool { return v.why != "" }, func() { v = j.judgeOpen(i) })
		j.failConn(j.w.Conn(i), v)
		r := j.relayed(j.w.Conn(i), true)
		j.wait(mostWaits, func() bool { return r.why != "" }, func() { r = j.relayed(j.w.Conn(i), true) })
		j.failRelay(r)
	}
	j.judgeConns()
	j.judgeEnds()
	j.wait(mostWaits, j.lacks, func() {})
}

// histories returns those of all connections of the run so far.
func (j *Judge) histories() []History {
	all := slices.Clone(j.history.over)
	for i := range j.w.Conns() {
		j.w.CheckOpen(i)
		if c := j.w.Conn(i); c.Life > 0 {
			all = append(all, j.historyOf(c))
		}
	}
	return all
}

// judgeConns asks oracles of their own judgement about all connections.
func (j *Judge) judgeConns() {
	if j.failure != nil || !j.history.on || len(j.history.over) > mostHistories {
		return
	}
	for i, o := range j.cfg.Oracles {
		own, is := anywhere(o).(ownJudge)
		if !is {
			continue
		}
		text := j.asks(i, o)
		if own.due != nil && text == "" {
			j.passUntil(own.due(j.judgedBy(o), j.w.Now()))
			text = j.asks(i, o)
		}
		j.wait(mostWaits, func() bool { return text != "" && j.failure == nil }, func() { text = j.asks(i, o) })
		if text != "" && j.failure == nil {
			j.Fail(oracleName(o), "%s", text)
			j.failure.Kind = "connections"
		}
	}
}

func (j *Judge) asks(i int, o Oracle) string {
	j.asking = o.Title()
	defer func() { j.asking = "" }()
	if len(j.history.over) > mostHistories {
		return ""
	}
	mine := j.judgedBy(o)
	j.notes.judged[i] = j.notes.judged[i] || len(mine) > 0
	return o.Conns(mine, j.w.Now())
}

// judgedBy returns the connections, and attempts to connect, that an oracle of its own judges.
func (j *Judge) judgedBy(o Oracle) []History {
	return judgedBy(o, append(j.histories(), j.attempts()...))
}

// attempts returns those of machines to connect that are no connections.
func (j *Judge) attempts() (all []History) {
	for _, a := range j.w.Attempts() {
		h := History{Conn: -1, Addr: a.Addr, Dialled: true, Dial: a.Dialled, Machine: a.Machine,
			Refused: a.Refused, Pending: a.Pending, GaveUp: !a.Refused && !a.Pending, past: past{Began: cmp.Or(a.Over, a.Dialled), Over: a.Over, Kind: a.Kind}}
		j.setSlack(&h)
		all = append(all, h)
	}
	return all
}

// judgeEnds gives open connections time until the last of them must have ended, as models
// have it, and judges them again.
func (j *Judge) judgeEnds() {
	until := int64(0)
	for i := range j.w.Conns() {
		if c := j.w.Conn(i); j.failure == nil && j.history.on && j.w.CheckOpen(i) {
			h := j.historyOf(c)
			for _, o := range j.oracles() {
				if o.Judges(c.Addr, j.w.Dialled(c)) {
					until = max(until, o.Due(&h)+h.Slack)
				}
			}
		}
	}
	if j.passUntil(until) {
		for i := range j.w.Conns() {
			j.failConn(j.w.Conn(i), j.judgeOpen(i))
		}
	}
}

// passUntil lets time pass until something must have happened, unless that is far away. It
// reports whether it did.
func (j *Judge) passUntil(at int64) bool {
	by := time.Duration(at - j.w.Now())
	if by < 0 || by >= mostEnd {
		return false
	}
	j.w.Advance(by + time.Millisecond)
	return true
}

// mostEnd is how long a run goes on for the ends of connections.
const mostEnd = 3 * time.Hour

// mostWaits bounds how often time passes for peers that get more and more.
const mostWaits = 1000

// fewWaits is the same where machines may send without being asked: they never stop.
const fewWaits = 8

// wait lets time pass, and looks again, as long as something is lacking and peers get more.
// To look takes long, so it looks after 1, 2, 4 ... waits.
func (j *Judge) wait(most int, lacking func() bool, look func()) {
	waits := 0
	for got, n := -1, 1; got < j.w.Got() && waits < most && j.failure == nil && lacking(); n *= 2 {
		for range min(n, most-waits) {
			if got = j.w.Got(); j.failure != nil {
				return
			}
			waits++
			if j.w.Advance(j.cfg.Patience); got == j.w.Got() {
				break
			}
		}
		look()
	}
}

// pushes reports whether an oracle has a model of machines that send without being asked.
func pushes(o Oracle) bool {
	p, ok := anywhere(o).(interface{ pushes() bool })
	return ok && p.pushes()
}

// lacks reports whether an oracle that judges all connections together misses answers.
func (j *Judge) lacks() (lacks bool) {
	if j.failure != nil || !j.history.on || len(j.history.over) > mostHistories {
		return false
	}
	all := j.histories()
	for i, o := range j.oracles() {
		lacks = j.history.lacks(i, o, all) || lacks
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

// finding is what an oracle of all connections finds.
type finding struct {
	text    string
	at      Stamp
	decided bool
	tick    int // of the last byte that was judged; -1: none was
}

// lacks asks the i-th oracle whether answers are still to come.
func (r *recorder) lacks(i int, o Oracle, all []History) bool {
	lacks, passes := o.Lacks(judgedBy(o, all))
	if passes {
		*r.finding(i) = finding{decided: true, tick: r.tick}
	}
	return lacks
}

// judge asks the i-th oracle about all connections, unless it has judged all of their bytes.
func (r *recorder) judge(i int, o Oracle) *finding {
	f := r.finding(i)
	if f.tick != r.tick {
		f.tick = r.tick
		f.text, f.at, f.decided = o.All(judgedBy(o, r.over))
	}
	return f
}

func (r *recorder) finding(i int) *finding {
	for len(r.found) <= i {
		r.found = append(r.found, finding{tick: -1})
	}
	return &r.found[i]
}

// judgedBy returns the connections that an oracle judges.
func judgedBy(o Oracle, all []History) (mine []History) {
	for _, h := range all {
		if o.Judges(h.Addr, h.Dialled) {
			mine = append(mine, h)
		}
	}
	return mine
}

// judgeHistory judges all connections of the run together.
func (j *Judge) judgeHistory() {
	if len(j.history.over) > mostHistories {
		return
	}
	for i, o := range j.oracles() {
		if j.failure != nil || !o.Remembers() {
			continue
		}
		if f := j.history.judge(i, o); f.text != "" {
			j.Fail(oracleName(o), "%s", f.text)
			j.failure.Kind = "all connections" // which bytes no order explains does not matter
			if at := f.at; at.Time > 0 {
				j.failure.At, j.failure.Time, j.failure.During, j.failure.Tick = at.Event, time.Duration(at.Time), "", at.Tick
			}
		} else if !f.decided {
			j.notes.Undecided++
		}
	}
}
