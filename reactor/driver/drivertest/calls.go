package drivertest

import (
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/driver"
)

// DriverCalls is the part of a System that is the same over every driver.Driver: calls
// that open sockets, move bytes or end a direction. Systems over a driver embed it.
type DriverCalls struct {
	Driver driver.Driver
	Of     func(File) (s driver.Sock, network string)  // what a File stands for
	Put    func(driver.Sock, string, driver.Flow) File // makes a File of a socket, its network, and what Connect returned
}

// driverAddr returns an address in the driver's form.
func driverAddr(network, addr string) (driver.Addr, error) {
	switch network {
	case "unix":
		return driver.Addr{Net: driver.Unix, Path: addr}, nil
	case "unixgram":
		return driver.Addr{Net: driver.Unixgram, Path: addr}, nil
	}
	ip, err := netip.ParseAddrPort(addr)
	if network == "udp" {
		return driver.Addr{Net: driver.UDP, IP: ip}, err
	}
	return driver.Addr{Net: driver.TCP, IP: ip}, err
}

func (c DriverCalls) open(network, addr string, open func(driver.Addr, driver.SocketOptions) (driver.Sock, driver.Flow, error)) (File, string, error) {
	a, err := driverAddr(network, addr)
	if err != nil {
		return 0, "", err
	}
	sock, flow, err := open(a, driver.SocketOptions{})
	if errors.Is(err, driver.ErrUnsupported) {
		err = fmt.Errorf("no %s socket: %w", network, errors.ErrUnsupported)
	}
	if err != nil {
		return 0, "", err
	}
	name, err := c.Driver.Addr(sock, driver.Local)
	return c.Put(sock, network, flow), name.String(), err
}

func (c DriverCalls) Listen(network, addr string) (File, string, error) {
	return c.open(network, addr, func(a driver.Addr, o driver.SocketOptions) (driver.Sock, driver.Flow, error) {
		sock, err := c.Driver.Listen(a, o)
		return sock, 0, err
	})
}

func (c DriverCalls) Bind(network, addr string) (File, string, error) {
	return c.open(network, addr, func(a driver.Addr, o driver.SocketOptions) (driver.Sock, driver.Flow, error) {
		sock, err := c.Driver.Bind(a, o)
		return sock, 0, err
	})
}

func (c DriverCalls) Dial(network, addr string) (File, error) {
	f, _, err := c.open(network, addr, c.Driver.Connect)
	return f, err
}

func (c DriverCalls) Finish(f File) error {
	flow, err := c.Driver.FinishConnect(c.sock(f))
	if err == nil && flow&driver.WriteBlocked != 0 {
		return errno.ENOTCONN
	}
	return err
}

func (c DriverCalls) Accept(f File) (File, error) {
	listener, network := c.Of(f)
	sock, _, err := c.Driver.Accept(listener)
	if err != nil {
		return 0, err
	}
	if sock == 0 {
		return 0, ErrWouldBlock
	}
	return c.Put(sock, network, 0), nil
}

func (c DriverCalls) Read(f File, b []byte) (int, error) {
	n, flow, err := c.Driver.Read(c.sock(f), b)
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
	n, flow, err := c.Driver.Write(c.sock(f), b)
	if err == nil && n == 0 && flow&driver.WriteBlocked != 0 {
		return 0, ErrWouldBlock
	}
	return n, err
}

func (c DriverCalls) RecvFrom(f File, b []byte) (int, string, error) {
	n, from, flow, err := c.Driver.Recv(c.sock(f), b)
	if err == nil && flow&driver.ReadBlocked != 0 {
		return 0, "", ErrWouldBlock
	}
	return n, from.String(), err
}

func (c DriverCalls) SendTo(f File, b []byte, to string) (int, error) {
	sock, network := c.Of(f)
	a, err := driverAddr(network, to)
	if err != nil {
		return 0, err
	}
	n, flow, err := c.Driver.Send(sock, b, a)
	if err == nil && flow&driver.WriteBlocked != 0 {
		return 0, ErrWouldBlock
	}
	return n, err
}

func (c DriverCalls) Shutdown(f File, how driver.How) error {
	return c.Driver.Shutdown(c.sock(f), how)
}

func (c DriverCalls) sock(f File) driver.Sock {
	s, _ := c.Of(f)
	return s
}
