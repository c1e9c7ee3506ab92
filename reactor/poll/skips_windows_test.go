package poll_test

import "github.com/stator-go/stator/reactor/driver/drivertest"

// publishes is the name of this system where its table is published, else empty.
func publishes() string {
	if drivertest.Wine() {
		return "Windows, as Wine 8 has it"
	}
	return ""
}

// skips are the cases that Wine's sockets are not good enough for.
func skips() map[int]string {
	if !drivertest.Wine() {
		return nil
	}
	return map[int]string{
		30: "Wine takes the error itself, so that a read answers the end",
		31: "Wine does not notice the end before the data is read",
		41: "Wine has no event for a datagram that was refused",
	}
}
