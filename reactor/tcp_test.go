//go:build unix || windows

package reactor_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Each way of moving bytes echoes megabytes, in random pieces, byte for byte.
func TestEcho(t *testing.T) {
	gated := port0.Readable().While(port0.Room())
	finish := func(cx *netCx, err error) fsm.State {
		if err == io.EOF {
			return fsm.Stop
		}
		return cx.Fail(err)
	}
	for _, way := range []struct {
		name  string
		ready func(m *[]byte, cx *netCx, _ reactor.Ready) fsm.State
		wait  reactor.Ready
	}{
		{"read and write", func(_ *[]byte, cx *netCx, _ reactor.Ready) fsm.State {
			var b [7 << 10]byte
			n, err := cx.Read(port0, b[:])
			if err != nil {
				return finish(cx, err)
			}
			return cx.Fail(cx.Write(port0, b[:n]))
		}, gated},
		{"a byte a call of large peeks", func(_ *[]byte, cx *netCx, _ reactor.Ready) fsm.State {
			b, err := cx.Peek(port0)
			if err != nil {
				return finish(cx, err)
			}
			n := min(len(b), 1+len(b)/3)
			if err := cx.Write(port0, b[:n]); err != nil {
				return cx.Fail(err)
			}
			cx.Discard(port0, n)
			return fsm.Stay
		}, gated},
		{"copy", func(_ *[]byte, cx *netCx, _ reactor.Ready) fsm.State {
			_, err := cx.Copy(port0, port0)
			return finish(cx, err)
		}, gated},
		{"read and raw write", func(left *[]byte, cx *netCx, ready reactor.Ready) fsm.State {
			if len(*left) == 0 {
				b := make([]byte, 100<<10)
				n, err := cx.Read(port0, b)
				if err != nil {
					return finish(cx, err)
				}
				*left = b[:n]
			}
			n, err := cx.WriteSome(port0, *left)
			*left = (*left)[n:]
			if len(*left) > 0 && err == nil {
				return fsm.Stay
			}
			return cx.Fail(err)
		}, 0},
	} {
		t.Run(way.name, func(t *testing.T) {
			l := netLoop(t, reactor.Config{})
			rows := reactor.Table[[]byte, reactor.None]{{Shutdown: fsm.Stop}, {Name: "echo", Wait: way.wait, Idle: fsm.Never, OnReady: way.ready}}
			if way.wait == 0 { // it has a state for each of the two that it waits for
				turn := func(m *[]byte, cx *netCx, r reactor.Ready) fsm.State {
					next := way.ready(m, cx, r)
					switch {
					case next != fsm.Stay:
						return next
					case len(*m) > 0 && cx.State() == 1:
						return 2
					case len(*m) == 0 && cx.State() == 2:
						return 1
					}
					return fsm.Stay
				}
				rows[1] = reactor.Row[[]byte, reactor.None]{Name: "read", Wait: port0.Readable(), Idle: fsm.Never, OnReady: turn, To: fsm.To(2)}
				rows = append(rows, reactor.Row[[]byte, reactor.None]{Name: "write", Wait: port0.Writable(), Idle: fsm.Never, OnReady: turn, To: fsm.To(1)})
			}
			n := netListen(t, l, netTable(t, reactor.Options{}, rows), nil)
			netEcho(t, netDial(t, n), netBytes(3<<20))
			eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
			if s := stats(t, l); s.Failed != 0 || s.Held != 0 {
				t.Errorf("got %d machines failed and %d bytes held, want 0 and 0", s.Failed, s.Held)
			}
		})
	}
}

