package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/stator-go/stator/fuzz/trace"
)

// Offloaded work: what machines start goroutines for in production. It runs between two turns,
// at a time that the trace chooses. So an answer comes at once, late, or behind that of work
// that began later.

// work is a function that was handed to Go and has not run yet.
type work struct {
	number int
	do     func()
	at     int64 // it runs at this time, or
	turns  int   // so many turns later
}

// due reports whether only turns keep a piece of work waiting.
func (k *work) due(now int64) bool { return k.at <= now }

// Go has do run between two turns: before the next one, or when the trace says.
func (w *World) Go(do func()) {
	k := work{number: w.handedIn, do: do}
	w.handedIn++
	w.found.Work = true
	if len(w.waits) > 0 {
		e := w.waits[0]
		w.waits = slices.Delete(w.waits, 0, 1)
		k.at, k.turns = w.now+int64(e.A)*int64(time.Millisecond), int(e.B)
		w.struck(trace.WorkWaits, nil)
	}
	w.works = append(w.works, k)
}

// doWorkWaits makes the next piece of work wait that no event before has made wait.
func (w *World) doWorkWaits(e trace.Event) { w.waits = append(w.waits, e) }

// runWorks runs what waits for nothing, in the order in which it was handed in. It reports
// whether there was any.
func (w *World) runWorks() (ran bool) {
	for at, n := 0, len(w.works); n > 0 && !w.halted; n-- {
		if k := &w.works[at]; !k.due(w.now) || k.turns > 0 {
			at++
			continue
		}
		ran = true
		w.runWork(at)
	}
	return ran
}

// hurryWork runs the first piece of work that waits for turns: the loops rest, so there are none
// to come. It reports whether there is one.
func (w *World) hurryWork() bool {
	for at := range w.works {
		if w.works[at].due(w.now) && !w.halted {
			w.runWork(at)
			return true
		}
	}
	return false
}

// runWork runs the piece of work at an index.
func (w *World) runWork(at int) {
	k := w.works[at]
	w.works = slices.Delete(w.works, at, at+1)
	if w.chatter += chatterUnit; w.chatter > chatterUnit*w.maxChatter { // it hands in more and more
		w.observeLoop(Chatters, 0, w.maxChatter, 0)
		return
	}
	w.moved++
	w.note(noteWork, uint64(k.number), 0)
	w.observeWork(WorkBegins, k.number)
	w.calling = &caller{what: fmt.Sprintf("work %d", k.number)}
	k.do()
	w.calling = nil
	w.observeWork(WorkEnds, k.number)
}

func (w *World) observeWork(what What, number int) {
	if w.wants(what) {
		o := w.observation(what)
		o.N = number
		w.emit(o)
	}
}

// countTurn counts a turn for the work that waits for turns.
func (w *World) countTurn() {
	for i := range w.works {
		if k := &w.works[i]; k.due(w.now) && k.turns > 0 {
			k.turns--
		}
	}
}

// nextWork returns when the next piece of work wants to run.
func (w *World) nextWork() int64 {
	next := int64(forever)
	for i := range w.works {
		next = min(next, w.works[i].at)
	}
	return next
}

// endWaits lets all work run.
func (w *World) endWaits() {
	w.waits = w.waits[:0]
	for i := range w.works {
		w.works[i].at, w.works[i].turns = 0, 0
	}
}
