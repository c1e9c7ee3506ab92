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

// The driver does what the pollers under it do, as far as it has it: it knows
// edges alone, registers once, and belongs to one goroutine.
func TestConformance(t *testing.T) {
	var reports []drivertest.Report
	for _, backend := range poll.Backends() {
		t.Run(backend, func(t *testing.T) {
			t.Setenv("STATOR_POLLER", backend)
			reports = append(reports, drivertest.Run(t, drivertest.Backend{
				Name:         "driver over " + backend,
				New:          overDriver,
				PerDirection: strings.HasPrefix(backend, "kqueue"),
				Skips: map[int]string{
					10: "a driver belongs to one goroutine",
					41: "an ICMP error is dropped with its datagram: see the tests of datagrams",
				},
			}))
		})
	}
	t.Logf("what ran:\n%s", drivertest.Table(reports...))
}

// take adopts a descriptor, and closes it.
func (s *driven) take(fd int, network string) (drivertest.File, error) {
	defer unix.Close(fd)
	sock, err := s.d.Adopt(uintptr(fd))
	if err != nil {
		return 0, err
	}
	return s.put(drivenFile{sock: sock, network: network}), nil
}

func (s *driven) Pair(network string) (a, b drivertest.File, err error) {
	return drivertest.Pair(s, network, func(fds [2]int) (a, b drivertest.File, err error) { return s.takeTwo(fds, network) })
}

func (s *driven) takeTwo(fds [2]int, network string) (a, b drivertest.File, err error) {
	a, err = s.take(fds[0], network)
	b, e := s.take(fds[1], network)
	return a, b, errors.Join(err, e)
}

func (s *driven) Pipe() (r, w drivertest.File, err error) {
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		return 0, 0, err
	}
	return s.takeTwo(fds, "pipe")
}

func (s *driven) Release(h drivertest.File) error {
	f := s.get(h)
	fd, err := s.d.Release(f.sock)
	f.sock = 0
	return errors.Join(err, unix.Close(int(fd)))
}

// Reset closes a connection so that its peer sees a reset: out of the driver, as
// it has no such call.
func (s *driven) Reset(h drivertest.File) error {
	f := s.get(h)
	if f.interest == 0 { // Release wants it registered
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

// writes tells whether a loop takes it for granted that f can be written to.
func (f *drivenFile) writes() bool { return f.network != "tcp" }
