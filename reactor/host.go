package reactor

// Host is where a machine is made, or a listener opened: a *Loop, or, in a handler, the
// *IO of the handler's machine, which stands for its loop.
//
// When a call on a *Loop is done depends on the loop:
//
//   - Before Run, at once, on the caller's goroutine.
//   - While it runs, in its next turn. The caller waits for that.
//   - After it has ended, never: the error is ErrClosed.
//
// In a handler, a call on a *Loop that runs is ErrInHandler, also if it is another loop: two
// loops could wait for each other. Use the *IO, where the call is done at once. To have
// something done on another loop, a handler posts a message to a machine there.
//
// Kind.Spawn, Kind.Adopt, Kind.Listen and Kind.ListenOn return these errors:
//
//   - ErrFull if no slot is free, there are Options.MaxMachines machines already, or the
//     driver has no room for another descriptor.
//   - ErrClosed if the loop has ended or is being stopped. A listener is also refused
//     while the loop shuts down.
//   - ErrInHandler as above.
//   - ErrOutside for an *IO outside its handler.
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
