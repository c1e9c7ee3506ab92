//go:build unix

package reactor_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor"
)

// A thousand connections are in the backlog before the loop runs: one event for all.
func TestBurstOfAccepts(t *testing.T) {
	const burst = 1000
	l, err := reactor.NewLoop(reactor.Config{Slots: 2 * burst})
	if err != nil {
		t.Fatal(err)
	}
	n := netListen(t, l, echoing(t, reactor.Options{}), struct{}{})
	conns := make([]*net.TCPConn, burst)
	for i := range conns {
		conns[i] = netDial(t, n)
		if _, err := conns[i].Write([]byte{42}); err != nil {
			t.Fatal(err)
		}
	}
	runs(t, l)
	for _, c := range conns {
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if s := stats(t, l); s.Accepted != burst || s.Machines != burst {
		t.Errorf("got %d accepted and %d machines, want %d of each", s.Accepted, s.Machines, burst)
	}
	for _, c := range conns {
		c.Close()
	}
	eventually(t, "the machines ended", func() bool { return stats(t, l).Machines == 0 })
}

// Without free descriptors accepting pauses, and does not spin, until there are some
// again. The limit is that of a process, so the test runs in a process of its own.
func TestAcceptOutOfDescriptors(t *testing.T) {
	const child = "STATOR_TEST_NOFILE"
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestAcceptOutOfDescriptors$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("the test in a process of its own: got %v, want no error\n%s", err, out)
		}
		return
	}
	const limit = 64
	l := netLoop(t, reactor.Config{})
	n := netListen(t, l, echoing(t, reactor.Options{}), struct{}{})
	ping(t, netDial(t, n)) // the runtime's own descriptors are open now
	accepted := stats(t, l).Accepted
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Fatal(err)
	}
	var spare, conns []int
	for range 4 {
		fd, err := unix.Dup(0)
		if err != nil {
			t.Fatal(err)
		}
		spare = append(spare, fd)
	}
	connect := func() bool {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return false
		}
		sa := &unix.SockaddrInet4{Port: int(n.Addr.Port()), Addr: n.Addr.Addr().As4()}
		if err := unix.Connect(fd, sa); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, fd)
		return true
	}
	for connect() { // until no descriptor is left: each connection takes one of the loop's, too
	}
	eventually(t, "a pause", func() bool {
		s := stats(t, l)
		if s.Accepted == accepted+uint64(len(conns)) { // the last descriptor went to the loop
			unix.Close(spare[0])
			spare = spare[1:]
			connect()
		}
		return s.FilePauses > 0
	})
	before := stats(t, l)
	time.Sleep(150 * time.Millisecond) // in which it should try again, and not spin
	after := stats(t, l)
	if after.FilePauses == before.FilePauses {
		t.Errorf("got %d pauses 150 ms later, want more", after.FilePauses)
	}
	if turns := after.Turns - before.Turns; turns > 40 {
		t.Errorf("got %d turns in 150 ms, want 40 at most", turns)
	}
	if got := before.Accepted - accepted; got >= uint64(len(conns)) {
		t.Fatalf("got %d connections accepted, want less than all %d", got, len(conns))
	}
	for _, fd := range spare {
		unix.Close(fd)
	}
	// Each connection that is closed frees a descriptor at both ends.
	for i, fd := range conns {
		tv := unix.Timeval{Sec: 5}
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv)
		unix.Write(fd, []byte{42})
		if _, err := unix.Read(fd, make([]byte, 1)); err != nil {
			t.Fatalf("connection %d of %d: got %v, want its byte back", i, len(conns), err)
		}
		unix.Close(fd)
	}
	eventually(t, "all accepted", func() bool { return stats(t, l).Accepted == accepted+uint64(len(conns)) })
}

// Without a free slot accepting pauses until a machine ends.
func TestAcceptWithoutSlots(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  reactor.Config
		opt  reactor.Options
	}{
		{"of the loop", reactor.Config{Slots: 4}, reactor.Options{}},
		{"of the kind", reactor.Config{}, reactor.Options{MaxMachines: 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := netLoop(t, c.cfg)
			n := netListen(t, l, echoing(t, c.opt), struct{}{})
			var conns []*net.TCPConn
			for range 12 {
				conns = append(conns, netDial(t, n))
			}
			for i, c := range conns {
				if ping(t, c); i == 3 {
					before := stats(t, l)
					time.Sleep(20 * time.Millisecond) // in which it should not spin
					after := stats(t, l)
					if before.SlotPauses == 0 || after.Turns-before.Turns > 5 {
						t.Errorf("without a slot: got %d pauses and %d turns in 20 ms, want 1 and 5 at most", before.SlotPauses, after.Turns-before.Turns)
					}
				}
				c.Close()
			}
			eventually(t, "the machines ended", func() bool { return stats(t, l).Machines == 0 })
			if got := stats(t, l).Accepted; got != 12 {
				t.Errorf("got %d accepted, want 12", got)
			}
		})
	}
}

