package sim

import "slices"

// What a fault puts off: answers to connection attempts and to look-ups of names,
// and what servers reply.

// later is something that happens at a time.
type later struct {
	at int64
	do func()
}

// later has do called after some time, or when faults cease, which forever waits for.
func (w *World) later(after int64, do func()) {
	w.put = append(w.put, later{w.now + min(after, forever-w.now), do})
}

// doLater does what is due at a time, the earliest first.
func (w *World) doLater(to int64) {
	for len(w.put) > 0 && !w.halted {
		first := 0
		for i := range w.put {
			if w.put[i].at < w.put[first].at {
				first = i
			}
		}
		if w.put[first].at > to {
			return
		}
		do := w.put[first].do
		w.put = slices.Delete(w.put, first, first+1)
		do()
	}
}

// nextLater returns when the next thing is due that was put off.
func (w *World) nextLater() int64 {
	next := int64(forever)
	for i := range w.put {
		next = min(next, w.put[i].at)
	}
	return next
}
