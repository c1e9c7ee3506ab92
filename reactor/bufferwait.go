package reactor

import (
	"math"
	"slices"
)

// bufferWaiters are the machines that the pool of Config.Buffers refused. Each waits
// until other machines, or its own output, have given back enough. No reservation is made:
// the first that comes takes what is free, and a machine that is refused again waits again.
type bufferWaiters struct {
	loop    *Loop
	waiters []bufferWaiter
	ceiling int // at least one of them can be served when no more than this is lent
}

// bufferWaiter is a machine that waits.
type bufferWaiter struct {
	machine Token
	size    int // bytes of chunks that it needs
	ceiling int // it gets them when no more than this is lent
}

// wait records that the pool refused size bytes of chunks to a machine. It returns false if
// the pool never has as much beside the machine's own input: that is not waited for, as no
// other machine could help.
func (w *bufferWaiters) wait(x uint32, h *header, size int) bool {
	p := &w.loop.pool
	in, out := w.loop.stores[h.kind].borrowed(h)
	if k := &p.chunks[scratchNum]; k.w != 0 { // what is left of it is moved to a chunk of its size
		in -= len(k.b) - 1<<class(k.w-k.r)
	}
	if p.ceiling(in, size) < in {
		return false
	}
	w.add(x, h, size, p.ceiling(in+out, size))
	return true
}

// add puts a machine on the list, which has it once: with what it gets first.
func (w *bufferWaiters) add(x uint32, h *header, size, ceiling int) {
	l := w.loop
	h.flags |= mRefused
	b := bufferWaiter{l.slots.TokenAt(x), size, ceiling}
	if h.flags&mWaitsForBuffers != 0 {
		if old := w.find(x); b.ceiling > old.ceiling {
			*old = b
		}
	} else {
		if len(w.waiters) == cap(w.waiters) { // grow only for machines that live
			w.waiters = slices.DeleteFunc(w.waiters, func(b bufferWaiter) bool { return l.live(b.machine) == nil })
		}
		h.flags |= mWaitsForBuffers
		w.waiters = append(w.waiters, b)
	}
	w.ceiling = max(w.ceiling, ceiling)
}

func (w *bufferWaiters) find(x uint32) *bufferWaiter {
	t := w.loop.slots.TokenAt(x)
	return &w.waiters[slices.IndexFunc(w.waiters, func(b bufferWaiter) bool { return b.machine == t })]
}

// update follows a call of a machine that waits: the less it holds now, the sooner it gets
// more.
func (w *bufferWaiters) update(x uint32, h *header) {
	b := w.find(x)
	in, out := w.loop.stores[h.kind].borrowed(h)
	b.ceiling = max(b.ceiling, w.loop.pool.ceiling(in+out, b.size))
	w.ceiling = max(w.ceiling, b.ceiling)
}

// len returns how many machines wait.
func (w *bufferWaiters) len() (n int) {
	for _, b := range w.waiters {
		if w.loop.live(b.machine) != nil {
			n++
		}
	}
	return n
}

// retry makes all machines that wait try again: the limits have changed.
func (w *bufferWaiters) retry() {
	for i := range w.waiters {
		w.waiters[i].ceiling = math.MaxInt
	}
	w.ceiling = math.MaxInt
}

// servable reports whether the pool has enough for one of the machines that wait.
func (w *bufferWaiters) servable() bool {
	return len(w.waiters) > 0 && w.loop.pool.lent <= w.ceiling
}

// wake schedules machines that wait, the oldest first, and only as many as can be served:
// the others would be refused again. Bytes that the first ones leave are for the next ones,
// in the next turn.
func (w *bufferWaiters) wake() {
	l := w.loop
	lent := l.pool.lent
	w.ceiling = -1
	keep := w.waiters[:0]
	for _, b := range w.waiters {
		h := l.live(b.machine)
		switch {
		case h == nil:
		case lent > b.ceiling:
			keep = append(keep, b)
			w.ceiling = max(w.ceiling, b.ceiling)
		default:
			lent += b.size
			h.flags &^= mWaitsForBuffers
			l.updateRooms(h)
			l.schedule(b.machine.Index(), h)
		}
	}
	w.waiters = keep
}
