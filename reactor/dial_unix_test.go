//go:build unix

package reactor_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// caller dials its port 0 and reports how that ended, and what it read.
type caller struct {
	network, addr string
	say           string
	within        time.Duration
	report        chan<- call
}

type call struct {
	opened bool
	heard  string
	err    error
}

const (
	calling = fsm.First + iota
	hearing
	refused
)

func callers(t testing.TB) *reactor.Kind[caller, reactor.None] {
	return netTable(t, reactor.Options{Linger: 50 * time.Millisecond}, reactor.Table[caller, reactor.None]{
		{Fail: refused, Shutdown: fsm.Stop},
		calling: {Name: "calling", Wait: port0.Opened(), Within: fsm.After(time.Minute, refused), To: fsm.To(hearing),
			OnEnter: func(m *caller, cx *netCx) fsm.State {
				if m.within > 0 {
					cx.Within(m.within)
				}
				if err := cx.Dial(port0, m.network, m.addr); err != nil {
					return cx.Fail(err)
				}
				if err := cx.Dial(port0, m.network, m.addr); !errors.Is(err, reactor.ErrPortInUse) {
					return cx.Stop(errors.New("a second Dial: want ErrPortInUse"))
				}
				if m.say != "" {
					return cx.Fail(cx.Write(port0, []byte(m.say))) // before it is open
				}
				return fsm.Stay
			},
			OnReady: func(*caller, *netCx, reactor.Ready) fsm.State { return hearing }},
		hearing: {Name: "hearing", Wait: port0.Readable(), Idle: fsm.Never,
			OnEnter: func(m *caller, cx *netCx) fsm.State {
				if m.say == "" {
					m.report <- call{opened: true}
					return fsm.Stop
				}
				return fsm.Stay
			},
			OnReady: func(m *caller, cx *netCx, _ reactor.Ready) fsm.State {
				b, err := cx.Peek(port0)
				if err != nil {
					return cx.Fail(err)
				}
				if len(b) < len(m.say) {
					return fsm.Stay
				}
				m.report <- call{opened: true, heard: string(b)}
				return fsm.Stop
			}},
		refused: {Name: "refused", Within: fsm.After(time.Minute, fsm.Stop),
			OnEnter: func(m *caller, cx *netCx) fsm.State {
				m.report <- call{err: errors.Join(cx.Cause(), cx.Err(port0))}
				return fsm.Stop
			}},
	})
}

// dialOnce returns what one caller reports.
func dialOnce(t testing.TB, l *reactor.Loop, m caller) call {
	t.Helper()
	report := make(chan call, 1)
	m.report = report
	if _, err := callers(t).Spawn(l, m); err != nil {
		t.Fatal(err)
	}
	return await(t, "the machine's report", report)
}

