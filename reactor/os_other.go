//go:build !unix && !windows

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

func exhausted(error) bool { return false }
