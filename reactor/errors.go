package reactor

import (
	"errors"

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
	ErrEnterLoop   = errors.New("more than 8 OnEnter handlers led on") // OnEnter handlers that lead to each other
	ErrPortInUse   = errors.New("port is open")                        // Close it before Dial
	ErrUnsupported = driver.ErrUnsupported                             // named with the platform
	ErrInHandler   = errors.New("called from a loop's handler")        // it would wait for a loop: see Host
	ErrOutside     = errors.New("a Context used outside its handler")  // it is good for the length of the call
	ErrRunning     = errors.New("the loop runs already, or has ended") // Run is called once
	ErrShutdown    = errors.New("shutting down")                       // the reason of a machine that a shutdown ended
	ErrNotPollable = driver.ErrNotPollable                             // a file or directory, which is always ready
)
