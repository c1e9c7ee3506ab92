package reactor

// cork gathers what one port's machine writes during its run, so that sixteen
// pipelined replies are one system call. There is one for the loop: a write to another
// port, and the end of the run, send what is in it.
type cork struct {
	buf []byte
	n   int // bytes of buf in use

	// Whose output it is.
	h  *header
	p  Port
	pt *port
}

// holds reports how many bytes of a port's output are in the cork.
func (c *cork) holds(pt *port) int {
	if c.pt != pt {
		return 0
	}
	return c.n
}

// add puts b behind the bytes of the same port. The caller has made sure that they fit.
func (c *cork) add(h *header, p Port, pt *port, b []byte) {
	c.h, c.p, c.pt = h, p, pt
	c.n += copy(c.buf[c.n:], b)
}

// clear empties the cork.
func (c *cork) clear() { c.n, c.h, c.pt = 0, nil, nil }

// flush sends what is in the cork.
func (l *Loop) flush() {
	if l.cork.n != 0 {
		l.uncork()
	}
}

func (l *Loop) uncork() {
	h, p, pt, b := l.cork.h, l.cork.p, l.cork.pt, l.cork.buf[:l.cork.n]
	l.cork.clear()
	if pt.err == 0 && l.send(h, p, pt, b) != nil && pt.flags&pReported == 0 {
		h.flags |= mErrorPending
	}
	l.updateRoom(h, p, pt)
}
