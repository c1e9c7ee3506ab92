package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor"
)

// If the process runs out of descriptors, accepting pauses without spinning, existing clients
// are served, and waiting ones are accepted once descriptors are free. The test needs its
// own process, as the limit applies to a process.
func TestOutOfDescriptors(t *testing.T) {
	out, err := child("descriptors").CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func runLimited(string) int {
	if err := outOfDescriptors(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func outOfDescriptors() error {
	l := small()
	loop, err := newLoop(l)
	if err != nil {
		return err
	}
	_, bound, err := start(loop, local(l))
	if err != nil {
		return err
	}
	go loop.Run(context.Background())
	defer loop.Close()

	echo := func(c net.Conn) error {
		c.SetDeadline(time.Now().Add(patient))
		if _, err := io.WriteString(c, command("ECHO", "x")); err != nil {
			return err
		}
		b := make([]byte, len(bulk("x")))
		_, err := io.ReadFull(c, b)
		return err
	}
	dial := func() (net.Conn, error) { return net.DialTimeout("tcp", bound.String(), patient) }
	first, err := dial()
	if err != nil {
		return err
	}
	if err := echo(first); err != nil {
		return err
	}
	// The clients' sockets are descriptors of this process, too. Dial until no descriptor is
	// left for the server's sockets.
	var clients []net.Conn
	limit := syscall.Rlimit{}
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	highest, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	const waiting = 5
	limit.Cur = uint64(highest.Fd()) + waiting + 1
	highest.Close()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	for len(clients) < 3*waiting {
		c, err := dial()
		if errors.Is(err, syscall.EMFILE) {
			break
		}
		if err != nil {
			return err
		}
		clients = append(clients, c)
	}
	if len(clients) == 0 || len(clients) == 3*waiting {
		return fmt.Errorf("%d clients: the limit does not hold", len(clients))
	}
	var s reactor.Stats
	for end := time.Now().Add(patient); s.FilePauses == 0; time.Sleep(time.Millisecond) {
		if s, err = loop.Stats(); err != nil {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("accepting does not pause: %v", s)
		}
	}
	if err := echo(first); err != nil {
		return fmt.Errorf("a client accepted before: %w", err)
	}
	turns := s.Turns
	time.Sleep(200 * time.Millisecond) // the time in which turns are counted
	if s, err = loop.Stats(); err != nil {
		return err
	}
	if s.Turns-turns > 100 {
		return fmt.Errorf("%d turns in 200 ms with nothing to do: the loop spins", s.Turns-turns)
	}
	// Once descriptors are free again, all clients are served.
	limit.Cur += 3 * waiting
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	for i, c := range clients {
		if err := echo(c); err != nil {
			return fmt.Errorf("client %d of %d: %w", i, len(clients), err)
		}
	}
	return nil
}
