// Package driving has the calls of package conformance that are calls of a
// reactor.Driver: what a driver answers, as a System does. The operating system's driver
// and the simulated one are held to the same cases by it.
package driving

import (
	"io"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll/conformance"
)

// IO is a part of a conformance.System.
type IO struct {
	Driver reactor.Driver
	Sock   func(conformance.File) reactor.Sock // what a File stands for
}

func (c IO) Read(f conformance.File, b []byte) (int, error) {
	n, flow, err := c.Driver.Read(c.Sock(f), b)
	switch {
	case err != nil || n > 0:
		return n, err
	case flow&reactor.End != 0:
		return 0, io.EOF
	case flow&reactor.Drained != 0:
		return 0, conformance.ErrWouldBlock
	}
	return 0, nil
}

func (c IO) Write(f conformance.File, b []byte) (int, error) {
	n, flow, err := c.Driver.Write(c.Sock(f), b)
	if err == nil && n == 0 && flow&reactor.Full != 0 {
		return 0, conformance.ErrWouldBlock
	}
	return n, err
}

func (c IO) RecvFrom(f conformance.File, b []byte) (int, string, error) {
	n, from, flow, err := c.Driver.Recv(c.Sock(f), b)
	if err == nil && flow&reactor.Drained != 0 {
		return 0, "", conformance.ErrWouldBlock
	}
	return n, from.String(), err
}

func (c IO) Shutdown(f conformance.File, how conformance.How) error {
	if how == conformance.ShutRead {
		return c.Driver.Shutdown(c.Sock(f), reactor.ShutRead)
	}
	return c.Driver.Shutdown(c.Sock(f), reactor.ShutWrite)
}
