package judge

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// Some oracles need no model. They run variants of a trace and compare what connections get,
// which must be the same. variant.go makes the variants.

// again runs a trace once more, and fails if anything happens differently from a run with a
// digest.
func (j *Judge) again(tr trace.Trace, first uint64) *Failure {
	j.run(tr, sim.Options{Again: true})
	if j.w.Sum() == first {
		return nil
	}
	return Unsteady(tr)
}

// compare runs the variants of a trace.
func (j *Judge) compare(tr trace.Trace) *Failure {
	if j.Pressure == PressureAlone {
		return j.pressures(tr)
	}
	for i := range j.cfg.Conns {
		if f := j.comparePieces(tr, i); f != nil {
			return f
		}
	}
	calm := calm(tr, "without faults")
	plain, f := j.outputs(calm)
	late := j.late()
	dialled := j.dialled()
	isolated := j.cfg.Isolated && !dialled
	if f == nil && dialled && j.cfg.Without&CheckSegmentation == 0 {
		f = j.compareDialled(tr, calm, plain)
	}
	if f == nil && j.cfg.Without&CheckSpuriousEvents == 0 {
		f = j.compareSpurious(tr, calm, plain, late)
	}
	for i := 0; i < j.cfg.Conns && isolated && f == nil; i++ {
		f = j.compareAlone(tr, calm, i, plain[i])
	}
	if f == nil && j.cfg.Pressure && j.Pressure != PressureNone {
		f = j.pressures(tr)
	}
	return f
}

// dialled reports whether machines dialled peers in the last run. Without other connections
// such a connection may have another number, and what its peer did would be left out.
func (j *Judge) dialled() bool {
	for i := j.cfg.Conns; i < j.w.Conns(); i++ {
		if j.w.Conn(i).Life > 0 {
			return true
		}
	}
	return false
}

// compareDialled compares what connections that machines dialled get if the words that their
// peers send arrive whole, and byte by byte. All else that happens is left as it is: only that
// makes machines dial. It compares nothing if several connections send, as what machines make of
// that may depend on the order, or if other connections have the same numbers.
func (j *Judge) compareDialled(tr trace.Trace, calm Variant, plain [][]byte) *Failure {
	cut, speaks := calm.splitFrom(j.cfg.Conns, "byte by byte")
	if !speaks || j.cfg.Faults.Off(trace.Split) || calm.speakers() > 2 {
		return nil
	}
	calm.How = "with each word in one piece"
	lives := j.lives()
	many, f := j.outputs(cut)
	for i := j.cfg.Conns; i < len(plain) && f == nil && slices.Equal(lives, j.lives()); i++ {
		f = j.differ(Segmentation, tr, i, calm, plain[i], cut, many[i])
	}
	return f
}

// late returns the connections whose machines a deadline ended in the last run.
func (j *Judge) late() (all []bool) {
	for i := range j.w.Conns() {
		all = append(all, j.w.Conn(i).Late())
	}
	return all
}

// lives returns how many connections have had each number in the last run.
func (j *Judge) lives() (all []int) {
	for i := range j.w.Conns() {
		all = append(all, j.w.Conn(i).Life)
	}
	return all
}

// compareSpurious compares what connections get with and without spurious events. A handler that
// is called may set a deadline anew, so a machine may live longer, and give more answers.
func (j *Judge) compareSpurious(tr trace.Trace, calm Variant, plain [][]byte, late []bool) *Failure {
	spurious := calm
	spurious.How, spurious.Spurious = "with events that are not true", true
	got, f := j.outputs(spurious)
	for i := 0; i < j.cfg.Conns && f == nil; i++ {
		if late[i] && bytes.HasPrefix(got[i], plain[i]) || j.w.Conn(i).Late() && bytes.HasPrefix(plain[i], got[i]) {
			continue
		}
		f = j.differ(SpuriousEvents, tr, i, calm, plain[i], spurious, got[i])
	}
	return f
}

// compareAlone compares what a connection gets among others with what it gets without
// them.
func (j *Judge) compareAlone(tr trace.Trace, calm Variant, conn int, among []byte) *Failure {
	calm.How = "among others"
	apart := calm.alone(conn, "when it is alone")
	alone, f := j.outputs(apart)
	if f == nil {
		f = j.differ(Isolation, tr, conn, calm, among, apart, alone[conn])
	}
	return f
}

