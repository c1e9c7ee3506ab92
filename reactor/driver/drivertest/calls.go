package drivertest

import (
	"io"

	"github.com/stator-go/stator/reactor/driver"
)

// DriverCalls is the part of a System that is the same over every driver.Driver: calls
// that move bytes or end a direction. Systems over a driver embed it.
type DriverCalls struct {
	Driver driver.Driver
	Sock   func(File) driver.Sock // the socket that a File stands for
}

func (c DriverCalls) Read(f File, b []byte) (int, error) {
	n, flow, err := c.Driver.Read(c.Sock(f), b)
	switch {
	case err != nil || n > 0:
		return n, err
	case flow&driver.ReadEnded != 0:
		return 0, io.EOF
	case flow&driver.ReadBlocked != 0:
		return 0, ErrWouldBlock
	}
	return 0, nil
}

func (c DriverCalls) Write(f File, b []byte) (int, error) {
	n, flow, err := c.Driver.Write(c.Sock(f), b)
	if err == nil && n == 0 && flow&driver.WriteBlocked != 0 {
		return 0, ErrWouldBlock
	}
	return n, err
}

func (c DriverCalls) RecvFrom(f File, b []byte) (int, string, error) {
	n, from, flow, err := c.Driver.Recv(c.Sock(f), b)
	if err == nil && flow&driver.ReadBlocked != 0 {
		return 0, "", ErrWouldBlock
	}
	return n, from.String(), err
}

func (c DriverCalls) Shutdown(f File, how driver.How) error {
	return c.Driver.Shutdown(c.Sock(f), how)
}
