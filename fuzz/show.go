package fuzz

import (
	"github.com/stator-go/stator/fuzz/internal/report"
	"github.com/stator-go/stator/fuzz/trace"
)

// Show returns what happens in the run of a trace, whether it passes or fails, as
// Finding.Explain does for one that fails. It is for writing a Spec: it shows whether peers
// reach the machines, what these answer, and when they end.
//
// If tr is nil, Show makes a trace: for each listener, a peer dials, sends each word of the
// dictionary once, and half-closes.
func Show(spec Spec, tr trace.Trace) string {
	e := newEngine(spec)
	if tr == nil {
		e.judge.Run(nil) // shows how many listeners there are
		tr = tour(e.world.Listeners(), len(spec.Dict))
	}
	journal := report.NewJournal()
	f := e.judge.Check(tr, true, journal)
	return report.OfRun(e.judge, e.spec.dict(), tr, f, journal).Explain()
}

// tourWords is how many words a tour sends to a listener: one more would fill a screen.
const tourWords = 20

// tour returns a trace in which one peer after the other dials each listener and sends words.
func tour(listeners, words int) (tr trace.Trace) {
	for i := range listeners {
		tr = append(tr, trace.Event{Op: trace.Dial, A: uint16(i)})
		for word := range min(words, tourWords) {
			tr = append(tr, trace.Event{Op: trace.Send, A: uint16(word)})
		}
		tr = append(tr, trace.Event{Op: trace.Finish}, trace.Event{Op: trace.Close})
	}
	return tr
}
