package osdriver_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver/drivertest"
)

// The driver passes the cases, but for those of calls that a driver does not have: it is
// edge-triggered, registers a socket once, and belongs to one goroutine.
func TestConformance(t *testing.T) {
	skips := map[int]string{
		10: "a driver belongs to one goroutine",
		41: "a driver does not return the errors of earlier datagrams",
	}
	if drivertest.Wine() {
		skips[30] = "Wine takes the error itself, so that a read returns the end"
		skips[31] = "Wine does not notice the end before the data is read"
	}
	report := drivertest.Run(t, drivertest.Backend{Name: "driver over afd", New: newDriverSystem, Skips: skips})
	t.Logf("what ran:\n%s", drivertest.Table(report))
}

func (s *driverSystem) Pair(network string) (a, b drivertest.File, err error) {
	return s.PairOf(s, network)
}

func (s *driverSystem) Release(h drivertest.File) error {
	f := s.get(h)
	fd, err := s.d.Release(f.sock)
	f.sock = 0
	return errors.Join(err, windows.Closesocket(windows.Handle(fd)))
}

// assumedWritable reports whether Register makes no event for room: a loop assumes it.
func (f *driverFile) assumedWritable() bool { return !f.dialled }
