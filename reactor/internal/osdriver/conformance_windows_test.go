package osdriver_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver/drivertest"
)

// The driver does what the poller under it does, as far as it has it: it knows edges
// alone, registers once, and belongs to one goroutine.
func TestConformance(t *testing.T) {
	skips := map[int]string{
		10: "a driver belongs to one goroutine",
		41: "an ICMP error is dropped with its datagram",
	}
	if drivertest.Wine() {
		skips[30] = "Wine takes the error itself, so that a read answers the end"
		skips[31] = "Wine does not notice the end before the data is read"
	}
	report := drivertest.Run(t, drivertest.Backend{Name: "driver over afd", New: overDriver, Skips: skips})
	t.Logf("what ran:\n%s", drivertest.Table(report))
}

func (s *driven) Pair(network string) (a, b drivertest.File, err error) { return s.PairOf(s, network) }

func (s *driven) Release(h drivertest.File) error {
	f := s.get(h)
	fd, err := s.d.Release(f.sock)
	f.sock = 0
	return errors.Join(err, windows.Closesocket(windows.Handle(fd)))
}

// writes tells whether a loop takes it for granted that f can be written to.
func (f *drivenFile) writes() bool { return !f.dialled }
