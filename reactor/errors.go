package reactor

import (
	"errors"

	"github.com/stator-go/stator/reactor/driver"
)

// Errors that calls return, some with more text around them: compare with errors.Is, not
// with ==. One that a handler passes to IO.Fail may become the reason of its machine's end.
var (
	ErrWouldBlock  = errors.New("would block")                               // nothing new at present: return fsm.Stay to be called again
	ErrFull        = driver.ErrFull                                          // a limit set at the start is reached; nothing was accepted
	ErrStale       = errors.New("stale")                                     // the machine has ended
	ErrClosed      = errors.New("closed")                                    // the port, the loop or this direction is closed
	ErrRefused     = driver.ErrRefused                                       // no listener at the address
	ErrForeign     = errors.New("a token of another loop")                   // the token belongs to a machine of another loop
	ErrOtherKind   = errors.New("a machine of another kind")                 // the token belongs to a machine that the Kind did not make
	ErrPortInUse   = errors.New("port is open")                              // Close it before Dial
	ErrUnsupported = driver.ErrUnsupported                                   // wrapped with what is not supported
	ErrInHandler   = errors.New("called from a loop's handler")              // the call would wait for a loop: see Host
	ErrOutside     = errors.New("a Context used outside its handler")        // it is valid until the handler returns
	ErrRunning     = errors.New("the loop is running already, or has ended") // Run is called once
	ErrNotPollable = driver.ErrNotPollable                                   // a descriptor that the system cannot wait for, such as a regular file
)

// Reasons of machines' ends, in Options.OnEnd and Down.Reason. Others are a *PanicError, and
// what handlers pass to IO.Fail and IO.Stop.
var (
	ErrTimeout   = errors.New("timed out")                                 // a deadline has passed
	ErrShutdown  = errors.New("shutting down")                             // a shutdown ended the machine
	ErrEdge      = errors.New("undeclared transition")                     // a handler returned a state that its row's To does not name
	ErrSpin      = errors.New("more than 64 transitions without progress") // no byte, message, timer or deadline came between them
	ErrEnterLoop = errors.New("more than 8 OnEnter handlers led on")       // OnEnter handlers that lead to each other
)
