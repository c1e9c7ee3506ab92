package poll_test

import "github.com/stator-go/stator/reactor/driver/drivertest"

// publishes returns the name of this system in the package comment, or "" if the comment
// has no table for it.
func publishes() string {
	if drivertest.Wine() {
		return "Windows, as Wine 8 implements it"
	}
	return ""
}

// skips returns the cases that the sockets of Wine do not pass, and why.
func skips() map[int]string {
	if !drivertest.Wine() {
		return nil
	}
	return map[int]string{
		30: "Wine fetches the error itself, so that a read returns the end",
		31: "Wine does not report the end before the data is read",
		41: "Wine has no event for a refused datagram",
	}
}
