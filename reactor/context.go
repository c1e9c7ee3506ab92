package reactor

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor/driver"
)

// Context is what a handler works with: Self, and the methods of IO. Msg is the message
// type of the kind.
//
// A Context is valid until the handler returns. Do not keep it: the loop reuses it for all
// machines of the kind, so a kept Context may act on another machine. Outside any handler,
// methods that return an error return ErrOutside, and those that return none do nothing.
// Using it from another goroutine is a data race.
type Context[Msg any] struct {
	IO
	at *address[Msg] // of the kind's machines; nil: they take no messages
}

// Self returns the address of the machine.
func (cx *Context[Msg]) Self() Ref[Msg] { return Ref[Msg]{cx.at, cx.Token()} }

// IO is the part of a Context that does not depend on a message type. Helper functions
// and libraries take a *IO: pass &cx.IO to them.
type IO struct {
	loop *Loop
	st   *base
	h    *header
	x    uint32
}

// Token returns the identity of the machine. No other machine of the process has the same
// one until the machine's loop has ended. Then a new loop may have the Config.ID of that
// one, and its machines the same tokens.
func (c *IO) Token() Token { return c.loop.slots.TokenAt(c.x) }

// State returns the state that the machine is in; in OnEnter, the one being entered.
func (c *IO) State() State { return State(c.h.state) }

// Now returns the driver's clock. It is monotonic, and comparable only with itself.
func (c *IO) Now() time.Duration { return time.Duration(c.loop.drv.Now()) }

// Fail returns the state that an error leads to: fsm.Stay for nil and ErrWouldBlock, else
// the row's Fail, else fsm.Stop. In the state, Cause returns err; with fsm.Stop, err is the
// reason of the machine's end. But an io.EOF that leads to fsm.Stop is a normal end, without
// a reason.
func (c *IO) Fail(err error) State {
	if err == nil || err == ErrWouldBlock {
		return fsm.Stay
	}
	c.loop.trace(c.x, c.h, EventFail)
	to := c.st.rows[c.h.state].fail
	if to == fsm.Stay {
		to = fsm.Stop
	}
	if c.loop.call.reason = err; err == io.EOF && to == fsm.Stop {
		c.loop.call.reason = nil
	}
	return to
}

// Stop returns fsm.Stop, and makes reason the reason of the machine's end.
func (c *IO) Stop(reason error) State {
	c.loop.call.reason = reason
	return fsm.Stop
}

// Cause returns the error that led to this state, in the OnEnter of a state that Fail or
// a deadline leads to. Otherwise it is nil.
func (c *IO) Cause() error { return c.loop.call.reason }

// Within replaces the bound of this stay by d from now; 0 means no bound. The row still
// says where it leads. It is for times that are known only in OnEnter, such as a backoff.
// In a row without Within it does nothing.
func (c *IO) Within(d time.Duration) {
	if !c.inCall() || !c.st.rows[c.h.state].within.Runs() {
		return
	}
	c.h.withinAt = after(c.loop.drv.Now(), d)
	c.h.flags |= mRearm // the new bound may be earlier than the armed one
}

// madeProgress records progress: the machine is called again if something is ready.
func (c *IO) madeProgress() {
	c.loop.call.progress = true
	c.h.spinCount = 0
}

// inCall reports whether a handler of the machine is running.
func (c *IO) inCall() bool { return c.loop.call.machine == c.x+1 }

// open returns an open port, or an error that says what is wrong with it.
func (c *IO) open(p Port) (*port, error) {
	if uint32(p) >= c.st.nports {
		return nil, c.noPort(p)
	}
	if !c.inCall() {
		return nil, ErrOutside
	}
	pt := c.st.port(c.h, p)
	if pt.flags&pOpen == 0 {
		return nil, ErrClosed
	}
	return pt, nil
}

func (c *IO) noPort(p Port) error {
	return fmt.Errorf("reactor: %s: port %d: want 0 to %d, as Options.Ports names them", c.st.name, p, int(c.st.nports)-1)
}

// Err returns the error that broke the port; io.EOF if its input has ended and all of it is
// consumed; ErrClosed if the port is not open; else nil.
func (c *IO) Err(p Port) error {
	pt, err := c.open(p)
	switch {
	case err != nil:
		return err
	case pt.err != 0:
		return c.loop.errorOf(c.x, p, pt)
	case pt.flags&pReadEnded != 0 && pt.in == 0:
		return io.EOF
	}
	return nil
}

// Buffered returns how many bytes of output the port holds.
func (c *IO) Buffered(p Port) int {
	pt, err := c.open(p)
	if err != nil {
		return 0
	}
	return c.loop.held(pt)
}

// RemoteAddr returns the address of the port's peer, or the zero value. It is a system
// call.
func (c *IO) RemoteAddr(p Port) netip.AddrPort { return c.name(p, driver.Remote).IP }

// LocalAddr returns the port's own address.
func (c *IO) LocalAddr(p Port) netip.AddrPort { return c.name(p, driver.Local).IP }

func (c *IO) name(p Port, side driver.Side) (a driver.Addr) {
	if pt, err := c.open(p); err == nil && pt.sock != 0 {
		a, _ = c.loop.drv.Addr(pt.sock, side)
	}
	return a
}

// Close closes a port at once, and drops output that was not sent. Another Dial may use
// the port then. It does nothing if the port is not open.
func (c *IO) Close(p Port) {
	if pt, err := c.open(p); err == nil {
		c.loop.closePort(c.x, c.h, p, pt)
		c.madeProgress()
	}
}

// CloseWrite ends the output of a port after what was written has been sent. Its peer
// reads the end then. Input goes on.
func (c *IO) CloseWrite(p Port) error {
	pt, err := c.open(p)
	if err != nil || pt.flags&pShutWanted != 0 {
		return err
	}
	c.loop.flush(c.h)
	pt.flags |= pShutWanted
	c.loop.shutIfDrained(pt)
	c.madeProgress()
	return nil
}