// comparePieces compares what a connection gets for its bytes in one piece with what it gets
// when they arrive in many pieces, and when the peer's end is right behind them.
func (j *Judge) comparePieces(tr trace.Trace, conn int) *Failure {
	whole, speaks := whole(tr, conn, "with its bytes in one piece")
	cuts, ends := j.cfg.Without&CheckSegmentation == 0, j.cfg.Without&CheckHangUp == 0
	if !speaks || !cuts && !ends {
		return nil
	}
	one, f := j.outputs(whole)
	if f == nil && cuts {
		f = j.compareSegments(tr, conn, whole, one)
	}
	if f == nil && ends {
		f = j.compareHangUp(tr, conn, whole, one)
	}
	return f
}

func (j *Judge) compareSegments(tr trace.Trace, conn int, whole Variant, one [][]byte) *Failure {
	for _, cut := range []Variant{whole.split("byte by byte"), whole.cut("when each read and write moves one byte")} {
		cut = cut.without(j.cfg.Faults)
		many, f := j.outputs(cut)
		if f == nil {
			f = j.differ(Segmentation, tr, conn, whole, one[conn], cut, many[conn])
		}
		if f != nil {
			return f
		}
	}
	return nil
}

// compareHangUp compares the answers to bytes with the peer's end right behind them with
// the answers when the end comes later. A machine may end before an answer that is under
// way is sent. It may not close without reading bytes that it would have answered.
func (j *Judge) compareHangUp(tr trace.Trace, conn int, whole Variant, one [][]byte) *Failure {
	whole.How = "when its end comes later"
	ended := whole.ended("with its end right behind its bytes").without(j.cfg.Faults)
	cut, f := j.outputs(ended)
	if f == nil && j.w.Conn(conn).Unread > 0 {
		f = j.differ(HangUp, tr, conn, whole, one[conn], ended, cut[conn])
	}
	return f
}

// outputs runs a variant, and returns what each connection got.
func (j *Judge) outputs(v Variant) ([][]byte, *Failure) {
	f := j.run(v.Trace, sim.Options{Again: true, Spurious: v.Spurious})
	if f != nil {
		f.Runs = []Variant{v}
	}
	all := make([][]byte, j.w.Conns())
	for i := range all {
		all[i] = bytes.Clone(j.w.Conn(i).Got)
	}
	return all, f
}

// differ returns the failure of an oracle if a connection gets other bytes in one run
// than in another.
func (j *Judge) differ(oracle string, tr trace.Trace, conn int, one Variant, a []byte, other Variant, b []byte) *Failure {
	if bytes.Equal(a, b) || j.endless {
		return nil
	}
	at := Parting(a, b)
	return &Failure{Oracle: oracle, At: len(tr), Time: time.Duration(j.w.Now()), Kind: "other bytes",
		Text: fmt.Sprintf("connection %d gets %s %s, and %s %s", conn, excerpt(a, at), one.How, excerpt(b, at), other.How),
		Runs: []Variant{one, other}, Conn: conn, Outputs: [][]byte{a, b}}
}

// UnsteadyWhy lists the usual causes of runs of one trace that differ.
const UnsteadyWhy = "a range over a map, the time, random numbers, a global, what Setup does not make anew?"

// Unsteady returns the failure of a trace if two runs of it, or of one of its variants, are
// not the same.
func Unsteady(tr trace.Trace, runs ...Variant) *Failure {
	return &Failure{Oracle: Determinism, Text: "a second run of the same trace differs from the first (" + UnsteadyWhy + ")",
		At: len(tr), Runs: append(runs, Itself(tr, ""))}
}

// Parting returns the index of the first byte in which two outputs differ.
func Parting(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// excerpt returns bytes for a failure's text: their beginning, or those around index at if
// Brief would not show it.
func excerpt(b []byte, at int) string {
	const before, shown = 4, 16
	if at < shown || at > len(b) {
		return Brief(b)
	}
	return fmt.Sprintf("…%s from byte %d on", Brief(b[at-before:]), at-before)
}