// Each side can end its direction and go on with the other.
func TestHalfCloseEachWay(t *testing.T) {
	got := make(chan string, 1)
	k := netKind(t, reactor.Options{}, reactor.Row[bytes.Buffer, reactor.None]{
		Wait: port0.Readable(),
		OnEnter: func(_ *bytes.Buffer, cx *netCx) fsm.State {
			if err := cx.Write(port0, []byte("bye")); err != nil {
				return cx.Fail(err)
			}
			if err := cx.CloseWrite(port0); err != nil {
				return cx.Fail(err)
			}
			if err := cx.Write(port0, []byte("more")); !errors.Is(err, reactor.ErrClosed) {
				t.Errorf("Write after CloseWrite: got %v, want ErrClosed", err)
			}
			return fsm.Stay
		},
		OnReady: func(m *bytes.Buffer, cx *netCx, _ reactor.Ready) fsm.State {
			var b [2]byte
			n, err := cx.Read(port0, b[:])
			m.Write(b[:n])
			if err == io.EOF {
				got <- m.String()
				return fsm.Stop
			}
			return cx.Fail(err)
		},
	})
	l := netLoop(t, reactor.Config{})
	c := netDial(t, netListen(t, l, k, bytes.Buffer{}))
	if said := netReadAll(t, c); string(said) != "bye" {
		t.Errorf("the peer: got %q, want \"bye\"", said)
	}
	sent := 0
	for _, s := range []string{"and ", "now ", "me"} {
		c.Write([]byte(s))
		sent += len(s)
		eventually(t, "the machine has read it", func() bool { return stats(t, l).BytesIn == uint64(sent) })
	}
	c.CloseWrite()
	if s := await(t, "the machine's report", got); s != "and now me" {
		t.Errorf("the machine: got %q, want \"and now me\"", s)
	}
}

// After a reset each call returns the same error.
func TestResetIsStickyError(t *testing.T) {
	wineLacks(t, "the error of a reset: it returns the end of the input")
	errs := make(chan [5]error, 1)
	k := netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			var b [16]byte
			var e [5]error
			if _, e[0] = cx.Read(port0, b[:]); e[0] == nil || e[0] == reactor.ErrWouldBlock {
				return fsm.Stay
			}
			_, e[1] = cx.Read(port0, b[:])
			_, e[2] = cx.Peek(port0)
			e[3] = cx.Write(port0, b[:])
			e[4] = cx.Err(port0)
			errs <- e
			return fsm.Stop
		},
	})
	l := netLoop(t, reactor.Config{})
	c := netDial(t, netListen(t, l, k, struct{}{}))
	c.Write([]byte("x"))
	eventually(t, "the machine has read it", func() bool { return stats(t, l).BytesIn == 1 })
	netReset(c)
	for i, err := range await(t, "the machine's report", errs) {
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("call %d: got %v, want %v", i, err, syscall.ECONNRESET)
		}
	}
}

// A reset takes the Fail edge of a state that does not read, also if it came during the
// last call in a state that reads.
func TestResetInStateThatDoesNotRead(t *testing.T) {
	wineLacks(t, "an event for a reset before the input is read")
	const reading, thinking, failed = fsm.First, fsm.First + 1, fsm.First + 2
	for _, first := range []fsm.State{reading, thinking} {
		why, read := make(chan error, 1), make(chan []byte, 1)
		called, reset := make(chan struct{}, 2), make(chan struct{})
		k := netTable(t, reactor.Options{Start: first}, reactor.Table[struct{}, reactor.None]{
			{Fail: failed},
			reading: {Name: "reading", Wait: port0.Readable(), Idle: fsm.Never, To: fsm.To(thinking),
				OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
					called <- struct{}{}
					<-reset
					var b [2]byte
					if _, err := cx.Read(port0, b[:]); err != nil {
						return cx.Fail(err)
					}
					return thinking
				}},
			thinking: {Name: "thinking", Within: fsm.After(time.Minute, reading)},
			failed: {Name: "failed", Wait: port0.Readable(), Within: fsm.After(time.Minute, fsm.Stop),
				OnEnter: func(_ *struct{}, cx *netCx) fsm.State {
					why <- cx.Cause()
					return fsm.Stay
				},
				OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
					var b [64]byte
					n, err := cx.Read(port0, b[:])
					if n > 0 {
						read <- append([]byte(nil), b[:n]...)
					}
					if err == reactor.ErrWouldBlock || err == nil {
						return fsm.Stay
					}
					return fsm.Stop
				}},
		})
		l := netLoop(t, reactor.Config{})
		c := netDial(t, netListen(t, l, k, struct{}{}))
		c.Write([]byte("last words"))
		if first == reading {
			await(t, "a call", called)
		} else {
			eventually(t, "the machine is in its state", func() bool { return stats(t, l).Machines == 1 })
		}
		netReset(c)
		close(reset)
		if err := await(t, "the machine's report", why); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("start %d: got cause %v, want %v", first, err, syscall.ECONNRESET)
		}
		want := "last words"
		if first == reading {
			want = want[2:]
		}
		if b := await(t, "the machine's report", read); string(b) != want {
			t.Errorf("start %d: got input %q before the reset, want %q", first, b, want)
		}
		eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
	}
}

