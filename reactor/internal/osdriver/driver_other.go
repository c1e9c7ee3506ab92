//go:build !unix && !windows

package osdriver

import (
	"fmt"
	"runtime"

	"github.com/stator-go/stator/reactor/driver"
)

// Driver has no implementation on this system: a loop needs Config.Driver.
type Driver struct{ driver.Driver }

// SetKeepAlive does nothing.
func (*Driver) SetKeepAlive(driver.Sock, driver.KeepAlive) {}

// New returns driver.ErrUnsupported.
func New(int) (*Driver, error) {
	return nil, fmt.Errorf("a driver for %s: %w", runtime.GOOS, driver.ErrUnsupported)
}
