//go:build !unix && !windows

package drivertest

import "github.com/stator-go/stator/reactor/poll"

// OverPoller returns an error: there is no System for this platform.
func OverPoller(backend string) (System, error) {
	_, err := poll.NewBackend(backend)
	if err == nil {
		err = lack("system of descriptors")
	}
	return nil, err
}
