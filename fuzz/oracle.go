package fuzz

import (
	"fmt"
	"strings"
	"time"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// oracle is the name of what judges a run. The first letter is its short name.
type oracle string

const (
	oracleSetup    oracle = "setup"
	oraclePanic    oracle = "panic"
	oracleContract oracle = "K contract of descriptors"
	oracleRest     oracle = "Q quiescence"
	oracleLifetime oracle = "T lifetimes"
	oracleWakeUp   oracle = "W lost wake-up"
	oracleBounds   oracle = "R bounds"
	oracleEdges    oracle = "E edges"
	oracleSame     oracle = "D determinism"
	oracleSegments oracle = "C segmentation"
	oracleSpurious oracle = "S spurious events"
	oracleAlone    oracle = "I isolation"
	oracleAlways   oracle = "A always"
	oracleBound    oracle = "X deadlines"
	oracleHangUp   oracle = "H hang-up"
)

// Failure is what is wrong with a run.
type Failure struct {
	Oracle string
	Text   string
	State  string        // of the machine, where one is meant
	At     int           // how many events had happened
	Time   time.Duration // on the world's clock; 0: no moment is known
	Stack  []byte        // of a panic

	during  string    // the part of the run's end that it came in; empty: none
	kind    string    // what is said, but for bytes and numbers; empty: see shape
	runs    []variant // that show it, if the trace itself does not: one, or two that differ
	conn    int       // whose bytes those two differ in
	outputs [][]byte  // what it gets in each; nil: they differ in something else
	line    int       // of the journal, that shows it; 0: none does
	told    []story   // those runs, if somebody is to be shown
	comes   string    // how sure it is to come again, if it is not
}

func (f *Failure) Error() string { return f.Oracle + ": " + f.Text }

// when is at what moment of a run of so many events it came, for people.
func (f *Failure) when(events int) string {
	switch {
	case f.Oracle == string(oracleSetup):
		return "before the first event"
	case f.Time == 0:
		return fmt.Sprintf("in a run of %d events", events)
	case f.during != "":
		return fmt.Sprintf("after event %d of %d, as %s, at %s", f.At, events, f.during, clockTime(int64(f.Time)))
	}
	return fmt.Sprintf("after event %d of %d, at %s", f.At, events, clockTime(int64(f.Time)))
}

// same tells whether two failures are one: they were found by the same oracle, in the
// same state of a machine, at the same place of a handler that panics, and are of one
// kind. What bytes they are about is not asked: they are to become fewer.
func (f *Failure) same(g *Failure) bool {
	return f != nil && g != nil && f.Oracle == g.Oracle && f.State == g.State && f.what() == g.what() && f.place() == g.place()
}

// what is the kind of a failure, or what is said of it, if oracles know no kinds of it.
func (f *Failure) what() string {
	if f.kind != "" {
		return f.kind
	}
	return shape(f.Text)
}

// shape is a text without its numbers, and without what it quotes.
func shape(s string) string {
	b := make([]byte, 0, len(s))
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c < '0' || c > '9'):
			b = append(b, c)
		}
	}
	return string(b)
}

// place is the line that panicked: the one behind that of panic itself, if there is a
// stack.
func (f *Failure) place() string {
	_, rest, _ := strings.Cut(string(f.Stack), "\npanic(")
	lines := strings.SplitN(rest, "\n", 5)
	for _, line := range lines[1:] {
		if line = strings.TrimSpace(line); strings.Contains(line, ".go:") && !strings.Contains(line, "/runtime/") {
			where, _, _ := strings.Cut(line, " +")
			return where
		}
	}
	return ""
}

// judgeRest looks for machines that outlive their peers.
func (w *World) judgeRest() {
	if w.failure != nil {
		return
	}
	for _, s := range w.socks[1:] {
		switch {
		case s.driver == nil || !s.connects():
		case s.phase == unanswered:
			w.fail(oracleRest, "a machine waits for ever for a connection to %s that nobody answers", s.remote)
		case s.conn >= 0:
			w.fail(oracleRest, "connection %d: its peer has closed, and %s keeps its end open, %v later", s.conn, w.name(w.conns[s.conn].owner), patience)
		}
	}
}

// judgeStale looks whether each event of a closed socket was seen to be one.
func (w *World) judgeStale() {
	for i, d := range w.drivers {
		if stats, ok := w.stats(i); ok && stats.Stale < d.stale {
			w.fail(oracleLifetime, "loop %d was told of %d events of closed sockets, and has dropped %d", i, d.stale, stats.Stale)
		}
	}
}

// judgeBacklogs looks for connections that nobody accepts, though there is room for
// them, and time to try again has passed.
func (w *World) judgeBacklogs() {
	w.advance(100 * time.Millisecond)
	for _, s := range w.socks[1:] {
		if s.nature != listening || len(s.backlog) == 0 || w.failure != nil || s.driver.atMost() {
			continue
		}
		if stats, ok := w.stats(s.driver.loop); ok && stats.Machines < w.slots {
			w.fail(oracleRest, "connections wait at %s to be accepted: %d, and %d of %d slots are free", s.local, len(s.backlog), w.slots-stats.Machines, w.slots)
		}
	}
}

