package reactor

import (
	"fmt"
	"runtime"
	"sync"
)

// Place is where a machine can be born: a *Loop, or, from a handler, its *IO
// (this loop).
//
// A running *Loop does what it is asked in its next turn, and the caller waits. A
// handler must not wait for a loop: for its own it would for ever, for another one
// as soon as that one's handlers wait for its own. Both are ErrInHandler; what a
// handler wants of another loop it posts to a machine there, which has the *IO.
type Place interface {
	place(f func(*Loop) error) error
}

func (c *IO) place(f func(*Loop) error) error {
	if !c.inside() {
		return ErrOutside
	}
	return f(c.loop)
}

// place runs f on the loop's goroutine, or in its stead while it does not run.
func (l *Loop) place(f func(*Loop) error) error {
	l.mu.Lock()
	if !l.started {
		defer l.mu.Unlock()
		return f(l)
	}
	l.mu.Unlock()
	if loops.handling() {
		return ErrInHandler
	}
	if l.stepped {
		return l.between(f)
	}
	result := make(chan error, 1)
	if !l.call(func() { result <- f(l) }) {
		return ErrClosed
	}
	return <-result
}

// call has f run on the loop's goroutine; false when the loop has ended.
func (l *Loop) call(f func()) bool {
	l.mu.Lock()
	if l.ended {
		l.mu.Unlock()
		return false
	}
	l.calls = append(l.calls, f)
	l.mu.Unlock()
	l.control.Store(true)
	l.sleeper.Wake()
	return true
}

// loops are those that have not ended, by their numbers: no token fits two.
var loops loopSet

type loopSet struct {
	mu   sync.Mutex
	byID [256]*Loop
}

func (s *loopSet) take(l *Loop) (uint8, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if want := l.cfg.ID; want != 0 {
		if s.byID[want] != nil {
			return 0, fmt.Errorf("reactor: loop id %d is taken by a loop that has not ended", want)
		}
		s.byID[want] = l
		return uint8(want), nil
	}
	for id := 1; id < len(s.byID); id++ {
		if s.byID[id] == nil {
			s.byID[id] = l
			return uint8(id), nil
		}
	}
	return 0, fmt.Errorf("reactor: 255 loops have not ended: %w", ErrFull)
}

func (s *loopSet) give(id uint8) {
	s.mu.Lock()
	s.byID[id] = nil
	s.mu.Unlock()
}

// handling tells whether the calling goroutine is a loop's: a handler calls.
func (s *loopSet) handling() bool {
	var me uint64 // not asked for while no loop is in a turn
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.byID {
		if l == nil {
			continue
		}
		if at := l.goid.Load(); at != 0 {
			if me == 0 {
				me = goroutineID()
			}
			if at == me {
				return true
			}
		}
	}
	return false
}

// goroutineID reads the number of the calling goroutine off its stack's first
// line ("goroutine 7 [running]"): some microseconds, for the calls from outside
// that would otherwise wait for themselves.
func goroutineID() (id uint64) {
	var b [32]byte
	for _, c := range b[len("goroutine "):runtime.Stack(b[:], false)] {
		if c < '0' || c > '9' {
			break
		}
		id = id*10 + uint64(c-'0')
	}
	return id
}