// A machine that was busy when its peer closed reads what the peer had sent.
func TestHangUpWithUnreadBytes(t *testing.T) {
	const later reactor.Timer = 0
	all := make(chan []byte, 1)
	k := netTable(t, reactor.Options{Timers: []fsm.TimerSpec{{Name: "later"}}}, reactor.Table[[]byte, reactor.None]{
		{},
		{Name: "busy", Within: fsm.After(time.Minute, fsm.Stop), To: fsm.To(2),
			OnEnter: func(_ *[]byte, cx *netCx) fsm.State { return cx.Fail(cx.Arm(later, 20*time.Millisecond)) },
			OnTimer: func(*[]byte, *netCx, fsm.Fired) fsm.State { return 2 }},
		{Name: "reading", Wait: port0.Readable(), Idle: fsm.Never,
			OnReady: func(m *[]byte, cx *netCx, _ reactor.Ready) fsm.State {
				var b [1000]byte
				n, err := cx.Read(port0, b[:])
				*m = append(*m, b[:n]...)
				if err == io.EOF {
					all <- *m
					return fsm.Stop
				}
				return cx.Fail(err)
			}},
	})
	c := netDial(t, netListen(t, netLoop(t, reactor.Config{}), k, nil))
	sent := netBytes(50 << 10)
	c.Write(sent)
	c.Close()
	netSame(t, await(t, "the machine's report", all), sent)
}

// A write to a peer that has closed is an error, and no SIGPIPE.
func TestWriteToClosedPeerIsNoSignal(t *testing.T) {
	pipes := make(chan os.Signal, 16)
	signal.Notify(pipes, syscall.SIGPIPE)
	defer signal.Stop(pipes)
	errs := make(chan error, 1)
	const again reactor.Timer = 0
	write := func(_ *struct{}, cx *netCx) fsm.State {
		if _, err := cx.WriteSome(port0, []byte("are you there?")); err != nil && err != reactor.ErrWouldBlock {
			_, e := cx.WriteSome(port0, []byte("still not?"))
			errs <- errors.Join(err, e)
			return fsm.Stop
		}
		return cx.Fail(cx.Arm(again, time.Millisecond))
	}
	k := netTable(t, reactor.Options{Timers: []fsm.TimerSpec{{Name: "again"}}}, reactor.Table[struct{}, reactor.None]{{},
		{Name: "writing", Idle: fsm.Never, OnEnter: write, Fail: 2,
			OnTimer: func(m *struct{}, cx *netCx, _ fsm.Fired) fsm.State { return write(m, cx) }},
		{Name: "failed", Within: fsm.After(time.Minute, fsm.Stop),
			OnEnter: func(_ *struct{}, cx *netCx) fsm.State {
				errs <- errors.Join(cx.Cause(), cx.Write(port0, []byte("x")))
				return fsm.Stop
			}},
	})
	c := netDial(t, netListen(t, netLoop(t, reactor.Config{}), k, struct{}{}))
	c.Close()
	if err := await(t, "the machine's report", errs); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a write to a closed peer: got %v, want EPIPE or ECONNRESET", err)
	}
	select {
	case s := <-pipes:
		t.Errorf("got signal %v, want none", s)
	default:
	}
}

