package fuzz

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// Some oracles need no model: they run a trace again with something changed that
// must not matter.

// check runs a trace, and, if it is to be deep, looks whether what must not matter
// does not.
func (w *World) check(tr Trace, deep bool) *Failure {
	w.haunted, w.rerun, w.peak, w.culprit = false, false, peak{}, nil
	f := w.run(tr)
	if f != nil || !deep {
		return f
	}
	hits, journal := append([]hit(nil), w.cover.hits...), w.journal
	w.journal, w.rerun = nil, true // it tells of the first run
	if f = w.again(tr); f == nil {
		if f = w.compare(tr); f != nil {
			if g := w.compare(tr); g == nil || g.Text != f.Text { // to the digit
				f = w.differ(oracleSame, tr, differs)
			}
		}
	}
	w.journal, w.haunted = journal, false
	w.cover.again(hits)
	return f
}

func (w *World) compare(tr Trace) *Failure {
	for i := 0; i < w.spec.Conns && w.spec.judges("C"); i++ {
		if f := w.segments(tr, i); f != nil {
			return f
		}
	}
	calm := tr.calm()
	plain, f := w.outputs(calm, false)
	if f == nil && w.spec.judges("S") {
		f = w.ghosts(tr, calm, plain)
	}
	for i := 0; i < w.spec.Conns && w.spec.Isolated && f == nil; i++ {
		f = w.lonely(tr, calm, i, plain[i])
	}
	return f
}

func (s *Spec) judges(letter string) bool { return !strings.Contains(s.Without, letter) }

// ghosts compares what connections get with and without events that are not true.
func (w *World) ghosts(tr, calm Trace, plain [][]byte) *Failure {
	haunted, f := w.outputs(calm, true)
	if f != nil {
		return f
	}
	for i := range plain {
		if !bytes.Equal(plain[i], haunted[i]) {
			return w.differ(oracleSpurious, tr, "connection %d gets %s, and %s when events come that are not true", i, brief(plain[i]), brief(haunted[i]))
		}
	}
	return nil
}

// lonely compares what a connection gets among others and without them.
func (w *World) lonely(tr, calm Trace, conn int, among []byte) *Failure {
	alone, f := w.outputs(calm.alone(conn), false)
	if f == nil && !bytes.Equal(among, alone[conn]) {
		f = w.differ(oracleAlone, tr, "connection %d gets %s, and %s when it is alone", conn, brief(among), brief(alone[conn]))
	}
	return f
}

// segments compares what a connection gets for the same bytes in one piece and in many.
func (w *World) segments(tr Trace, conn int) *Failure {
	whole := Trace{{Op: opDial, On: uint16(conn)}}
	for _, e := range tr {
		if e.Op == opSend && int(e.On) == conn && e.B < 64 {
			e.Hold = true
			whole = append(whole, e)
		}
	}
	if len(whole) == 1 {
		return nil
	}
	pieces := append(Trace{{Op: opSplit, On: uint16(conn), A: 1, B: 1<<16 - 1}}, whole...)
	for i := range pieces {
		pieces[i].Hold = false
	}
	pieces[0], pieces[1] = pieces[1], pieces[0] // a split is of a connection that there is
	one, f := w.outputs(whole, false)
	if f != nil {
		return f
	}
	many, f := w.outputs(pieces, false)
	if f != nil {
		return f
	}
	if !bytes.Equal(one[conn], many[conn]) {
		return w.differ(oracleSegments, tr, "connection %d gets %s for its bytes in one piece, and %s byte by byte", conn, brief(one[conn]), brief(many[conn]))
	}
	few, f := w.outputs(whole.cut(uint16(conn)), false)
	if f == nil && !bytes.Equal(one[conn], few[conn]) {
		f = w.differ(oracleSegments, tr, "connection %d gets %s for its bytes in one piece, and %s when each read and write moves one", conn, brief(one[conn]), brief(few[conn]))
	}
	return f
}

// cut is a trace in which each read and write of a connection moves one byte: so each
// boundary is met that there is.
func (tr Trace) cut(conn uint16) Trace {
	const always = 1<<16 - 1
	short := Trace{tr[0], {Op: opShortRead, On: conn, A: 1, B: always}, {Op: opShortWrite, On: conn, A: 1, B: always}}
	short = append(short, tr[1:]...)
	short[len(short)-1].Hold = false // or it is over when faults are
	return short
}

// outputs is what each connection got in a run.
func (w *World) outputs(tr Trace, haunted bool) ([][]byte, *Failure) {
	w.haunted = haunted
	f := w.run(tr)
	if f != nil && !haunted {
		w.culprit = tr
	}
	all := make([][]byte, w.spec.Conns)
	for i := range all {
		all[i] = bytes.Clone(w.conns[i].got)
	}
	return all, f
}

func (w *World) differ(o oracle, tr Trace, format string, args ...any) *Failure {
	return &Failure{Oracle: string(o), Text: fmt.Sprintf(format, args...), At: len(tr), Time: time.Duration(w.now)}
}

// calm is a trace without faults, in which the loops rest after each event.
func (tr Trace) calm() (out Trace) {
	for _, e := range tr {
		if !ops[e.Op%opCount].fault && e.Op != opPace && e.Op != opTurn {
			e.Hold = false
			out = append(out, e)
		}
	}
	return out
}

// alone is a trace without what happens to other connections.
func (tr Trace) alone(conn int) (out Trace) {
	for _, e := range tr {
		if ops[e.Op%opCount].on != onConn || int(e.On) == conn {
			out = append(out, e)
		}
	}
	return out
}
