package fuzz

import (
	"fmt"
	"iter"
	"runtime/debug"
	"time"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// A run is its trace's events, and then an end that is always the same: faults
// cease and peers read; peers end their directions; peers close; the loops shut
// down; the loops stop. Each stage has something to judge.
type stage uint8

const (
	stageEvents stage = iota
	stagePeace
	stageFinish
	stageHangUp
	stageLeave
	stageStop
	stageOver
)

// beyond is when features appear that the end of a run shows.
const beyond = -1

// patience is how long, on the world's clock, machines may take to end after their
// peers did, and loops to shut down.
const patience = 2 * time.Hour

// run runs a trace from the start. What it found is in w.failure, and answered.
func (w *World) run(tr trace.Trace) *Failure {
	if err := w.begin(tr); err != nil {
		w.fail(oracleSetup, "%v", err)
	}
	w.resumable(w.goOn)
	if w.failure != nil {
		told := w.journal
		w.journal = nil // what follows is nobody's story
		w.resumable(w.tidy)
		w.journal = told
	}
	return w.failure
}

// resumable calls f on a goroutine of its own, and again where a handler's Goexit
// ended that one. A panic of the loop's own, or of the spec's, is a failure.
func (w *World) resumable(f func()) {
	for over := false; !over; {
		done := make(chan bool)
		go func() {
			defer func() {
				if v := recover(); v != nil {
					w.fail(oraclePanic, "%v panicked: %v", w.asks, v)
					w.failure.Stack = debug.Stack()
					over = true
				} else if !over && w.asks.what != "" {
					w.fail(oraclePanic, "%v ended its goroutine, as Fatal and FailNow of a test do: want a return, or a panic", w.asks)
					over = true
				}
				done <- over
			}()
			f()
			over = true
		}()
		over = <-done
	}
}

// asked is who of the spec's is called: an oracle, or an action. Nobody is the zero one.
type asked struct{ what, name string }

func (a asked) String() string {
	if a.what == "" {
		return "the loop itself"
	}
	return fmt.Sprintf("%s %q", a.what, a.name)
}

// oracles are the spec's, each of which is asked for the length of its turn.
func (w *World) oracles() iter.Seq[Oracle] {
	return func(yield func(Oracle) bool) {
		for _, o := range w.spec.Oracles {
			w.asks = asked{"oracle", o.title()}
			if !yield(o) {
				break
			}
		}
		w.asks = asked{}
	}
}

// goOn continues the run where it is.
func (w *World) goOn() {
	for ; w.stage < stageOver && w.failure == nil; w.stage++ {
		if w.stage > stageEvents {
			w.say(-1, stages[w.stage])
		}
		switch w.stage {
		case stageEvents:
			w.settle()
			for w.at < len(w.trace) && w.failure == nil {
				if w.at++; w.journal != nil {
					w.journal.begins = append(w.journal.begins, w.now)
				}
				w.cover.at = w.at
				w.do(w.trace[w.at-1])
			}
			w.cover.at = beyond
		case stagePeace:
			w.peace()
			w.settle()
			w.judgeAll()
			w.nudge()
			w.judgeBacklogs()
		case stageFinish:
			for i := range w.conns {
				w.doFinish(&w.conns[i], trace.Event{})
			}
			w.rest()
		case stageHangUp:
			for i := range w.conns {
				w.judge(&w.conns[i])
				w.hangUp(&w.conns[i], false)
			}
			w.rest()
			w.judgeRest()
			w.judgeStale()
		case stageLeave:
			for i := range w.drivers {
				w.leave(i)
			}
			w.advance(time.Minute)
			w.judgeLives()
			w.judgePens()
		case stageStop:
			w.stop()
			w.settle()
			w.judgeStop()
		}
	}
}

// do does one event of the trace.
func (w *World) do(e trace.Event) {
	if w.tally != nil {
		w.tally.injected(e)
	}
	if e.Op.IsFault() {
		w.armedIn(e)
	}
	does[e.Op%trace.NumOps](w, e)
	if !e.Hold {
		w.settle()
		w.rests()
		w.stand()
		w.judgeBounds()
	}
}

// rest lets time pass until no machine has a connection any more, or patience ends.
func (w *World) rest() {
	end := w.now + int64(patience)
	for jumps := 0; jumps < 10_000; jumps++ {
		if w.settle(); w.failure != nil || !w.holds() {
			return
		}
		w.judgeBounds()
		next := w.next()
		if next > end {
			w.clock(end)
			w.settle()
			return
		}
		w.clock(next)
	}
}

// holds tells whether a machine has an end of a connection.
func (w *World) holds() bool {
	for _, s := range w.socks[1:] {
		if s.driver != nil && s.connects() {
			return true
		}
	}
	return false
}

func (w *World) stop() {
	for i, d := range w.drivers {
		if !d.over {
			w.steps[i].Stop()
		}
	}
}

// tidy ends the loops of a run that failed, as far as they let it, so that their
// numbers are free for others.
func (w *World) tidy() {
	w.stop()
	for i, d := range w.drivers {
		for turns := 0; turns < 100 && !d.over; turns++ {
			w.steps[i].Turn()
		}
	}
}

// again runs a trace once more, and judges whether all happened as before.
func (w *World) again(tr trace.Trace) *Failure {
	first := w.sum()
	before := w.failure
	if w.run(tr); w.sum() == first {
		return before
	}
	return w.unsteady(tr)
}

// answers tells whether the world has a peer for connections to an address.
func (s *Spec) answers(a reactor.Addr) bool { return s.Answers == nil || s.Answers(a) }
