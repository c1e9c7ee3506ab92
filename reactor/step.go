package reactor

import "fmt"

// Stepper runs a loop one turn at a time, on the caller's goroutine, instead of Run. It is
// for a Driver with a clock of its own, whose Wait does not wait.
//
// The rules:
//
//   - One goroutine calls Turn, Loop.Stats, and what takes the loop as a Host. Any goroutine
//     may call Ref.Send, Leave and Stop.
//   - Between two turns, calls with the loop as a Host, and Loop.Stats, are done at once.
//     During a turn they are ErrInHandler.
//   - Loop.Close and Loop.Shutdown are ErrInHandler always, as they would wait for turns:
//     use Leave or Stop, and then Turn until it returns true.
//   - A Goexit in a handler ends the goroutine that called Turn. Another one may go on from
//     there, after Adopt.
type Stepper struct {
	loop  *Loop
	goid  uint64 // the goroutine that calls Turn; 0: not known yet
	dozes bool
}

// Stepper returns what runs the loop, on the goroutine that calls Turn first. The error is
// ErrRunning if the loop runs already, or has ended.
func (l *Loop) Stepper() (*Stepper, error) {
	l.control.mu.Lock()
	defer l.control.mu.Unlock()
	if l.control.started || l.control.ended {
		return nil, fmt.Errorf("reactor: step: %w", ErrRunning)
	}
	l.control.started, l.control.stepped = true, true
	return &Stepper{loop: l}, nil
}

// Adopt makes the calling goroutine the one that calls Turn from now on: the loop has to know
// it, to refuse calls in handlers with a loop as a Host. Adopt takes a microsecond or more, as
// the goroutine's stack is deep.
func (s *Stepper) Adopt() { s.goid = goroutineID() }

// Turn runs one turn, and reports whether the loop has ended, with every machine and every
// descriptor. Then it must not be called again.
func (s *Stepper) Turn() (over bool) {
	if s.dozes {
		s.dozes = false
		s.loop.sleeper.Awake()
	}
	if s.goid == 0 {
		s.Adopt()
	}
	s.loop.control.goid.Store(s.goid)
	over = s.loop.runTurn()
	s.loop.control.goid.Store(0) // the caller is no handler between two turns
	return over
}

// Doze has the loop call Driver.Wake for the first message, or request, that comes before its
// next turn, as if it were blocked in Wait. Without Doze a loop whose Wait does not wait calls
// Wake never. The call is made where a message is sent: in a handler of another loop, say. If
// CanTurn reports true there, Wake may call Turn, as if the loops ran at the same time.
func (s *Stepper) Doze() {
	s.dozes = true
	s.loop.sleeper.Asleep()
}

// CanTurn reports whether Turn may be called in Driver.Wake: the loop is not in a turn, and the
// caller of Wake holds no lock that the turn needs.
func (s *Stepper) CanTurn() bool {
	return s.loop.control.goid.Load() == 0 && s.loop.senders.notified.Load() == nil
}

// Until returns when the loop wants its next turn, in nanoseconds of Driver.Now, if no event
// comes and Wake is not called: 0 is at once, math.MaxInt64 is never.
func (s *Stepper) Until() int64 { return s.loop.until() }

// SetBuffers changes Config.Buffers, with the same default, between two turns. Machines that
// wait for buffers try again in the next turn.
func (s *Stepper) SetBuffers(bytes int) {
	if bytes == 0 {
		bytes = defaultBuffers
	}
	s.loop.setBuffers(bytes)
}

// Leave requests what Shutdown does, without waiting for it.
func (s *Stepper) Leave() { s.loop.request(requestShutdown) }

// Stop requests what the end of Run's context does, without waiting for it.
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
