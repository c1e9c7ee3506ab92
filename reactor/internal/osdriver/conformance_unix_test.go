//go:build unix

package osdriver_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/driver/drivertest"
	"github.com/stator-go/stator/reactor/poll"
)

// The driver passes the cases over each of the system's pollers, but for those of calls that
// a driver does not have: it is edge-triggered, registers a socket once, and belongs to one
// goroutine.
func TestConformance(t *testing.T) {
	var reports []drivertest.Report
	for _, backend := range poll.Backends() {
		t.Run(backend, func(t *testing.T) {
			t.Setenv("STATOR_POLLER", backend)
			report := drivertest.Run(t, drivertest.Backend{
				Name:         "driver over " + backend,
				New:          newDriverSystem,
				PerDirection: strings.HasPrefix(backend, "kqueue"),
				Skips: map[int]string{
					10: "a driver belongs to one goroutine",
					41: "a driver does not return the errors of earlier datagrams",
				},
			})
			reports = append(reports, report)
			for n := 22; n <= 35 && report.Complete; n++ { // a method under a wrong name would skip them silently
				if !report.Ran[n] {
					t.Errorf("case %d, of connections, was skipped: %s", n, report.Skipped[n])
				}
			}
		})
	}
	t.Logf("what ran:\n%s", drivertest.Table(reports...))
}

// take adopts a descriptor, and closes it.
func (s *driverSystem) take(fd int, network string) (drivertest.File, error) {
	defer unix.Close(fd)
	sock, err := s.d.Adopt(uintptr(fd))
	if err != nil {
		return 0, err
	}
	return s.put(driverFile{sock: sock, network: network}), nil
}

func (s *driverSystem) Pair(network string) (a, b drivertest.File, err error) {
	return drivertest.Pair(s, network, func(fds [2]int) (a, b drivertest.File, err error) { return s.takeTwo(fds, network) })
}

func (s *driverSystem) takeTwo(fds [2]int, network string) (a, b drivertest.File, err error) {
	a, err = s.take(fds[0], network)
	b, e := s.take(fds[1], network)
	return a, b, errors.Join(err, e)
}

func (s *driverSystem) Pipe() (r, w drivertest.File, err error) {
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		return 0, 0, err
	}
	return s.takeTwo(fds, "pipe")
}

func (s *driverSystem) Release(h drivertest.File) error {
	f := s.get(h)
	fd, err := s.d.Release(f.sock)
	f.sock = 0
	return errors.Join(err, unix.Close(int(fd)))
}

// Reset closes a connection so that its peer sees a reset. A driver has no such call: the
// connection is released first.
func (s *driverSystem) Reset(h drivertest.File) error {
	f := s.get(h)
	if f.interest == 0 { // only a registered socket can be released
		if err := s.d.Register(f.sock, driver.EventData(h+1)<<8); err != nil {
			return err
		}
	}
	fd, err := s.d.Release(f.sock)
	if err != nil {
		return err
	}
	f.sock = 0
	err = unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	return errors.Join(err, unix.Close(int(fd)))
}

// assumedWritable reports whether Register makes no event for room: a loop assumes it.
func (f *driverFile) assumedWritable() bool { return f.network != "tcp" }
