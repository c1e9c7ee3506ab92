package fuzz

import (
	"github.com/stator-go/stator/fuzz/internal/report"
	"github.com/stator-go/stator/fuzz/trace"
)

// Show returns what happens in the run of a trace, whether it passes or fails, as
// Finding.Explain does for one that fails. It is for writing a Spec: it shows whether peers
// reach the machines, what these answer, and when they end.
//
// If tr is nil, Show makes a trace: for each listener that peers dial, one dials it, sends each
// of its words once, and half-closes. Then peers that machines dialled send their words, and a
// minute passes.
func Show(spec Spec, tr trace.Trace) string {
	e := newEngine(spec)
	if tr == nil {
		e.judge.Run(nil) // shows how many listeners there are
		tr = e.tour()
	}
	journal := report.NewJournal()
	f := e.judge.Check(tr, true, journal)
	return report.OfRun(e.judge, e.spec.dict(), tr, f, journal).Explain()
}

// tourWords is how many words a tour sends to a listener: one more would fill a screen.
const tourWords = 20

// tour returns a trace in which one peer after the other dials each listener and sends words.
func (e *engine) tour() (tr trace.Trace) {
	w := e.world
	say := func(conn, word uint16) { tr = append(tr, trace.Event{Op: trace.Send, On: conn, A: word}) }
	for _, l := range w.Dialable() {
		tr = append(tr, trace.Event{Op: trace.Dial, A: l})
		first, last := w.WordsOf(int(l))
		for word := first; word < min(last, first+tourWords); word++ {
			say(0, word)
		}
		tr = append(tr, trace.Event{Op: trace.Finish}, trace.Event{Op: trace.Close})
	}
	dialled := w.DialledWords()
	for _, word := range dialled[:min(len(dialled), tourWords)] {
		say(uint16(e.spec.Conns), word)
	}
	return append(tr, trace.Event{Op: trace.Advance, A: 1, B: 4})
}
