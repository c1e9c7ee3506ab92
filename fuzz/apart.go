package fuzz

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Where two runs part that should show the same: they are run once more for people,
// with a journal each, and a watch for the first byte in which they differ.

// story is a run as it is told.
type story struct {
	variant
	*journal
	sent   []byte // by the connection that is meant
	end    int    // how many events of its trace are told
	marked int    // the line of the journal that the other run has not; -1: none
	mark   string // what is said of that
}

// watch is when a connection got a byte, if it did in the last of its lives.
type watch struct {
	conn, offset int
	line         int // of the journal; -1: not yet
	event        int
	now          int64
}

// gets notes what the peer of c gets.
func (w *World) gets(c *conn, s *sock, b []byte) {
	c.got = append(c.got, b...)
	c.gotAt = w.mark(c, c.gotAt, len(c.got))
	w.noteBytes(noteGot, s, b)
	if t := w.watch; t != nil && t.conn == c.number && t.line < 0 && len(c.got) > t.offset {
		t.line, t.event, t.now = len(w.journal.lines)-1, w.at, w.now
	}
}

// tellApart runs again what shows a failure that the trace itself does not, and notes
// when it happened, in the numbers of the trace.
func (w *World) tellApart(f *Failure) {
	tally := w.tally
	w.tally = nil
	switch {
	case f.Oracle == string(oracleSame):
		w.tellUnsteady(f)
	case len(f.runs) == 1:
		s := w.narrate(f.runs[0], nil)
		if g := w.failure; g != nil {
			s.end = g.At
			f.At, f.Time, f.during = s.number(g.At), g.Time, g.during
		}
		f.told = []story{s}
	case f.outputs != nil:
		w.tellOutputs(f)
	}
	w.journal, w.watch, w.tally = nil, nil, tally
}

// narrate runs a variant with a journal, and with a watch if there is one.
func (w *World) narrate(v variant, t *watch) story {
	w.haunted, w.journal, w.watch = v.haunted, &journal{}, t
	w.run(v.trace)
	return story{variant: v, journal: w.journal, end: len(v.trace), marked: -1}
}

func (w *World) tellOutputs(f *Failure) {
	at := parting(f.outputs[0], f.outputs[1])
	until := int64(0)
	for _, v := range f.runs {
		t := &watch{conn: f.conn, offset: at, line: -1}
		s := w.narrate(v, t)
		s.sent = slices.Clone(w.conns[f.conn].sent)
		if t.line >= 0 {
			s.marked, s.mark, s.end = t.line, fmt.Sprintf("← here is byte %d", at), t.event
			f.At, f.Time = s.number(t.event), time.Duration(t.now)
			until = t.now
		}
		f.told = append(f.told, s)
	}
	for i := range f.told {
		f.told[i].cut(until)
	}
}

// cut ends the tale soon behind the line that is marked, or, without one, at a time.
func (s *story) cut(until int64) {
	n := s.marked + 1
	if s.marked < 0 {
		for n = len(s.lines); n > 0 && s.lines[n-1].now > until && s.lines[n-1].event >= s.end; {
			n--
		}
	}
	s.lines = s.lines[:n]
}

// tellUnsteady runs each of what may differ from itself twice.
func (w *World) tellUnsteady(f *Failure) {
	for _, v := range f.runs {
		how := v.how
		if how != "" {
			how = ", " + how
		}
		v.how = "the first time" + how
		first := w.narrate(v, nil)
		v.how = "the second time" + how
		second := w.narrate(v, nil)
		if at := firstOther(first.lines, second.lines); at >= 0 {
			for _, s := range []*story{&first, &second} {
				if at < len(s.lines) {
					s.marked, s.mark, s.end = at, "← not in the other run", s.lines[at].event
					f.At, f.Time = s.number(s.end), time.Duration(s.lines[at].now)
				}
			}
			first.cut(int64(f.Time))
			second.cut(int64(f.Time))
			f.told = []story{first, second}
			return
		}
	}
}

// firstOther is the first line in which two journals differ, -1 if none does.
func firstOther(a, b []line) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return -1
}

// apart tells in what two runs differ.
func (f *Failure) apart(b *strings.Builder) {
	if f.outputs == nil || f.told == nil {
		return
	}
	at := parting(f.outputs[0], f.outputs[1])
	fmt.Fprintf(b, "It was run in two ways, in which connection %d should get the same. It sends %s,\nand what it gets differs from byte %d on:\n\n", f.conn, brief(f.told[1].sent), at)
	table(b, "  ", func(row func(...string)) {
		row("", "bytes", "alike", "from there on")
		for i, out := range f.outputs {
			rest := "nothing"
			if at < len(out) {
				rest = brief(out[at:])
			}
			row(f.runs[i].how, fmt.Sprint(len(out)), tail(out[:at]), rest)
		}
	})
	b.WriteString("\n")
}

// tail is how bytes end, for people.
func tail(b []byte) string {
	const most = 16
	if len(b) <= most {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("…%q", b[len(b)-most:])
}

// excerpt shows bytes, or those around a place that brief would not show.
func excerpt(b []byte, at int) string {
	const before, shown = 4, 16
	if at < shown || at > len(b) {
		return brief(b)
	}
	return fmt.Sprintf("…%s from byte %d on", brief(b[at-before:]), at-before)
}
