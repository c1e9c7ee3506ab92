package reactor

import "fmt"

// Stepper runs a loop a turn at a time, on its caller's goroutine, in the place of
// Run: for a Driver with a clock of its own, whose Wait does not wait.
//
// Between two turns the loop is the caller's: what needs a Host, Stats too, is done
// at once, and Close and Shutdown answer ErrInHandler, as they would wait for turns.
// During a turn the same calls are those of a handler. No other goroutine may make
// them. A Goexit in a handler ends the caller's goroutine; another one may go on
// with Turn, and takes the loop over by that.
type Stepper struct {
	loop *Loop
	goid uint64
}

// Stepper makes the calling goroutine the loop's. ErrRunning when the loop runs
// already, or has ended.
func (l *Loop) Stepper() (*Stepper, error) {
	l.control.mu.Lock()
	defer l.control.mu.Unlock()
	if l.control.started || l.control.ended {
		return nil, fmt.Errorf("reactor: step: %w", ErrRunning)
	}
	l.control.started, l.control.stepped = true, true
	return &Stepper{loop: l, goid: goroutineID()}, nil
}

// Turn runs one turn, and tells whether the loop has ended: every machine and every
// descriptor with it. After that it must not be called.
func (s *Stepper) Turn() (over bool) {
	s.loop.control.goid.Store(s.goid)
	over = s.loop.runTurn()
	s.loop.control.goid.Store(0) // what the caller does now is not done by a handler
	return over
}

// Until is when the loop wants its next turn, if no event comes and nobody wakes it:
// 0 is at once, math.MaxInt64 never.
func (s *Stepper) Until() int64 { return s.loop.until() }

// Leave asks for what Shutdown does, and does not wait for it.
func (s *Stepper) Leave() { s.loop.request(requestShutdown) }

// Stop asks for what the end of Run's context does, and does not wait for it.
func (s *Stepper) Stop() { s.loop.request(requestStop) }

// between runs f between two turns of a Stepper.
func (l *Loop) between(f func(*Loop) error) error {
	switch {
	case l.control.ended:
		return ErrClosed
	case l.turn.phase != waiting:
		return ErrInHandler
	}
	return f(l)
}
