package reactor

import (
	"errors"

	"github.com/stator-go/stator/reactor/driver"
)

var (
	ErrWouldBlock  = errors.New("would block")                               // nothing new at present: return fsm.Stay to be called again
	ErrFull        = driver.ErrFull                                          // a limit set at the start is reached; nothing was accepted
	ErrStale       = errors.New("stale")                                     // the machine has ended
	ErrClosed      = errors.New("closed")                                    // the port, the loop or this direction is closed
	ErrTimeout     = errors.New("timed out")                                 // a deadline has passed
	ErrRefused     = driver.ErrRefused                                       // no listener at the address
	ErrForeign     = errors.New("a token of another loop")                   // the token belongs to a machine of another loop
	ErrEdge        = errors.New("undeclared transition")                     // a handler returned a state that its row's To does not name
	ErrSpin        = errors.New("64 calls without progress")                 // transitions in a circle, without a byte, message or timer between them
	ErrEnterLoop   = errors.New("more than 8 OnEnter handlers led on")       // OnEnter handlers that lead to each other
	ErrPortInUse   = errors.New("port is open")                              // Close it before Dial
	ErrUnsupported = driver.ErrUnsupported                                   // wrapped with what is not supported
	ErrInHandler   = errors.New("called from a loop's handler")              // the call would wait for a loop: see Host
	ErrOutside     = errors.New("a Context used outside its handler")        // it is valid until the handler returns
	ErrRunning     = errors.New("the loop is running already, or has ended") // Run is called once
	ErrShutdown    = errors.New("shutting down")                             // the reason of machines that a shutdown ends
	ErrNotPollable = driver.ErrNotPollable                                   // a file or directory, which is always ready
)
