package reactor

// Host is where a machine can be born: a *Loop, or, from a handler, its *IO
// (this loop).
//
// A running *Loop does what it is asked in its next turn, and the caller waits. A
// handler must not wait for a loop: for its own it would for ever, for another one
// as soon as that one's handlers wait for its own. Both are ErrInHandler; what a
// handler wants of another loop it posts to a machine there, which has the *IO.
type Host interface {
	onLoop(f func(*Loop) error) error
}

func (c *IO) onLoop(f func(*Loop) error) error {
	if !c.inCall() {
		return ErrOutside
	}
	return f(c.loop)
}

// onLoop runs f on the loop's goroutine, or in its stead while it does not run.
func (l *Loop) onLoop(f func(*Loop) error) error {
	l.control.mu.Lock()
	if !l.control.started {
		defer l.control.mu.Unlock()
		return f(l)
	}
	l.control.mu.Unlock()
	if loops.inHandler() {
		return ErrInHandler
	}
	if l.control.stepped {
		return l.between(f)
	}
	result := make(chan error, 1)
	if !l.post(func() { result <- f(l) }) {
		return ErrClosed
	}
	return <-result
}
