package reactor_test

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/internal/osdriver"
)

// fullBacklog is a unix stream listener whose backlog is full of connections that
// nobody accepts.
func fullBacklog(t *testing.T) (fd int, path string) {
	t.Helper()
	path = t.TempDir() + "/full"
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	sa := &unix.SockaddrUnix{Name: path}
	if err := errors.Join(unix.Bind(fd, sa), unix.Listen(fd, 1)); err != nil {
		t.Fatal(err)
	}
	for {
		c, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(c) })
		if err := unix.Connect(c, sa); err == unix.EAGAIN {
			return fd, path
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// A dial to a full backlog waits until there is room, without an error and without
// much ado, and what was written meanwhile arrives.
func TestDialWaitsForBacklog(t *testing.T) {
	fd, path := fullBacklog(t)
	const callings = 200 // more than are told at once
	l := netLoop(t, reactor.Config{})
	report := make(chan call, callings)
	k := callers(t)
	for range callings {
		if _, err := k.Spawn(l, caller{network: "unix", addr: path, say: "hello", report: report}); err != nil {
			t.Fatal(err)
		}
	}
	begin, before := time.Now(), netStats(t, l)
	netWait(t, "the machines try again", func() bool { return netStats(t, l).Events > before.Events+2*callings })
	after := netStats(t, l)
	if most := 64 * (time.Since(begin)/(5*time.Millisecond) + 2); after.Events-before.Events > uint64(most)+callings {
		t.Errorf("%d attempts in %v", after.Events-before.Events, time.Since(begin))
	}
	select {
	case got := <-report:
		t.Fatalf("%+v with a full backlog", got)
	default:
	}
	go func() {
		for {
			c, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
			if err != nil {
				return
			}
			go func() {
				b := make([]byte, 5)
				if n, err := unix.Read(c, b); n > 0 && err == nil {
					unix.Write(c, b[:n])
				}
				unix.Close(c)
			}()
		}
	}()
	defer unix.Shutdown(fd, unix.SHUT_RDWR)
	for range callings {
		if got := netTake(t, report); !got.opened || got.heard != "hello" {
			t.Fatalf("%+v", got)
		}
	}
	netWait(t, "the machines ended", func() bool { return netStats(t, l).Machines == 0 })
	turns := netStats(t, l).Turns
	time.Sleep(30 * time.Millisecond)
	if n := netStats(t, l).Turns - turns; n > 4 {
		t.Errorf("%d turns when nobody waits any more", n)
	}
}

// A listener that is closed ends the wait of a dial, and so does the machine's bound.
func TestDialWaitsNoLonger(t *testing.T) {
	fd, path := fullBacklog(t)
	l := netLoop(t, reactor.Config{})
	if got := dialOnce(t, l, caller{network: "unix", addr: path, within: 20 * time.Millisecond}); !errors.Is(got.err, reactor.ErrTimeout) {
		t.Errorf("%+v: want ErrTimeout", got)
	}
	report := make(chan call, 1)
	if _, err := callers(t).Spawn(l, caller{network: "unix", addr: path, report: report}); err != nil {
		t.Fatal(err)
	}
	before := netStats(t, l).Events
	netWait(t, "it tries again", func() bool { return netStats(t, l).Events > before+2 })
	unix.Shutdown(fd, unix.SHUT_RDWR)
	if got := netTake(t, report); !errors.Is(got.err, reactor.ErrRefused) {
		t.Errorf("%+v: want ErrRefused", got)
	}
	netWait(t, "the machines ended", func() bool { return netStats(t, l).Machines == 0 })
}

// A dial that waits and is given up leaves nothing open.
func TestDialThatWaitsIsClosed(t *testing.T) {
	_, path := fullBacklog(t)
	d, err := osdriver.New(4)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	before := descriptors(t)
	for range 4 {
		s, flow, err := d.Connect(driver.Addr{Net: driver.Unix, Path: path}, driver.SocketOptions{})
		if err != nil || flow&driver.WriteBlocked == 0 {
			t.Fatal(flow, err)
		}
		if err := d.Register(s, 1<<32); err != nil {
			t.Fatal(err)
		}
		if flow, err := d.FinishConnect(s); err != nil || flow&driver.WriteBlocked == 0 {
			t.Fatalf("finish: %v, %v: want Full", flow, err)
		}
		if err := d.Close(s); err != nil {
			t.Fatal(err)
		}
	}
	if n := descriptors(t); n != before {
		t.Errorf("%d descriptors are open, and %d were", n, before)
	}
}
