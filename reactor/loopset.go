package reactor

import (
	"fmt"
	"runtime"
	"sync"
)

// loops are the loops of the process that have not ended, by their numbers. No two have
// the same, so a token of one is never taken for a token of another.
var loops loopSet

type loopSet struct {
	mu   sync.Mutex
	byID [256]*Loop
}

func (s *loopSet) register(l *Loop) (uint8, error) {
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

func (s *loopSet) unregister(id uint8) {
	s.mu.Lock()
	s.byID[id] = nil
	s.mu.Unlock()
}

// inHandler reports whether the calling goroutine is that of a running loop: then a
// handler calls.
func (s *loopSet) inHandler() bool {
	var me uint64 // found out when it is needed
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.byID {
		if l == nil {
			continue
		}
		if at := l.control.goid.Load(); at != 0 {
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

// goroutineID returns the number of the calling goroutine, from the first line of its
// stack ("goroutine 7 [running]"). It takes some microseconds. It is used by calls from
// outside of a loop, to refuse those that would wait for themselves.
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