// Connections that are reset before they are accepted do not keep others from being
// accepted.
func TestAcceptOfResetConnections(t *testing.T) {
	l, err := reactor.NewLoop(reactor.Config{Slots: 64})
	if err != nil {
		t.Fatal(err)
	}
	n := netListen(t, l, echoing(t, reactor.Options{}), struct{}{})
	for range 20 {
		netReset(netDial(t, n))
	}
	last := netDial(t, n)
	runs(t, l)
	ping(t, last)
	eventually(t, "the reset ones ended", func() bool { return stats(t, l).Machines == 1 })
}

// A listener that another part of the process shuts down pauses, and does not spin, also
// if a turn accepts only once.
func TestBrokenListener(t *testing.T) {
	for _, accepts := range []int{64, 8, 1} {
		t.Run(fmt.Sprint("Accepts ", accepts), func(t *testing.T) {
			l := netLoop(t, reactor.Config{Accepts: accepts})
			n := netListen(t, l, echoing(t, reactor.Options{}), struct{}{})
			ping(t, netDial(t, n))
			fd := listenerOn(t, int(n.Addr.Port()))
			if err := unix.Shutdown(fd, unix.SHUT_RD); err != nil {
				t.Fatal(err)
			}
			eventually(t, "an error of accept", func() bool { return stats(t, l).AcceptErrors > 0 })
			before := stats(t, l).Turns
			time.Sleep(100 * time.Millisecond) // in which it should not spin
			after := stats(t, l)
			if turns := after.Turns - before; turns > 30 {
				t.Errorf("got %d turns in 100 ms, want 30 at most", turns)
			}
			if after.ErrorPauses == 0 || after.FilePauses != 0 {
				t.Errorf("got %d pauses for errors and %d for descriptors, want some and none", after.ErrorPauses, after.FilePauses)
			}
		})
	}
}

// listenerOn returns the descriptor in this process that listens on a port.
func listenerOn(t *testing.T, port int) int {
	for fd := range 4096 {
		sa, err := unix.Getsockname(fd)
		if err != nil {
			continue
		}
		on, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		if in, ok := sa.(*unix.SockaddrInet4); ok && in.Port == port && on == 1 {
			return fd
		}
	}
	t.Fatalf("got no listener on port %d, want one", port)
	return 0
}

func TestListenerClose(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	n := netListen(t, l, echoing(t, reactor.Options{}), struct{}{})
	c := netDial(t, n)
	ping(t, c)
	if err := n.Close(l); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(l); !errors.Is(err, reactor.ErrClosed) {
		t.Errorf("a second Close: got %v, want ErrClosed", err)
	}
	if _, err := net.Dial("tcp", n.String()); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("a dial after Close: got %v, want %v", err, unix.ECONNREFUSED)
	}
	ping(t, c) // its connections stay open
	again, err := echoing(t, reactor.Options{}).Listen(l, "tcp", n.String(), struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(l); !errors.Is(err, reactor.ErrClosed) {
		t.Errorf("Close of the old listener, with a new one open: got %v, want ErrClosed", err)
	}
	ping(t, netDial(t, again))

	path := t.TempDir() + "/sock"
	for range 2 { // Close removes the name
		u, err := echoing(t, reactor.Options{}).Listen(l, "unix", path, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("unix", u.String())
		if err != nil {
			t.Fatal(err)
		}
		ping(t, c)
		c.Close()
		if err := u.Close(l); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("%s: got %v, want it removed", path, err)
	}
	d, err := echoing(t, reactor.Options{}).Listen(l, "udp", "127.0.0.1:0", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(l); !errors.Is(err, reactor.ErrUnsupported) {
		t.Errorf("Close of a datagram socket's Listener: got %v, want ErrUnsupported", err)
	}
}

func TestListenErrors(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	k := echoing(t, reactor.Options{})
	n := netListen(t, l, k, struct{}{})
	for _, c := range []struct{ network, addr string }{
		{"tcp", n.String()}, {"tcp", "127.0.0.1"}, {"tcp", "127.0.0.1:99999"}, {"tcp", "8.8.8.8:1"},
		{"tcp6", "127.0.0.1:0"}, {"tcp4", "[::1]:0"}, {"sctp", "127.0.0.1:0"}, {"unix", ""}, {"unix", "/no/such/directory/sock"},
	} {
		if _, err := k.Listen(l, c.network, c.addr, struct{}{}); err == nil {
			t.Errorf("Listen on %s %s: got no error, want one", c.network, c.addr)
		}
	}
	if _, err := k.Listen(l, "udp", "127.0.0.1:65536", struct{}{}); err == nil || !strings.Contains(err.Error(), "port 65536: want 0 to 65535") {
		t.Errorf("got %v, want an error that says what a port may be", err)
	}
	if got := stats(t, l).Machines; got != 0 {
		t.Errorf("got %d machines, want 0", got)
	}
}

// A listener on all addresses accepts IPv4, too, whether or not there is IPv6.
func TestListenEverywhere(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	for _, network := range []string{"tcp", "tcp4"} {
		n, err := echoing(t, reactor.Options{}).Listen(l, network, ":0", struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(n.Addr.Port())})
		if err != nil {
			t.Fatal(err)
		}
		ping(t, c)
		c.Close()
	}
	if n := stats(t, l).Accepted; n != 2 {
		t.Errorf("got %d accepted, want 2", n)
	}
}
