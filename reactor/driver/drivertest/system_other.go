//go:build !unix && !windows

package drivertest

import "github.com/stator-go/stator/reactor/poll"

// OverPoller is a System of this machine's descriptors and a Poller of the
// backend named. There is none for this platform yet.
func OverPoller(backend string) (System, error) {
	_, err := poll.NewBackend(backend)
	if err == nil {
		err = lack("system of descriptors")
	}
	return nil, err
}
