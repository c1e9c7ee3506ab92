package sig

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
)

var (
	// ErrUncatchable is returned by Notify for signals that the operating system or
	// the Go runtime never delivers to the program.
	ErrUncatchable = errors.New("sig: not catchable on " + runtime.GOOS)
	// ErrClosed is returned by Notify and Close after Close.
	ErrClosed = errors.New("sig: closed")
)

// Source collects signals for one loop. Create it with [Open].
type Source struct {
	wake    func()
	pending atomic.Uint64 // a Set: signals that came since the last Take

	mu       sync.Mutex // guards the fields below
	closed   bool
	set      Set // signals asked for
	channels []chan os.Signal
	watchers sync.WaitGroup
}

// Open returns a Source that collects no signals until Notify is called. It returns an
// error only if wake is nil.
//
// The Source calls wake on a goroutine of its own when a signal comes and none is
// pending, so at most once between two calls of Take that return signals. Two calls
// of wake may overlap. wake must not block, and it must not call Close.
func Open(wake func()) (*Source, error) {
	if wake == nil {
		return nil, errors.New("sig: open: wake is nil")
	}
	return &Source{wake: wake}, nil
}

// Notify makes s collect the signals in set, in addition to those of earlier calls.
// They no longer have their default effect, such as ending the program. If the
// program cannot catch some of the signals, Notify changes nothing and returns an
// error that wraps [ErrUncatchable] and names them. After Close it returns
// [ErrClosed].
func (s *Source) Notify(set Set) error {
	if bad := set &^ catchable; bad != 0 {
		return fmt.Errorf("%w: %v", ErrUncatchable, bad)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	for added := set &^ s.set; added != 0; added &= added - 1 {
		n := bits.TrailingZeros64(uint64(added))
		// Capacity 1 is enough: a signal that finds the channel full equals the one
		// in it.
		c := make(chan os.Signal, 1)
		s.channels = append(s.channels, c)
		s.watchers.Go(func() { s.watch(c, 1<<n) })
		signal.Notify(c, byNumber(n))
	}
	s.set |= set
	return nil
}

// watch collects one signal until Close closes its channel.
func (s *Source) watch(c <-chan os.Signal, bit Set) {
	for range c {
		if s.pending.Or(uint64(bit)) == 0 {
			s.wake()
		}
	}
}

// Take returns the signals that came since the last Take and clears them.
func (s *Source) Take() Set {
	if s.pending.Load() == 0 {
		return 0
	}
	return Set(s.pending.Swap(0))
}

// Empty reports whether Take would return the empty set.
func (s *Source) Empty() bool {
	return s.pending.Load() == 0
}

// Close stops the collection of signals. They regain their default effect, unless
// another Source or channel of the program still asks for them. The documentation of
// os/signal lists these effects: SIGTERM, SIGINT and SIGHUP end the program.
//
// Close waits until the goroutines of the Source have ended. When it returns, wake is
// not running and will not be called, and Take returns the empty set, even if signals
// were pending. A second Close returns [ErrClosed].
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.closed = true
	for _, c := range s.channels {
		signal.Stop(c) // os/signal does not send to c after it returns
		close(c)
	}
	s.watchers.Wait()
	s.pending.Store(0)
	return nil
}