// echoServer starts an echo server of package net, and returns its address.
func echoServer(t testing.TB, network, addr string) string {
	t.Helper()
	n, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	go func() {
		for {
			c, err := n.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	return n.Addr().String()
}

func TestDial(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	tcp := echoServer(t, "tcp", "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(tcp)
	path := t.TempDir() + "/sock"
	for _, c := range []struct{ network, addr string }{
		{"tcp", tcp}, {"tcp4", tcp}, {"tcp", "localhost:" + port}, {"tcp", ":" + port}, {"tcp4", ":" + port},
		{"unix", echoServer(t, "unix", path)},
		{"unix", echoServer(t, "unix", abstract(path, "@stator-test-"+strconv.Itoa(os.Getpid())))},
	} {
		for _, say := range []string{"", "said before it was open"} {
			if got := dialOnce(t, l, caller{network: c.network, addr: c.addr, say: say}); !got.opened || got.heard != say || got.err != nil {
				t.Errorf("Dial %s %s: got %+v, want it open, and %q back", c.network, c.addr, got, say)
			}
		}
	}
	eventually(t, "the machines ended", func() bool { return stats(t, l).Machines == 0 })
}

// abstract returns a name that is no file, or a path on systems without such names.
func abstract(path, name string) string {
	if runtime.GOOS == "linux" {
		return name
	}
	return path + name
}

func TestDialRefused(t *testing.T) {
	n, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := n.Addr().String()
	n.Close()
	_, port, _ := net.SplitHostPort(addr)
	l := netLoop(t, reactor.Config{})
	for _, c := range []struct{ network, addr string }{
		{"tcp", addr}, {"tcp", "localhost:" + port}, {"unix", t.TempDir() + "/none"}, {"unix", abstract(t.TempDir(), "@stator-test-none")},
	} {
		for _, say := range []string{"", "not sent"} {
			if got := dialOnce(t, l, caller{network: c.network, addr: c.addr, say: say}); !errors.Is(got.err, reactor.ErrRefused) {
				t.Errorf("Dial %s %s: got %+v, want ErrRefused", c.network, c.addr, got)
			}
		}
	}
	// Equal errors share a number: 300 of them leave room for others.
	for range 300 {
		if got := dialOnce(t, l, caller{network: "tcp", addr: addr}); !errors.Is(got.err, reactor.ErrRefused) {
			t.Fatalf("Dial tcp %s: got %+v, want ErrRefused", addr, got)
		}
	}
	var dns *net.DNSError
	if got := dialOnce(t, l, caller{network: "tcp", addr: "no-such-host.invalid:1"}); !errors.As(got.err, &dns) {
		t.Errorf("Dial of a host that does not exist: got %+v, want a DNSError", got)
	}
	if got := dialOnce(t, l, caller{network: "tcp", addr: "127.0.0.1"}); got.err == nil {
		t.Error("Dial of an address without a port: got no error, want one")
	}
	eventually(t, "the machines ended", func() bool { return stats(t, l).Machines == 0 })
	if s := stats(t, l); s.Held != 0 {
		t.Errorf("got %d bytes held, want 0", s.Held)
	}
}

// Within ends a Dial that gets no reply, as the full backlog drops it.
func TestDialNeverAnswered(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	sa, _ := unix.Getsockname(fd)
	addr := "127.0.0.1:" + strconv.Itoa(sa.(*unix.SockaddrInet4).Port)
	for range 4 { // fill the backlog
		c, err := net.DialTimeout("tcp", addr, 20*time.Millisecond)
		if err == nil {
			defer c.Close()
		}
	}
	l := netLoop(t, reactor.Config{})
	begin := time.Now()
	got := dialOnce(t, l, caller{network: "tcp", addr: addr, say: "hello?", within: 30 * time.Millisecond})
	if took := time.Since(begin); got.opened || !errors.Is(got.err, reactor.ErrTimeout) || took < 30*time.Millisecond {
		t.Errorf("got %+v after %v, want ErrTimeout after 30 ms at least", got, took)
	}
	eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
}

// A machine closes its port 1 and dials it again in one call, over and over, while the
// closed connections still send: every byte that it reads is of the open connection.
func TestRedialInOneCall(t *testing.T) {
	n, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	go func() { // each connection sends its number four times as soon as it is open
		for i := byte(0); ; i++ {
			c, err := n.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.Write([]byte{i, i, i, i})
				c.Read(make([]byte, 1))
			}()
		}
	}()
	type redialler struct {
		addr   string
		opened int
		report chan<- error
	}
	const dialling, reading = fsm.First, fsm.First + 1
	const rounds = 300
	k := netTable(t, reactor.Options{Ports: []string{"none", "peer"}}, reactor.Table[redialler, reactor.None]{
		{},
		dialling: {Name: "dialling", Wait: port1.Opened(), Within: fsm.After(time.Minute, fsm.Stop), To: fsm.To(dialling, reading),
			OnEnter: func(m *redialler, cx *netCx) fsm.State { return cx.Fail(cx.Dial(port1, "tcp", m.addr)) },
			OnReady: func(m *redialler, cx *netCx, _ reactor.Ready) fsm.State {
				if m.opened++; m.opened%3 == 0 {
					cx.Close(port1) // its bytes and events are on their way
					return dialling
				}
				return reading
			}},
		reading: {Name: "reading", Wait: port1.Readable(), Within: fsm.After(time.Minute, fsm.Stop), To: fsm.To(dialling),
			OnReady: func(m *redialler, cx *netCx, _ reactor.Ready) fsm.State {
				b, err := cx.Peek(port1)
				if err != nil {
					return cx.Fail(err)
				}
				for _, c := range b {
					if c != byte(m.opened-1) {
						m.report <- errors.New("a byte of another connection")
						return fsm.Stop
					}
				}
				if len(b) > 4 {
					m.report <- errors.New("bytes of more than one connection")
					return fsm.Stop
				}
				if m.opened >= rounds {
					m.report <- nil
					return fsm.Stop
				}
				cx.Close(port1)
				return dialling
			}},
	})
	report := make(chan error, 1)
	l := netLoop(t, reactor.Config{})
	if _, err := k.Spawn(l, redialler{addr: n.Addr().String(), report: report}); err != nil {
		t.Fatal(err)
	}
	if err := await(t, "the machine's report", report); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

// A peer that accepts, writes and closes before the loop looks: one event stands for the
// connection, its bytes and its end, and no other comes.
func TestEndThatComesWithTheConnection(t *testing.T) {
	n, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	hungUp := make(chan error, 1)
	hangUp := func() error {
		c, err := n.Accept()
		if err == nil {
			_, err = c.Write([]byte("bye"))
			err = errors.Join(err, c.Close())
		}
		return err
	}
	report := make(chan heardAll, 1)
	k := netTable(t, reactor.Options{}, reactor.Table[listening, reactor.None]{
		{},
		{Name: "hearing", Wait: port0.Readable(), Within: fsm.Never,
			OnEnter: func(_ *listening, cx *netCx) fsm.State {
				err := cx.Dial(port0, "tcp", n.Addr().String())
				go func() { hungUp <- hangUp() }()
				return cx.Fail(errors.Join(err, <-hungUp))
			},
			OnReady: func(m *listening, cx *netCx, _ reactor.Ready) fsm.State {
				var b [100]byte
				n, err := cx.Read(port0, b[:])
				if m.b = append(m.b, b[:n]...); err != nil && err != reactor.ErrWouldBlock {
					m.report <- heardAll{m.b, err}
				}
				return cx.Fail(err)
			}},
	})
	if _, err := k.Spawn(netLoop(t, reactor.Config{}), listening{report: report}); err != nil {
		t.Fatal(err)
	}
	if got := await(t, "the machine's report", report); string(got.b) != "bye" || got.err != io.EOF {
		t.Errorf("got %q, %v, want \"bye\" and io.EOF", got.b, got.err)
	}
}

// After Close of a port while its name is looked up, or an address is tried, the next
// Dial tries its own addresses alone.
func TestCloseWhileDialling(t *testing.T) {
	addr := echoServer(t, "tcp", "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(addr)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, deadPort, _ := net.SplitHostPort(dead.Addr().String())
	dead.Close()
	type changer struct {
		times  int
		report chan<- error
	}
	const trying, open = fsm.First, fsm.First + 1
	const soon reactor.Timer = 0
	k := netTable(t, reactor.Options{Timers: []fsm.TimerSpec{{Name: "soon"}}}, reactor.Table[changer, reactor.None]{
		{},
		trying: {Name: "trying", Wait: port0.Opened(), Within: fsm.After(time.Minute, fsm.Stop), Fail: open, To: fsm.To(trying, open),
			OnEnter: func(m *changer, cx *netCx) fsm.State {
				cx.Close(port0)
				host := "localhost:" + port
				if m.times++; m.times < 20 {
					host = "localhost:" + deadPort
				}
				if err := cx.Dial(port0, "tcp", host); err != nil {
					return cx.Fail(err)
				}
				if m.times < 20 {
					return cx.Fail(cx.Arm(soon, time.Duration(m.times%5)*50*time.Microsecond))
				}
				return fsm.Stay
			},
			OnTimer: func(*changer, *netCx, fsm.Fired) fsm.State { return trying },
			OnReady: func(*changer, *netCx, reactor.Ready) fsm.State { return open }},
		open: {Name: "open", Within: fsm.After(time.Minute, fsm.Stop), To: fsm.To(trying),
			OnEnter: func(m *changer, cx *netCx) fsm.State {
				if m.times < 20 {
					return trying // refused, as expected
				}
				m.report <- cx.Err(port0)
				return fsm.Stop
			}},
	})
	l := netLoop(t, reactor.Config{})
	report := make(chan error, 1)
	if _, err := k.Spawn(l, changer{report: report}); err != nil {
		t.Fatal(err)
	}
	if err := await(t, "the machine's report", report); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
}

// Of a name with several addresses each is tried until one accepts.
func TestDialTriesEachAddress(t *testing.T) {
	addr := echoServer(t, "tcp", "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(addr)
	newNameServer(t, "127.0.0.2", "127.0.0.3", "127.0.0.1")
	l := netLoop(t, reactor.Config{})
	if got := dialOnce(t, l, caller{network: "tcp4", addr: "three.test:" + port, say: "kept through the tries"}); got.heard != "kept through the tries" {
		t.Errorf("got %+v, want \"kept through the tries\" back", got)
	}
}

// Writes to a datagram port whose name is being looked up are refused, and not joined to
// one datagram.
func TestDatagramsToAName(t *testing.T) {
	peer, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	to := peer.LocalAddr().(*net.UDPAddr).AddrPort()
	l := netLoop(t, reactor.Config{})
	early := make(chan error, 3)
	k := netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{Wait: port0.Writable(),
		OnEnter: func(_ *struct{}, cx *netCx) fsm.State {
			if err := cx.Dial(port0, "udp4", fmt.Sprint("localhost:", to.Port())); err != nil {
				return cx.Fail(err)
			}
			early <- cx.Write(port0, []byte("a"))
			early <- second(cx.WriteSome(port0, []byte("b")))
			early <- cx.SendTo(port0, []byte("c"), to)
			return fsm.Stay
		},
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			return cx.Stop(errors.Join(cx.Write(port0, []byte("de")), cx.Write(port0, []byte("fgh"))))
		},
	})
	if _, err := k.Spawn(l, struct{}{}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := await(t, "the machine's report", early); err != reactor.ErrWouldBlock {
			t.Errorf("a write before the name is known: got %v, want ErrWouldBlock", err)
		}
	}
	wants(t, peer, 2, 3)
	noneFailed(t, l)
}
