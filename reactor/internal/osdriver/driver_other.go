//go:build !unix && !windows

package osdriver

import (
	"fmt"
	"runtime"

	"github.com/stator-go/stator/reactor/driver"
)

// osDriver has no implementation here: a loop needs Config.Driver.
type Driver struct{ driver.Driver }

func New(int) (*Driver, error) {
	return nil, fmt.Errorf("a driver for %s: %w", runtime.GOOS, driver.ErrUnsupported)
}
