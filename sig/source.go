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
	// ErrUncatchable says that the operating system or the Go runtime never hands
	// a signal to the program.
	ErrUncatchable = errors.New("can't be caught on " + runtime.GOOS)
	// ErrClosed says that the Source is closed.
	ErrClosed = errors.New("sig: closed")
)

// Source collects signals for one loop. [Open] makes it.
type Source struct {
	wake    func()
	pending atomic.Uint64 // a Set: what came since the last Take

	mu       sync.Mutex // guards what follows
	closed   bool
	set      Set // what was asked for
	channels []chan os.Signal
	watchers sync.WaitGroup
}

// Open returns a Source that was asked for nothing yet.
//
// wake is called on a goroutine of the Source, when a signal comes and none was
// pending: at most once between two calls of Take that answer something. Two calls
// of it can overlap. It must not block, and it must not call Close.
func Open(wake func()) (*Source, error) {
	if wake == nil {
		return nil, errors.New("sig: open: no function to wake the loop with")
	}
	return &Source{wake: wake}, nil
}

// Notify asks for these signals, in addition to those asked for before. From now
// on they come to the Source in place of what else they would do. When some can't
// be caught here, it changes nothing, and the error, an [ErrUncatchable], names
// them. After Close it is [ErrClosed].
func (s *Source) Notify(set Set) error {
	if bad := set &^ catchable; bad != 0 {
		return fmt.Errorf("sig: notify %v: %w", bad, ErrUncatchable)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	for added := set &^ s.set; added != 0; added &= added - 1 {
		n := bits.TrailingZeros64(uint64(added))
		// One place is enough: a signal that finds it taken is the same signal.
		c := make(chan os.Signal, 1)
		s.channels = append(s.channels, c)
		s.watchers.Go(func() { s.watch(c, 1<<n) })
		signal.Notify(c, numbered(n))
	}
	s.set |= set
	return nil
}

// watch collects one signal, until Close closes its channel.
func (s *Source) watch(c <-chan os.Signal, bit Set) {
	for range c {
		if s.pending.Or(uint64(bit)) == 0 {
			s.wake()
		}
	}
}

// Take answers what came since the last Take, and forgets it.
func (s *Source) Take() Set {
	if s.pending.Load() == 0 {
		return 0
	}
	return Set(s.pending.Swap(0))
}

// Empty reports that Take would answer nothing.
func (s *Source) Empty() bool {
	return s.pending.Load() == 0
}

// Close gives the signals back the effect that they have in a Go program that
// does not ask for them, unless another Source or channel of it still does. The
// documentation of os/signal lists these effects: the next SIGTERM, SIGINT or
// SIGHUP ends the program, while SIGUSR1 does nothing, as Go handles it from the
// start.
//
// Close waits for the goroutines of the Source. When it returns, wake is not running
// and will not be called, and Take answers nothing, also of what was pending.
// A second Close is [ErrClosed].
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.closed = true
	for _, c := range s.channels {
		signal.Stop(c) // no send to c is under way when it returns
		close(c)
	}
	s.watchers.Wait()
	s.pending.Store(0)
	return nil
}
