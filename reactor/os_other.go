//go:build !linux

package reactor

import (
	"fmt"
	"runtime"
)

// osDriver has no implementation here: a loop needs Config.Driver.
type osDriver struct{ Driver }

func newOSDriver(int) (*osDriver, error) {
	return nil, fmt.Errorf("a driver for %s: %w", runtime.GOOS, ErrUnsupported)
}

func (d *osDriver) read(s Sock, b []byte) (int, Flow, error)       { return d.Read(s, b) }
func (d *osDriver) write(s Sock, b []byte) (int, Flow, error)      { return d.Write(s, b) }
func (d *osDriver) recv(s Sock, b []byte) (int, Addr, Flow, error) { return d.Recv(s, b) }
func (d *osDriver) sendTo(s Sock, b []byte, to Addr) (int, Flow, error) {
	return d.Send(s, b, to)
}

func (d *osDriver) unsent(Sock) bool { return false }

func exhausted(error) bool { return false }