// Peek returns more each time, up to Options.ReadBuffer, and then ErrFull.
func TestPeekGrowsToReadBuffer(t *testing.T) {
	const readBuffer = 10_000
	seen, all := make(chan []int, 1), make(chan []byte, 1)
	type hoard struct {
		lens []int
		b    []byte
		full bool
	}
	k := netKind(t, reactor.Options{ReadBuffer: readBuffer}, reactor.Row[hoard, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(m *hoard, cx *netCx, _ reactor.Ready) fsm.State {
			b, err := cx.Peek(port0)
			switch {
			case err == io.EOF:
				all <- m.b
				return fsm.Stop
			case errors.Is(err, reactor.ErrFull):
				m.full = true
				seen <- m.lens
				return 1 // its input is seen again, and consumed
			case err != nil:
				return cx.Fail(err)
			}
			if !m.full {
				m.lens = append(m.lens, len(b))
				return fsm.Stay
			}
			m.b = append(m.b, b...)
			cx.Discard(port0, len(b))
			return fsm.Stay
		},
		To: fsm.To(1),
	})
	l := netLoop(t, reactor.Config{})
	c := netDial(t, netListen(t, l, k, hoard{}))
	sent := netBytes(3 * readBuffer)
	for i := 0; i < len(sent); i += 3000 {
		c.Write(sent[i : i+3000])
		eventually(t, "the machine has read it", func() bool { return stats(t, l).BytesIn >= uint64(min(i+3000, readBuffer)) })
	}
	c.CloseWrite()
	lens := await(t, "the machine's report", seen)
	for i, n := range lens {
		if n > readBuffer || i > 0 && n <= lens[i-1] {
			t.Errorf("got lengths %v, want them to grow to %d", lens, readBuffer)
		}
	}
	if lens[len(lens)-1] != readBuffer {
		t.Errorf("got lengths %v, want %d at the end", lens, readBuffer)
	}
	netSame(t, await(t, "the machine's report", all), sent)
	eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
	if held := stats(t, l).Held; held != 0 {
		t.Errorf("got %d bytes held, want 0", held)
	}
}

// Drained is ready when all output is sent, and not before.
func TestDrained(t *testing.T) {
	const blob = 5 << 20 // more than kernels hold
	sent := netBytes(blob)
	var drained atomic.Int32
	k := netKind(t, reactor.Options{WriteBuffer: 6 << 20}, reactor.Row[int, reactor.None]{
		Wait: port0.Drained(),
		OnReady: func(n *int, cx *netCx, _ reactor.Ready) fsm.State {
			drained.Add(1)
			if held := cx.Buffered(port0); held != 0 {
				t.Errorf("drained: got %d bytes buffered, want 0", held)
			}
			if *n == 2 {
				return cx.Fail(cx.CloseWrite(port0))
			}
			*n++
			return cx.Fail(cx.Write(port0, sent))
		},
	})
	c := netDialNarrow(t, netListen(t, netLoop(t, reactor.Config{}), k, 0))
	eventually(t, "drained at first", func() bool { return drained.Load() > 0 })
	time.Sleep(5 * time.Millisecond) // in which there should be no call, as the peer does not read
	if n := drained.Load(); n != 1 {
		t.Errorf("got %d calls while the peer does not read, want 1", n)
	}
	got := netReadAll(t, c)
	netSame(t, got, bytes.Repeat(sent, 2))
}

// CloseWrite ends the direction after the output that is waiting.
func TestCloseWriteAfterPendingOutput(t *testing.T) {
	sent := netBytes(5 << 20) // more than kernels hold
	ends := make(chan error, 1)
	k := netKind(t, reactor.Options{WriteBuffer: 6 << 20}, reactor.Row[struct{}, reactor.None]{
		Wait: port0.Readable(),
		OnEnter: func(_ *struct{}, cx *netCx) fsm.State {
			if err := cx.Write(port0, sent); err != nil {
				return cx.Fail(err)
			}
			return cx.Fail(cx.CloseWrite(port0))
		},
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			var b [8]byte
			_, err := cx.Read(port0, b[:])
			if err == io.EOF {
				ends <- nil
				return fsm.Stop
			}
			return cx.Fail(err)
		},
	})
	l := netLoop(t, reactor.Config{})
	c := netDialNarrow(t, netListen(t, l, k, struct{}{}))
	eventually(t, "the kernel takes no more", func() bool { return stats(t, l).Held > 0 })
	netSame(t, netReadAll(t, c), sent)
	c.Close()
	await(t, "the end of the input", ends)
}

// Bytes pass through a machine with two ports, to their end, in both directions.
func TestProxy(t *testing.T) {
	up, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	go func() { // an echo
		for {
			c, err := up.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
				c.(*net.TCPConn).CloseWrite()
			}()
		}
	}()
	l := netLoop(t, reactor.Config{})
	n := netListen(t, l, newProxy(), pair{to: up.Addr().String()})
	for _, size := range []int{0, 1, 1000, 2 << 20} {
		netEcho(t, netDial(t, n), netBytes(size))
	}
	eventually(t, "the machines ended", func() bool { return stats(t, l).Machines == 0 })
	if s := stats(t, l); s.Failed != 0 || s.Held != 0 {
		t.Errorf("got %d machines failed and %d bytes held, want 0 and 0", s.Failed, s.Held)
	}
}
