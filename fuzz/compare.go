package fuzz

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz/trace"
)

// Some oracles need no model: they run a trace again with something changed that
// must not matter. variant.go has the changes, apart.go what is told of a difference.

// check runs a trace, and, if it is to be deep, looks whether what must not matter
// does not.
func (w *World) check(tr trace.Trace, deep bool) *Failure {
	w.haunted, w.rerun, w.peak, w.culprit = false, false, peak{}, nil
	f := w.run(tr)
	if w.deaf {
		w.heeds, w.deaf = true, false
		f = w.run(tr)
	}
	if f != nil || !deep {
		return f
	}
	hits, journal := append([]hit(nil), w.cover.hits...), w.journal
	w.journal, w.rerun = nil, true // it tells of the first run
	if f = w.again(tr); f == nil {
		if f = w.compare(tr); f != nil {
			if g := w.compare(tr); g == nil || g.Text != f.Text { // to the digit
				f = w.unsteady(tr, f.runs...)
			}
		}
	}
	if f != nil && journal != nil {
		w.tellApart(f)
	}
	w.journal, w.haunted = journal, false
	w.cover.again(hits)
	return f
}

func (w *World) compare(tr trace.Trace) *Failure {
	for i := 0; i < w.spec.Conns; i++ {
		if f := w.pieces(tr, i); f != nil {
			return f
		}
	}
	calm := calm(tr, "without faults")
	plain, f := w.outputs(calm)
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
func (w *World) ghosts(tr trace.Trace, calm variant, plain [][]byte) *Failure {
	untrue := calm
	untrue.how, untrue.haunted = "with events that are not true", true
	haunted, f := w.outputs(untrue)
	for i := 0; i < len(plain) && f == nil; i++ {
		f = w.differ(oracleSpurious, tr, i, calm, plain[i], untrue, haunted[i])
	}
	return f
}

// lonely compares what a connection gets among others and without them.
func (w *World) lonely(tr trace.Trace, calm variant, conn int, among []byte) *Failure {
	calm.how = "among others"
	apart := calm.alone(conn, "when it is alone")
	alone, f := w.outputs(apart)
	if f == nil {
		f = w.differ(oracleAlone, tr, conn, calm, among, apart, alone[conn])
	}
	return f
}

// pieces compares what a connection gets for the same bytes in one piece with what it
// gets when they come in many, and when the end is right behind them.
func (w *World) pieces(tr trace.Trace, conn int) *Failure {
	whole, speaks := whole(tr, conn, "with its bytes in one piece")
	if !speaks || !w.spec.judges("C") && !w.spec.judges("H") {
		return nil
	}
	one, f := w.outputs(whole)
	if f == nil && w.spec.judges("C") {
		f = w.segments(tr, conn, whole, one)
	}
	if f == nil && w.spec.judges("H") {
		f = w.hangsUp(tr, conn, whole, one)
	}
	return f
}

func (w *World) segments(tr trace.Trace, conn int, whole variant, one [][]byte) *Failure {
	for _, cut := range []variant{whole.split("byte by byte"), whole.cut("when each read and write moves one byte")} {
		many, f := w.outputs(cut)
		if f == nil {
			f = w.differ(oracleSegments, tr, conn, whole, one[conn], cut, many[conn])
		}
		if f != nil {
			return f
		}
	}
	return nil
}

// hangsUp compares answers to bytes that the peer's end is right behind with those to
// bytes that it follows later. Who ends without an answer that is under way may do so;
// who closes with bytes unread that it would have answered has not looked for them.
func (w *World) hangsUp(tr trace.Trace, conn int, whole variant, one [][]byte) *Failure {
	whole.how = "when its end comes later"
	ended := whole.ended("with its end right behind its bytes")
	cut, f := w.outputs(ended)
	if f == nil && w.conns[conn].unread > 0 {
		f = w.differ(oracleHangUp, tr, conn, whole, one[conn], ended, cut[conn])
	}
	return f
}

// outputs is what each connection got in a run.
func (w *World) outputs(v variant) ([][]byte, *Failure) {
	w.haunted = v.haunted
	f := w.run(v.trace)
	if f != nil {
		f.runs = []variant{v}
		if !v.haunted {
			w.culprit = v.trace
		}
	}
	all := make([][]byte, w.spec.Conns)
	for i := range all {
		all[i] = bytes.Clone(w.conns[i].got)
	}
	return all, f
}

// differ is the failure of an oracle if a connection gets other bytes in one run than
// in another.
func (w *World) differ(o oracle, tr trace.Trace, conn int, one variant, a []byte, other variant, b []byte) *Failure {
	if bytes.Equal(a, b) {
		return nil
	}
	at := parting(a, b)
	return &Failure{Oracle: string(o), At: len(tr), Time: time.Duration(w.now), kind: "other bytes",
		Text: fmt.Sprintf("connection %d gets %s %s, and %s %s", conn, excerpt(a, at), one.how, excerpt(b, at), other.how),
		runs: []variant{one, other}, conn: conn, outputs: [][]byte{a, b}}
}

// unsteadyWhy is what makes runs differ, as a rule.
const unsteadyWhy = "a range over a map, the time, random numbers, a global, what Setup does not make anew?"

// unsteady is the failure of a trace of which a run, or one of its variants, is not the
// same each time.
func (w *World) unsteady(tr trace.Trace, runs ...variant) *Failure {
	return &Failure{Oracle: string(oracleSame), Text: "a second run of the same trace differs from the first (" + unsteadyWhy + ")",
		At: len(tr), runs: append(runs, itself(tr, ""))}
}

// parting is where the first byte is that two outputs do not share.
func parting(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
