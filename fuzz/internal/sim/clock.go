package sim

import (
	"time"

	"github.com/stator-go/stator/fuzz/trace"
)

// Loops take turns as long as one of them has something to do. Then they rest, and time may
// pass.

// Bounds of loops that do not come to rest. A loop spins if it takes turns in which nothing
// moves. It chatters if it takes turns, writes and delivers messages at one moment, and no
// machine reads.
// Output may leave a byte at a time, and be as much as machines hold, or as they answer to
// the input that they hold. So chatter has a high bound, and a short write together with
// its turn counts only 1/chatterUnit.
const (
	spinning        = 2000    // turns in which nothing moves
	chattering      = 1 << 19 // turns, writes and messages in which no machine reads
	chatterExpected = 1 << 13 // the same, if a loop is expected to go on for ever
	chatterUnit     = 32
	countEvery      = 64 // turns, for messages
)

// turn lets a loop take a turn.
func (w *World) turn(d *simDriver) {
	if w.last != w.moved {
		w.last, w.idle = w.moved, 0
	}
	if w.spell++; w.spell%countEvery == 0 {
		w.countMessages()
	}
	if w.idle++; w.idle > spinning && !w.progresses() {
		w.observeLoop(Idles, d.loop, spinning, 0)
		return
	}
	if w.chatter += chatterUnit; w.chatter > chatterUnit*w.maxChatter {
		w.observeLoop(Chatters, d.loop, w.maxChatter, 0)
		return
	}
	w.takeTurn(d)
}

// takeTurn is turn without its checks.
func (w *World) takeTurn(d *simDriver) {
	w.note(noteTurn, uint64(d.loop), 0)
	if d.armed.late > 0 && !d.busy() {
		w.struck(trace.Late, nil) // a deadline is why the loop takes this turn
	}
	d.armed.late = 0
	outer := w.current // the turn may be in the midst of a handler's of another loop
	w.steps[d.loop].Turn()
	w.current = outer
	if len(w.works) > 0 {
		w.countTurn()
	}
	if d.armed.interleaves > 0 {
		d.doze()
	}
}

// handling returns how many messages machines have handled, and how many bytes of buffered
// input.
func (w *World) handling() (messages, input uint64) {
	for i := range w.steps {
		if s, ok := w.stats(i); ok {
			messages, input = messages+s.Messages, input+s.Consumed
		}
	}
	return messages, input
}

// countMessages adds messages to what counts as chatter. A turn may deliver many.
func (w *World) countMessages() {
	handled, _ := w.handling()
	if w.spell > countEvery {
		w.chatter += chatterUnit * int(handled-w.counted)
	}
	w.counted = handled
}

// progresses reports whether machines handled messages, or input that they hold, since the
// last call. None of that moves anything outside of them.
func (w *World) progresses() bool {
	messages, input := w.handling()
	progress := messages != w.handled || input != w.consumed
	if w.handled, w.consumed = messages, input; progress {
		w.idle = 0
	}
	return progress
}

// wantsTurn reports whether a loop would take a turn now.
func (w *World) wantsTurn(d *simDriver) bool {
	return !d.over && (d.busy() || w.due(d) <= w.now)
}

// due returns when a loop takes its next turn by itself.
func (w *World) due(d *simDriver) int64 {
	if d.over {
		return forever
	}
	at := w.steps[d.loop].Until()
	if at > 0 && at < forever-d.armed.late {
		at += d.armed.late
	}
	return at
}

// Settle lets the loops take turns, one after the other, until none wants any.
func (w *World) Settle() {
	for busy := true; busy; {
		busy = w.replying > 0 && w.backendsReply()
		busy = len(w.works) > 0 && w.runWorks() || busy
		for _, d := range w.drivers {
			if !w.halted && w.wantsTurn(d) {
				w.turn(d)
				busy = true
			}
		}
		busy = busy || len(w.works) > 0 && w.hurryWork()
	}
	w.idle, w.chatter, w.spell = 0, 0, 0
}

// Advance moves the clock, and stops at each time at which something is due.
func (w *World) Advance(by time.Duration) {
	to := w.now + int64(by)
	for w.Settle(); !w.halted; w.Settle() {
		w.rested()
		next := w.next()
		if next > to {
			break
		}
		w.setClock(next)
	}
	w.setClock(to)
}

func (w *World) rested() {
	if !w.halted {
		w.observe(Rested)
	}
}

// next returns when something is due.
func (w *World) next() int64 {
	next := min(w.nextWork(), w.nextLater())
	for _, d := range w.drivers {
		next = min(next, w.due(d))
	}
	for i := range w.conns {
		next = min(next, w.conns[i].readAt)
	}
	return max(next, w.now)
}

// setClock sets the time, and lets the peers read that wait for it.
func (w *World) setClock(to int64) {
	if to <= w.now {
		return
	}
	w.now = to
	w.moved++
	w.note(noteTime, uint64(to), 0)
	if len(w.put) > 0 {
		w.doLater(to)
	}
	for i := range w.conns {
		if c := &w.conns[i]; c.readAt <= to {
			w.readSome(c)
		}
	}
}