// atMost tells whether there are as many machines of some kind as there may be of it:
// it may be the one that listens.
func (d *simDriver) atMost() bool {
	lives := make(map[reactor.AnyKind]int)
	for i := range d.machines {
		if m := &d.machines[i]; m.lives {
			lives[m.kind]++
			if most := m.kind.Options().MaxMachines; most > 0 && lives[m.kind] >= most {
				return true
			}
		}
	}
	return false
}

// nudge tells of all sockets of a world at rest. Whoever moves a byte then could have
// done so before, and was not called.
func (w *World) nudge() {
	for _, s := range w.socks[1:] {
		if s.driver == nil || !s.watched || !s.connects() || s.phase != connected {
			continue
		}
		d := s.driver
		if len(d.ghosts) > 0 || w.failure != nil {
			continue
		}
		read, held := s.in.len(), w.moved
		d.extra = append(d.extra, poll.Event{Token: poll.Token(s.data), Ready: s.ready()})
		if w.settle(); w.failure == nil && w.moved != held && s.driver == d && s.in.len() != read {
			w.fail(oracleWakeUp, "bytes wait for a machine that reads them only when it is told again: %d", read)
		}
	}
}

// judgeStop looks at loops that were stopped.
func (w *World) judgeStop() {
	for _, d := range w.drivers {
		if !d.over {
			w.fail(oracleRest, "loop %d was stopped and has not ended", d.loop)
		}
	}
}

// judge judges what a connection that is over has been.
func (w *World) judge(c *conn) {
	now, sent := c.fate(), c.sent
	switch now {
	case open:
		now = cutOff
	case quit, left:
		sent = c.sent[:c.heard]
	}
	w.judgeConn(c, w.verdict(c, sent, now))
	if c.life > 0 && c.number < w.spec.Conns {
		w.remember(c)
	}
}

// patienceForAnswers is how long machines may take to answer when faults have ceased,
// and how long any of them to go on answering, if a spec does not say: others may have
// their turn first.
const patienceForAnswers = time.Second

// judgeAll judges the connections that are open, with nothing on its way but what
// waits for a time to come.
func (w *World) judgeAll() {
	for i := range w.conns[:w.spec.Conns] {
		c := &w.conns[i]
		v := w.judgeOpen(c)
		for got := -1; v.why != "" && got < w.got(); v = w.judgeOpen(c) {
			got = w.got()
			w.advance(w.spec.Patience)
		}
		w.judgeConn(c, v)
	}
}

// got is how many bytes all peers got.
func (w *World) got() (n int) {
	for i := range w.conns {
		n += len(w.conns[i].got)
	}
	return n
}

// judgeOpen judges a connection if it is open.
func (w *World) judgeOpen(c *conn) (v verdict) {
	if c.whole = false; c.peer != nil && !c.ended && !c.cut {
		c.whole = c.peer.other != nil && c.peer.other.driver != nil && !w.obstructed()
		v = w.verdict(c, c.sent, c.fate())
	}
	return v
}

// obstructed tells whether a connection that a machine began leads nowhere: a fault has
// it that nobody answers, or no slot is free for who would. Other peers may wait for
// what comes from there. It is true, too, if a machine waits for Config.Buffers, which
// machines that wait for their peers may hold.
func (w *World) obstructed() bool {
	for i := range w.drivers {
		if stats, ok := w.stats(i); ok && stats.Waiting > 0 {
			return true
		}
	}
	for _, s := range w.socks[1:] {
		if s.driver != nil && (s.phase == unanswered || s.other != nil && s.other.driver == nil && s.other.conn < 0) {
			return true
		}
	}
	return false
}

// fate is what became of c. A machine that ended by itself owes the peer what was
// there by then, and the peer may not have read all of it.
func (c *conn) fate() fate {
	switch {
	case c.whole:
		return open
	case len(c.got) == c.wrote:
		return c.ending
	}
	return cutOff
}

// verdict is what an oracle finds wrong with a connection.
type verdict struct{ by, kind, why string }

func (w *World) verdict(c *conn, sent []byte, now fate) (v verdict) {
	if c.life == 0 || c.number >= w.spec.Conns || w.failure != nil {
		return v
	}
	for o := range w.oracles() {
		if kind, text := o.conn(sent, c.got, now); text != "" {
			return verdict{o.title(), kind, text}
		}
	}
	return v
}

func (w *World) judgeConn(c *conn, v verdict) {
	if v.why != "" {
		w.fail(oracle("M "+v.by), "connection %d: %s", c.number, v.why)
		w.failure.kind = v.kind
	}
}
