package reactor

// Host is what a machine can be made on: a *Loop, or, in a handler, the handler's own loop
// as its *IO.
//
// A running *Loop does what it is asked in its next turn, and the caller waits for that. A
// handler must not wait for a loop: for its own it would wait for ever, and for another
// one as soon as that one's handlers wait for its own. Both are ErrInHandler. To have
// something done on another loop, a handler posts a message to a machine there, which uses
// its own *IO.
type Host interface {
	onLoop(f func(*Loop) error) error
	// mayWait returns an error if the caller must not wait, as it is a handler.
	mayWait() error
}

func (c *IO) onLoop(f func(*Loop) error) error {
	if !c.inCall() {
		return ErrOutside
	}
	return f(c.loop)
}

func (c *IO) mayWait() error {
	if !c.inCall() {
		return ErrOutside
	}
	return ErrInHandler
}

func (l *Loop) mayWait() error {
	if loops.inHandler() {
		return ErrInHandler
	}
	return nil
}

// onLoop runs f on the loop's goroutine, or on the caller's while the loop does not run.
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
