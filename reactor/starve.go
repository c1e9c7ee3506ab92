package reactor

import "slices"

// A machine that Config.Buffers refused waits until other machines, or its own
// output, have given back as much as it asked for. Nobody keeps it for them: who
// comes first takes it, and who is refused again waits again.

// starved is a machine that waits, and how many bytes of chunks would serve it.
type starved struct {
	who  Token
	size int
}

// starve records that the pool refused size bytes of chunks to a machine. More than
// the pool ever has is refused for good: no chunk that comes back changes that.
func (l *Loop) starve(x uint32, h *header, size int) {
	if size > l.pool.limit {
		return
	}
	h.flags |= noRoom
	who := l.slots.TokenAt(x)
	if h.flags&hungry != 0 {
		i := slices.IndexFunc(l.starved, func(s starved) bool { return s.who == who })
		size = min(size, l.starved[i].size)
		l.starved[i].size = size
	} else {
		if len(l.starved) == cap(l.starved) { // it grows for those that live, alone
			l.starved = slices.DeleteFunc(l.starved, func(s starved) bool { return l.live(s.who) == nil })
		}
		h.flags |= hungry
		l.starved = append(l.starved, starved{who, size})
	}
	l.feedBelow = max(l.feedBelow, l.pool.limit-size+1)
}

// feed rouses machines that starve, the oldest first, and no more of them than what
// came back would serve: the others would be called in vain. What the first ones leave
// is theirs in the next turn.
func (l *Loop) feed() {
	free := l.pool.limit - l.pool.lent
	l.feedBelow = 0
	keep := l.starved[:0]
	for _, s := range l.starved {
		h := l.live(s.who)
		switch {
		case h == nil:
		case s.size > free:
			keep = append(keep, s)
			l.feedBelow = max(l.feedBelow, l.pool.limit-s.size+1)
		default:
			free -= s.size
			h.flags &^= hungry
			b := l.stores[h.kind]
			for p := Port(0); uint32(p) < b.nports; p++ {
				l.gauge(h, p, b.port(h, p))
			}
			l.rouse(s.who.Index(), h)
		}
	}
	l.starved = keep
}

// hungers tells whether what the pool has would serve a machine that starves.
func (l *Loop) hungers() bool { return l.pool.lent < l.feedBelow }
