package sim

import (
	"runtime/debug"
	"time"

	"github.com/stator-go/stator/fuzz/trace"
)

// Stage is a part of a run: its trace's events, and then an end that is always the same.
type Stage uint8

const (
	StageEvents Stage = iota
	StageFaultsOver
	StageFinish
	StageClose
	StageLeave
	StageStop
	StageOver
)

// String returns what happens in a stage of the run's end; empty for the others.
func (s Stage) String() string {
	return [...]string{StageFaultsOver: "faults cease", StageFinish: "peers half-close", StageClose: "peers close",
		StageLeave: "the loops shut down", StageStop: "the loops stop", StageOver: ""}[s]
}

// Patience is how long, on the world's clock, machines may take to end after their peers
// did.
const Patience = 2 * time.Hour

// Run runs a trace from its begin to its end, or until an observer halts it.
func (w *World) Run(tr trace.Trace, opts Options) {
	if err := w.Begin(tr, opts); err != nil {
		o := w.observation(SetupFailed)
		o.Err = err
		w.emit(o)
		w.halted = true
	}
	w.resumable(w.resume)
	if w.halted {
		w.Cleanup()
	}
}

// Cleanup stops the loops of a run that was halted, or that was only begun, as far as
// they let it, so that the process can use their numbers again.
func (w *World) Cleanup() {
	w.observe(CleanupBegins)
	w.resumable(func() {
		w.stop()
		for i, d := range w.drivers {
			for turns := 0; turns < 100 && !d.over; turns++ {
				w.steps[i].Turn()
			}
		}
	})
}

// resumable calls f on a goroutine of its own, and again where a handler's Goexit ended
// that goroutine. It observes panics that the loop did not recover: its own, and those
// of actions and observers.
func (w *World) resumable(f func()) {
	for over := false; !over; {
		done := make(chan bool)
		go func() {
			defer func() {
				if v := recover(); v != nil {
					w.depth = 0
					o := w.observation(Panics)
					o.Err = &PanicError{v, debug.Stack()}
					o.setCalling(w.calling)
					w.emit(o)
					over = true
				} else if !over && w.exited() {
					over = true
				}
				done <- over
			}()
			for _, d := range w.drivers {
				if s := d.stepper(); s != nil {
					s.Adopt()
				}
			}
			f()
			over = true
		}()
		over = <-done
	}
}

// exited observes that the world's goroutine has ended, and reports whether the cause is not
// a handler but an action or an observer.
func (w *World) exited() bool {
	observing := w.depth > 0
	w.depth = 0
	if w.calling == nil && !observing {
		return false
	}
	o := w.observation(Exits)
	o.setCalling(w.calling)
	w.emit(o)
	return true
}

func (o *Observation) setCalling(c *caller) {
	if c != nil {
		o.OK, o.Name = true, c.what
	}
}

// resume continues the run where it is.
func (w *World) resume() {
	for ; w.stage < StageOver && !w.halted; w.stage++ {
		if w.stage == StageFinish && w.cfg.Faults.Off(trace.Finish) {
			continue
		}
		if w.stage > StageEvents {
			w.observe(StageBegins)
		}
		switch w.stage {
		case StageEvents:
			w.doEvents()
		case StageFaultsOver:
			w.clearFaults()
			w.endWaits()
			w.Settle()
			w.observe(FaultsOver)
			w.repeatReadiness()
			w.checkBacklogs()
		case StageFinish:
			for i := range w.conns {
				w.doFinish(&w.conns[i], trace.Event{})
			}
			w.checkLateEnds()
			w.waitForEnds()
		case StageClose:
			for i := range w.conns {
				w.observeConn(ConnOver, i, nil)
				w.hangUp(&w.conns[i], false)
			}
			w.waitForEnds()
			w.checkEnds()
			w.checkStaleEvents()
		case StageLeave:
			for i := range w.drivers {
				w.leave(i)
			}
			w.Advance(time.Minute)
			w.observe(LoopsLeft)
		case StageStop:
			w.stop()
			w.Settle()
			w.checkStopped()
		}
	}
}

func (w *World) doEvents() {
	if len(w.trace) == 0 || w.trace[0].Op%trace.NumOps != trace.AnswerWaits {
		w.Settle() // else the event comes first: machines may dial, and be greeted, in their first turns
	}
	for w.at < len(w.trace) && !w.halted {
		w.at++
		w.observe(EventBegins)
		w.Do(w.trace[w.at-1])
	}
}

// Do does one event.
func (w *World) Do(e trace.Event) {
	if e.Op.IsFault() && w.wants(FaultArmed) {
		o := w.observation(FaultArmed)
		o.Op = e.Op % trace.NumOps
		if c := int(e.On); e.Op.Target() == trace.OnConn && c < len(w.conns) {
			if s := w.conns[c].machineEnd(); s != nil {
				o.Machine = s.machine()
			}
		}
		w.emit(o)
	}
	do[e.Op%trace.NumOps](w, e)
	if !e.Hold {
		w.Settle()
		w.observe(EventOver)
	}
}

// waitForEnds lets time pass until no machine has a connection whose peer has ended, or
// patience ends.
func (w *World) waitForEnds() {
	end := w.now + int64(Patience)
	for jumps := 0; jumps < 10_000; jumps++ {
		if w.Settle(); w.halted || !w.holdsConns() {
			return
		}
		w.rested()
		next := w.next()
		if next > end {
			w.setClock(end)
			w.Settle()
			return
		}
		w.setClock(next)
	}
}

// holdsConns reports whether a machine has an end of a connection whose peer has ended. A
// client that connects again and again always has one whose peer has not.
func (w *World) holdsConns() bool {
	for _, s := range w.sockets[1:] {
		if s.driver != nil && s.connects() && !w.hasPeer(s) {
			return true
		}
	}
	return false
}

// hasPeer reports whether the other end of s belongs to a peer that has not ended.
func (w *World) hasPeer(s *socket) bool {
	c := w.connOf(s)
	return c != nil && c.peer != nil && !c.peer.shutOut
}

func (w *World) stop() {
	w.stopped = true
	for i, d := range w.drivers {
		if !d.over {
			w.steps[i].Stop()
		}
	}
}
