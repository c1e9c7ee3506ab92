package reactor

import "slices"

// bufferWaiters are the machines that the pool of Config.Buffers refused. Each waits
// until other machines, or its own output, have given back as much as it asked for. No
// reservation is made: the first that comes takes what is free, and a machine that is
// refused again waits again.
type bufferWaiters struct {
	loop      *Loop
	waiters   []bufferWaiter
	wakeBelow int // at least one of them can be served when less than this is lent
}

// bufferWaiter is a machine that waits, and the bytes of chunks that it needs.
type bufferWaiter struct {
	machine Token
	size    int
}

// wait records that the pool refused size bytes of chunks to a machine. It returns false if
// the pool never has as much beside the machine's own input: that is not waited for, as no
// other machine could help.
func (w *bufferWaiters) wait(x uint32, h *header, size int) bool {
	l := w.loop
	if size+l.stores[h.kind].heldInput(h) > l.pool.limit {
		return false
	}
	h.flags |= mRefused
	t := l.slots.TokenAt(x)
	if h.flags&mWaitsForBuffers != 0 {
		i := slices.IndexFunc(w.waiters, func(b bufferWaiter) bool { return b.machine == t })
		size = min(size, w.waiters[i].size)
		w.waiters[i].size = size
	} else {
		if len(w.waiters) == cap(w.waiters) { // grow only for machines that live
			w.waiters = slices.DeleteFunc(w.waiters, func(b bufferWaiter) bool { return l.live(b.machine) == nil })
		}
		h.flags |= mWaitsForBuffers
		w.waiters = append(w.waiters, bufferWaiter{t, size})
	}
	w.wakeBelow = max(w.wakeBelow, l.pool.limit-size+1)
	return true
}

// heldInput returns the bytes of chunks that a machine's input needs.
func (b *base) heldInput(h *header) (n int) {
	for p := Port(0); uint32(p) < b.nports; p++ {
		switch in := b.port(h, p).in; {
		case in == scratchNum: // what is left of it is moved to a chunk of its size
			k := &b.loop.pool.chunks[in]
			n += 1 << class(k.w-k.r)
		case in != 0:
			n += len(b.loop.pool.chunks[in].b)
		}
	}
	return n
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

// servable reports whether the pool has enough for one of the machines that wait.
func (w *bufferWaiters) servable() bool { return w.loop.pool.lent < w.wakeBelow }

// wake schedules machines that wait, the oldest first, and only as many as the free
// bytes can serve: the others would be refused again. Bytes that the first ones leave
// are for the next ones, in the next turn.
func (w *bufferWaiters) wake() {
	l := w.loop
	free := l.pool.limit - l.pool.lent
	w.wakeBelow = 0
	keep := w.waiters[:0]
	for _, b := range w.waiters {
		h := l.live(b.machine)
		switch {
		case h == nil:
		case b.size > free:
			keep = append(keep, b)
			w.wakeBelow = max(w.wakeBelow, l.pool.limit-b.size+1)
		default:
			free -= b.size
			h.flags &^= mWaitsForBuffers
			st := l.stores[h.kind]
			for p := Port(0); uint32(p) < st.nports; p++ {
				l.updateRoom(h, p, st.port(h, p))
			}
			l.schedule(b.machine.Index(), h)
		}
	}
	w.waiters = keep
}
