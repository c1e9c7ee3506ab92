package reactor

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor/driver"
)

// Context is what a handler of a kind that takes Msg works with, for the length of the
// call: Self and the methods of IO (go doc reactor.IO). It belongs to the handler's
// goroutine: kept and used later, its methods answer ErrOutside, or do nothing where they
// answer no error, unless the loop happens to call another machine of the kind; used
// elsewhere meanwhile, it is a data race, which go test -race tells.
type Context[Msg any] struct {
	IO
	inbox *inbox[Msg]
}

// Self is this machine's address.
func (cx *Context[Msg]) Self() Ref[Msg] { return Ref[Msg]{cx.inbox, cx.Token()} }

// IO is the part of a Context that knows no message type: what helpers and
// libraries take.
type IO struct {
	loop *Loop
	st   *base
	h    *header
	x    uint32
}

// Token is the machine's identity: it fits no other machine, then or later.
func (c *IO) Token() Token { return c.loop.slots.TokenAt(c.x) }

// State is the state that the machine is in; in Enter, the one being entered.
func (c *IO) State() State { return State(c.h.state) }

// Now is the driver's clock: monotonic, comparable with itself alone.
func (c *IO) Now() time.Duration { return time.Duration(c.loop.drv.Now()) }

// Fail answers to an error: Stay for nil and ErrWouldBlock, else the row's Fail,
// else Stop with err as reason (io.EOF: none).
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

// Stop is fsm.Stop with a reason.
func (c *IO) Stop(reason error) State {
	c.loop.call.reason = reason
	return fsm.Stop
}

// Cause is the error that led to this state, in the Enter of a state that Fail or
// a deadline leads to.
func (c *IO) Cause() error { return c.loop.call.reason }

// Within replaces this stay's bound (in Enter: backoff, negotiated times) by d from
// now; 0 is none. The row still says where it leads. In a row without Within it does nothing.
func (c *IO) Within(d time.Duration) {
	if !c.inCall() || !c.st.rows[c.h.state].within.Runs() {
		return
	}
	c.h.withinAt = after(c.loop.drv.Now(), d)
	c.h.flags |= mRearm // it may be earlier than what is armed
}

// madeProgress notes progress: the machine is called again while something is ready.
func (c *IO) madeProgress() {
	c.loop.call.progress = true
	c.h.spinCount = 0
}

// inCall tells whether a handler of the machine's runs, as it must.
func (c *IO) inCall() bool { return c.loop.call.machine == c.x+1 }

// open finds an open port, or says what is wrong with it.
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

// Err is what broke the port, nil while it works; io.EOF once its input is over.
func (c *IO) Err(p Port) error {
	pt, err := c.open(p)
	switch {
	case err != nil:
		return err
	case pt.err != 0:
		return c.loop.errs.of(pt.err)
	case pt.flags&pReadEnded != 0 && pt.in == 0:
		return io.EOF
	}
	return nil
}

// Buffered is how many bytes of output the port holds.
func (c *IO) Buffered(p Port) int {
	pt, err := c.open(p)
	if err != nil {
		return 0
	}
	return c.loop.held(pt)
}

// RemoteAddr is the peer's address; the zero value when there is none. It asks
// the system.
func (c *IO) RemoteAddr(p Port) netip.AddrPort { return c.name(p, driver.Remote).IP }

// LocalAddr is the port's own address.
func (c *IO) LocalAddr(p Port) netip.AddrPort { return c.name(p, driver.Local).IP }

func (c *IO) name(p Port, side driver.Side) (a driver.Addr) {
	if pt, err := c.open(p); err == nil && pt.sock != 0 {
		a, _ = c.loop.drv.Addr(pt.sock, side)
	}
	return a
}

// Close drops what was not sent, and frees the port for another Dial.
func (c *IO) Close(p Port) {
	if pt, err := c.open(p); err == nil {
		c.loop.closePort(c.h, p, pt)
		c.madeProgress()
	}
}

// CloseWrite ends this direction once what was written is out.
func (c *IO) CloseWrite(p Port) error {
	pt, err := c.open(p)
	if err != nil || pt.flags&pShutWanted != 0 {
		return err
	}
	c.loop.flush()
	pt.flags |= pShutWanted
	c.loop.shutIfDrained(pt)
	c.madeProgress()
	return nil
}
