package reactor

import (
	"errors"
	"fmt"
)

var (
	ErrWouldBlock  = errors.New("would block")                         // nothing new now: Stay, and be called again
	ErrFull        = errors.New("full")                                // a limit set at the start is reached; nothing was taken
	ErrStale       = errors.New("stale")                               // the machine, timer or port meant has ended
	ErrClosed      = errors.New("closed")                              // the port, the loop or this direction is closed
	ErrTimeout     = errors.New("timed out")                           // a deadline led here
	ErrRefused     = errors.New("refused")                             // nobody listens there, or its queue is full
	ErrForeign     = errors.New("a token of another loop")             // the token's loop is not the one asked
	ErrEdge        = errors.New("undeclared transition")               // a handler answered a state that its row's To does not name
	ErrSpin        = errors.New("64 calls without progress")           // transitions in a circle, without a byte, message or timer
	ErrEnterLoop   = errors.New("more than 8 Enter handlers led on")   // Enter handlers that lead to each other
	ErrPortInUse   = errors.New("port is open")                        // Close it before Dial
	ErrUnsupported = errors.New("not supported on this platform")      // named with the platform
	ErrInHandler   = errors.New("called from a loop's handler")        // it would wait for a loop: see Place
	ErrRunning     = errors.New("the loop runs already, or has ended") // Run is called once
	ErrShutdown    = errors.New("shutting down")                       // the reason of a machine that a shutdown ended
	ErrNotPollable = errors.New("not a descriptor that can be waited for")
)

// PanicError is the reason of a machine that its own panic ended. A Goexit has
// Value nil.
type PanicError struct {
	Kind  string // of the machine
	State string // that its handler ran in
	Value any
	Stack []byte
}

func (e *PanicError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("reactor: %s: runtime.Goexit in state %q", e.Kind, e.State)
	}
	return fmt.Sprintf("reactor: %s: panic in state %q: %v", e.Kind, e.State, e.Value)
}

// Unwrap gives the error that was panicked with, if it was one.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// errTable gives errors numbers of one byte, so that a port's sticky error
// needs no pointer. Errors beyond 254 different ones share the last number.
type errTable struct{ list []error }

func (t *errTable) number(err error) uint8 {
	if err == nil {
		return 0
	}
	for i, e := range t.list {
		if sameError(e, err) {
			return uint8(i + 1)
		}
	}
	if len(t.list) == 254 {
		t.list[253] = err
		return 254
	}
	t.list = append(t.list, err)
	return uint8(len(t.list))
}

func (t *errTable) of(n uint8) error {
	if n == 0 {
		return nil
	}
	return t.list[n-1]
}

// sameError compares without the panic that uncomparable error values cause.
func sameError(a, b error) (same bool) {
	defer func() { _ = recover() }()
	return a == b
}
