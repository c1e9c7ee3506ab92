package reactor

import (
	"errors"
	"fmt"
	"log"

	"github.com/stator-go/stator/reactor/driver"
)

var (
	ErrWouldBlock  = errors.New("would block")                         // nothing new now: Stay, and be called again
	ErrFull        = driver.ErrFull                                    // a limit set at the start is reached; nothing was taken
	ErrStale       = errors.New("stale")                               // the machine, timer or port meant has ended
	ErrClosed      = errors.New("closed")                              // the port, the loop or this direction is closed
	ErrTimeout     = errors.New("timed out")                           // a deadline led here
	ErrRefused     = driver.ErrRefused                                 // nobody listens there
	ErrForeign     = errors.New("a token of another loop")             // the token's loop is not the one asked
	ErrEdge        = errors.New("undeclared transition")               // a handler answered a state that its row's To does not name
	ErrSpin        = errors.New("64 calls without progress")           // transitions in a circle, without a byte, message or timer
	ErrEnterLoop   = errors.New("more than 8 Enter handlers led on")   // Enter handlers that lead to each other
	ErrPortInUse   = errors.New("port is open")                        // Close it before Dial
	ErrUnsupported = driver.ErrUnsupported                             // named with the platform
	ErrInHandler   = errors.New("called from a loop's handler")        // it would wait for a loop: see Place
	ErrOutside     = errors.New("a Context used outside its handler")  // it is good for the length of the call
	ErrRunning     = errors.New("the loop runs already, or has ended") // Run is called once
	ErrShutdown    = errors.New("shutting down")                       // the reason of a machine that a shutdown ended
	ErrNotPollable = driver.ErrNotPollable                             // a file or directory, which is always ready
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

// logPanic writes the panic of a handler to the standard logger, as nobody else is
// told of it.
func logPanic(reason error) {
	if p, ok := reason.(*PanicError); ok {
		log.Printf("%v\n%s", p, p.Stack)
	}
}

// Unwrap gives the error that was panicked with, if it was one.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// errRows is how many errors a loop's ports have at once, told apart.
const errRows = 255

// errTable gives errors numbers of one byte, so that a port's sticky error needs no
// pointer. An error leaves when the last port that has it closes. Errors beyond
// the rows share the last one, which tells of the latest.
type errTable struct {
	rows [errRows]struct {
		err   error
		ports uint32
	}
}

// hold is an error's number, for one port more.
func (t *errTable) hold(err error) uint8 {
	row := errRows - 1
	for i := range t.rows[:errRows-1] {
		if e := t.rows[i].err; e == nil {
			row = min(row, i)
		} else if sameError(e, err) {
			row = i
			break
		}
	}
	t.rows[row].err = err
	t.rows[row].ports++
	return uint8(row + 1)
}

// drop is a port less that has an error of a number; 0 is none.
func (t *errTable) drop(n uint8) {
	if n == 0 {
		return
	}
	if e := &t.rows[n-1]; e.ports > 1 {
		e.ports--
	} else {
		e.err, e.ports = nil, 0
	}
}

func (t *errTable) of(n uint8) error {
	if n == 0 {
		return nil
	}
	return t.rows[n-1].err
}

// sameError compares without the panic that uncomparable error values cause.
func sameError(a, b error) (same bool) {
	defer func() { _ = recover() }()
	return a == b
}
