package reactor_test

import (
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/internal/osdriver"
)

// fullBacklog returns a unix stream listener whose backlog is full: no connection is
// accepted.
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

// A dial to a full backlog tries again, without an error and not too often, until there
// is room. What was written meanwhile arrives.
func TestDialWaitsForBacklog(t *testing.T) {
	fd, path := fullBacklog(t)
	const callings = 200 // more than are tried at once
	l := netLoop(t, reactor.Config{})
	report := make(chan call, callings)
	k := callers(t)
	for range callings {
		if _, err := k.Spawn(l, caller{network: "unix", addr: path, say: "hello", report: report}); err != nil {
			t.Fatal(err)
		}
	}
	begin, before := time.Now(), stats(t, l)
	eventually(t, "the machines try again", func() bool { return stats(t, l).Events > before.Events+2*callings })
	after := stats(t, l)
	if most := 64 * (time.Since(begin)/(5*time.Millisecond) + 2); after.Events-before.Events > uint64(most)+callings {
		t.Errorf("got %d attempts in %v, want %d at most", after.Events-before.Events, time.Since(begin), uint64(most)+callings)
	}
	select {
	case got := <-report:
		t.Fatalf("got %+v with a full backlog, want nothing", got)
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
		if got := await(t, "the machine's report", report); !got.opened || got.heard != "hello" {
			t.Fatalf("got %+v, want an open connection and \"hello\" back", got)
		}
	}
	eventually(t, "the machines ended", func() bool { return stats(t, l).Machines == 0 })
	turns := stats(t, l).Turns
	time.Sleep(30 * time.Millisecond) // in which no dial should be tried
	if n := stats(t, l).Turns - turns; n > 4 {
		t.Errorf("got %d turns without a dial, want 4 at most", n)
	}
}

// The machine's Within ends a dial that waits, and so does the end of the listener.
func TestDialWaitsNoLonger(t *testing.T) {
	fd, path := fullBacklog(t)
	l := netLoop(t, reactor.Config{})
	if got := dialOnce(t, l, caller{network: "unix", addr: path, within: 20 * time.Millisecond}); !errors.Is(got.err, reactor.ErrTimeout) {
		t.Errorf("got %+v, want ErrTimeout", got)
	}
	report := make(chan call, 1)
	if _, err := callers(t).Spawn(l, caller{network: "unix", addr: path, report: report}); err != nil {
		t.Fatal(err)
	}
	before := stats(t, l).Events
	eventually(t, "it tries again", func() bool { return stats(t, l).Events > before+2 })
	unix.Shutdown(fd, unix.SHUT_RDWR)
	if got := await(t, "the machine's report", report); !errors.Is(got.err, reactor.ErrRefused) {
		t.Errorf("got %+v, want ErrRefused", got)
	}
	eventually(t, "the machines ended", func() bool { return stats(t, l).Machines == 0 })
}

// A dial that waits and is closed leaves no descriptor open.
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
			t.Fatalf("Connect: got %v, %v, want WriteBlocked", flow, err)
		}
		if err := d.Register(s, 1<<32); err != nil {
			t.Fatal(err)
		}
		if flow, err := d.FinishConnect(s); err != nil || flow&driver.WriteBlocked == 0 {
			t.Fatalf("FinishConnect: got %v, %v, want WriteBlocked", flow, err)
		}
		if err := d.Close(s); err != nil {
			t.Fatal(err)
		}
	}
	if n := descriptors(t); n != before {
		t.Errorf("got %d descriptors open, want %d", n, before)
	}
}

// A listener with a full backlog drops the packets of further connections: its address does
// not answer. The next address of the name does.
func TestDialLeavesASilentAddress(t *testing.T) {
	addr := echoServer(t, "tcp4", "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(addr)
	num, _ := strconv.Atoi(port)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	silent := [4]byte{127, 0, 0, 2}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: silent, Port: num}), unix.Listen(fd, 0)); err != nil {
		t.Skip(err) // another program has the port there
	}
	for range 4 { // fill the backlog
		if c, err := net.DialTimeout("tcp4", "127.0.0.2:"+port, 20*time.Millisecond); err == nil {
			defer c.Close()
		}
	}
	newNameServer(t, "127.0.0.2", "127.0.0.1")
	begin := time.Now()
	got := dialOnce(t, netLoop(t, reactor.Config{}), caller{network: "tcp4", addr: "two.test:" + port, say: "hello", within: 400 * time.Millisecond})
	if got.heard != "hello" || got.err != nil {
		t.Errorf("got %+v after %v, want \"hello\" back", got, time.Since(begin))
	}
	if took := time.Since(begin); took < 200*time.Millisecond {
		t.Errorf("got a connection after %v, want the first address tried for 200 ms", took)
	}
}
