//go:build unix

package reactor_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor"
)

// A thousand connections stand in the backlog before the loop looks: one edge.
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
		conns[i].Write([]byte{42})
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.Run(ctx)
	}()
	for _, c := range conns {
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if s := netStats(t, l); s.Accepted != burst || s.Machines != burst {
		t.Errorf("%+v", s)
	}
	for _, c := range conns {
		c.Close()
	}
	netWait(t, "the machines ended", func() bool { return netStats(t, l).Machines == 0 })
	cancel()
	<-done
}

// Out of descriptors: accepting rests, without spinning, and goes on when there
// are some again. The limit is a process's, so it is another one's.
func TestAcceptOutOfDescriptors(t *testing.T) {
	const child = "STATOR_TEST_NOFILE"
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestAcceptOutOfDescriptors$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	const limit = 64
	l := netLoop(t, reactor.Config{})
	n := netListen(t, l, echoing(t, reactor.Options{}), struct{}{})
	time.Sleep(time.Millisecond) // the runtime's own descriptors are open now
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
	knock := func() bool {
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
	for knock() { // until there is no descriptor left, for whoever comes first
	}
	netWait(t, "a pause", func() bool {
		s := netStats(t, l)
		if s.Accepted == uint64(len(conns)) { // the last one went to the loop
			unix.Close(spare[0])
			spare = spare[1:]
			knock()
		}
		return s.FilePauses > 0
	})
	before := netStats(t, l)
	time.Sleep(150 * time.Millisecond)
	after := netStats(t, l)
	if after.FilePauses == before.FilePauses {
		t.Errorf("it did not try again")
	}
	if turns := after.Turns - before.Turns; turns > 40 {
		t.Errorf("%d turns in 150 ms: it spins", turns)
	}
	if before.Accepted >= uint64(len(conns)) {
		t.Fatalf("accepted %d of %d: want less", before.Accepted, len(conns))
	}
	for _, fd := range spare {
		unix.Close(fd)
	}
	// Each connection that goes makes room at both ends.
	for i, fd := range conns {
		tv := unix.Timeval{Sec: 5}
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv)
		unix.Write(fd, []byte{42})
		if _, err := unix.Read(fd, make([]byte, 1)); err != nil {
			t.Fatalf("connection %d of %d: %v", i, len(conns), err)
		}
		unix.Close(fd)
	}
	netWait(t, "all accepted", func() bool { return netStats(t, l).Accepted == uint64(len(conns)) })
}

// Without a slot accepting rests until a machine ends.
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
					before := netStats(t, l)
					time.Sleep(20 * time.Millisecond)
					after := netStats(t, l)
					if before.SlotPauses == 0 || after.Turns-before.Turns > 5 {
						t.Errorf("%d pauses, %d turns at rest", before.SlotPauses, after.Turns-before.Turns)
					}
				}
				c.Close()
			}
			netWait(t, "the machines ended", func() bool { return netStats(t, l).Machines == 0 })
			if s := netStats(t, l); s.Accepted != 12 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// Connections that are reset before they are accepted are no trouble for others.
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
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.Run(ctx)
	}()
	ping(t, last)
	netWait(t, "the reset ones ended", func() bool { return netStats(t, l).Machines == 1 })
	cancel()
	<-done
}

// A listener that is broken from outside rests, and does not spin.
func TestBrokenListener(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	n := netListen(t, l, echoing(t, reactor.Options{}), struct{}{})
	ping(t, netDial(t, n))
	fd := listenerOn(t, int(n.Addr.Port()))
	if err := unix.Shutdown(fd, unix.SHUT_RD); err != nil {
		t.Fatal(err)
	}
	netWait(t, "an error of accept", func() bool { return netStats(t, l).AcceptErrors > 0 })
	before := netStats(t, l).Turns
	time.Sleep(100 * time.Millisecond)
	if turns := netStats(t, l).Turns - before; turns > 30 {
		t.Errorf("%d turns in 100 ms: it spins", turns)
	}
}

// listenerOn finds the descriptor in this process that listens on a port.
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
	t.Fatal("no such listener")
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
		t.Errorf("closed twice: %v", err)
	}
	if _, err := net.Dial("tcp", n.String()); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("dialling it: %v", err)
	}
	ping(t, c) // it lives on
	again, err := echoing(t, reactor.Options{}).Listen(l, "tcp", n.String(), struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(l); !errors.Is(err, reactor.ErrClosed) {
		t.Errorf("the old one closed the new one's row: %v", err)
	}
	ping(t, netDial(t, again))

	path := t.TempDir() + "/sock"
	for range 2 { // the name goes with the listener
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
		t.Errorf("%s is left: %v", path, err)
	}
	d, err := echoing(t, reactor.Options{}).Listen(l, "udp", "127.0.0.1:0", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(l); !errors.Is(err, reactor.ErrUnsupported) {
		t.Errorf("closing a datagram socket's listener: %v", err)
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
			t.Errorf("%s %s: no error", c.network, c.addr)
		}
	}
	if _, err := k.Listen(l, "udp", "127.0.0.1:65536", struct{}{}); err == nil || !strings.Contains(err.Error(), "port 65536: want 0 to 65535") {
		t.Errorf("%v: want what a port may be", err)
	}
	if s := netStats(t, l); s.Machines != 0 {
		t.Errorf("%+v", s)
	}
}

// Every address there is takes IPv4 too, whether or not there is IPv6.
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
	if n := netStats(t, l).Accepted; n != 2 {
		t.Errorf("accepted %d", n)
	}
}
