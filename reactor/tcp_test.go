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

// Each way of moving bytes echoes megabytes, cut at random, byte for byte.
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
			if way.wait == 0 { // it says itself which of both it waits for
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
			netWait(t, "the machine ended", func() bool { return netStats(t, l).Machines == 0 })
			if s := netStats(t, l); s.Failed != 0 || s.Held != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

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
				t.Errorf("write after CloseWrite: %v", err)
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
	c := netDial(t, netListen(t, netLoop(t, reactor.Config{}), k, bytes.Buffer{}))
	if said := netReadAll(t, c); string(said) != "bye" {
		t.Errorf("the machine said %q", said)
	}
	for _, s := range []string{"and ", "now ", "me"} {
		c.Write([]byte(s))
		time.Sleep(2 * time.Millisecond)
	}
	c.CloseWrite()
	if s := netTake(t, got); s != "and now me" {
		t.Errorf("it read %q", s)
	}
}

func TestResetIsStickyError(t *testing.T) {
	wineLacks(t, "the error of a reset: it answers the end")
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
	c := netDial(t, netListen(t, netLoop(t, reactor.Config{}), k, struct{}{}))
	c.Write([]byte("x"))
	time.Sleep(2 * time.Millisecond)
	netReset(c)
	for i, err := range netTake(t, errs) {
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("call %d: %v: want %v", i, err, syscall.ECONNRESET)
		}
	}
}

// A peer that is gone is told to a state that does not read, also when the news
// came while a state read that left without looking.
func TestGoneInStateThatDoesNotRead(t *testing.T) {
	wineLacks(t, "news of a reset before what came is read")
	const reading, thinking, failed = fsm.First, fsm.First + 1, fsm.First + 2
	for _, first := range []fsm.State{reading, thinking} {
		why, read := make(chan error, 1), make(chan []byte, 1)
		k := netTable(t, reactor.Options{Start: first}, reactor.Table[struct{}, reactor.None]{
			{Fail: failed},
			reading: {Name: "reading", Wait: port0.Readable(), Idle: fsm.Never, To: fsm.To(thinking),
				OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
					time.Sleep(20 * time.Millisecond) // the reset comes meanwhile, or came
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
		if first == thinking {
			time.Sleep(2 * time.Millisecond)
		}
		netReset(c)
		if err := netTake(t, why); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("start %d: %v: want %v", first, err, syscall.ECONNRESET)
		}
		want := "last words"
		if first == reading {
			want = want[2:]
		}
		if b := netTake(t, read); string(b) != want {
			t.Errorf("start %d: unread before the reset: %q: want %q", first, b, want)
		}
		netWait(t, "the machine ended", func() bool { return netStats(t, l).Machines == 0 })
	}
}

// What a peer sent before it went is there for a machine that was busy.
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
	netSame(t, netTake(t, all), sent)
}

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
	if err := netTake(t, errs); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("writing to nobody: %v", err)
	}
	select {
	case s := <-pipes:
		t.Errorf("signal %v", s)
	default:
	}
}

// What was written before Stop arrives, also at a peer that goes on sending: the
// socket is not closed on it.
func TestStopDeliversWhatWasWritten(t *testing.T) {
	reply := netBytes(5 << 20) // more than kernels hold
	for _, sending := range []bool{false, true} {
		k := netKind(t, reactor.Options{WriteBuffer: 6 << 20}, reactor.Row[struct{}, reactor.None]{
			Wait: port0.Readable(),
			OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
				var b [1]byte
				if _, err := cx.Read(port0, b[:]); err != nil {
					return cx.Fail(err)
				}
				return cx.Stop(cx.Write(port0, reply))
			},
		})
		l := netLoop(t, reactor.Config{})
		c := netDialNarrow(t, netListen(t, l, k, struct{}{}))
		c.Write([]byte("x"))
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for sending {
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Microsecond):
					if _, err := c.Write(make([]byte, 100)); err != nil {
						t.Errorf("sending meanwhile: %v", err)
						return
					}
				}
			}
		}()
		got := netReadAll(t, c)
		close(stop)
		<-done
		netSame(t, got, reply)
		c.Close()
		netWait(t, "the machine ended", func() bool { return netStats(t, l).Machines == 0 })
		if s := netStats(t, l); s.Lingered != 0 || s.Failed != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// A refusal in the midst of an upload arrives: nothing was waiting to be read when
// the machine stopped, and more came after it had.
func TestStopInTheMidstOfAnUpload(t *testing.T) {
	refusal := netBytes(64 << 10)
	k := netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			var b [1024]byte
			if _, err := cx.Read(port0, b[:]); err != nil {
				return cx.Fail(err)
			}
			return cx.Stop(cx.Write(port0, refusal))
		},
	})
	l := netLoop(t, reactor.Config{})
	c := netDialNarrow(t, netListen(t, l, k, struct{}{}))
	c.Write([]byte("begin"))
	for range 10 {
		time.Sleep(2 * time.Millisecond)
		if _, err := c.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	netSame(t, netReadAll(t, c), refusal)
	c.Close()
	netWait(t, "the machine ended", func() bool { return netStats(t, l).Machines == 0 })
}

// A peer that does not read is cut off at the write buffer's limit.
func TestPeerThatNeverReads(t *testing.T) {
	const outbox = 256 << 10
	const again reactor.Timer = 0
	full := make(chan int, 1)
	write := func(n *int, cx *netCx) fsm.State {
		for {
			if err := cx.Write(port0, make([]byte, 10<<10)); err != nil {
				if !errors.Is(err, reactor.ErrFull) {
					t.Error(err)
				}
				full <- cx.Buffered(port0)
				return cx.Fail(err)
			}
			if *n++; *n%10 == 0 {
				return cx.Fail(cx.Arm(again, time.Millisecond))
			}
		}
	}
	k := netKind(t, reactor.Options{Timers: []fsm.TimerSpec{{Name: "again"}}, WriteBuffer: outbox, Linger: 20 * time.Millisecond},
		reactor.Row[int, reactor.None]{OnEnter: write,
			OnTimer: func(n *int, cx *netCx, _ fsm.Fired) fsm.State { return write(n, cx) }})
	l := netLoop(t, reactor.Config{})
	netDialNarrow(t, netListen(t, l, k, 0))
	if held := netTake(t, full); held > outbox || held < outbox-10<<10 {
		t.Errorf("%d bytes pending at the limit: want %d at the most", held, outbox)
	}
	if held := netStats(t, l).Held; held > outbox+8<<10 {
		t.Errorf("%d bytes held in chunks: want %d and the rounding at the most", held, outbox)
	}
	netWait(t, "the machine ended", func() bool { return netStats(t, l).Machines == 0 })
	if s := netStats(t, l); s.Lingered != 1 || s.Failed != 1 || s.Held != 0 || s.WriteBufferFull != 1 {
		t.Errorf("%+v", s)
	}
}

func TestPeekGrowsToInbox(t *testing.T) {
	const inbox = 10_000
	seen, all := make(chan []int, 1), make(chan []byte, 1)
	type hoard struct {
		lens []int
		b    []byte
		full bool
	}
	k := netKind(t, reactor.Options{ReadBuffer: inbox}, reactor.Row[hoard, reactor.None]{
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
				return 1 // show it again, to be taken
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
	sent := netBytes(3 * inbox)
	for i := 0; i < len(sent); i += 3000 {
		c.Write(sent[i : i+3000])
		time.Sleep(time.Millisecond)
	}
	c.CloseWrite()
	lens := netTake(t, seen)
	for i, n := range lens {
		if n > inbox || i > 0 && n <= lens[i-1] {
			t.Errorf("lengths %v: want them to grow to %d", lens, inbox)
		}
	}
	if lens[len(lens)-1] != inbox {
		t.Errorf("lengths %v: want %d at the end", lens, inbox)
	}
	netSame(t, netTake(t, all), sent)
	netWait(t, "the machine ended", func() bool { return netStats(t, l).Machines == 0 })
	if held := netStats(t, l).Held; held != 0 {
		t.Errorf("%d bytes held", held)
	}
}

// Drained comes when all has gone, and not before.
func TestDrained(t *testing.T) {
	const blob = 5 << 20 // more than kernels hold
	sent := netBytes(blob)
	var drained atomic.Int32
	k := netKind(t, reactor.Options{WriteBuffer: 6 << 20}, reactor.Row[int, reactor.None]{
		Wait: port0.Drained(),
		OnReady: func(n *int, cx *netCx, _ reactor.Ready) fsm.State {
			drained.Add(1)
			if held := cx.Buffered(port0); held != 0 {
				t.Errorf("drained with %d bytes pending", held)
			}
			if *n == 2 {
				return cx.Fail(cx.CloseWrite(port0))
			}
			*n++
			return cx.Fail(cx.Write(port0, sent))
		},
	})
	c := netDialNarrow(t, netListen(t, netLoop(t, reactor.Config{}), k, 0))
	netWait(t, "drained at first", func() bool { return drained.Load() > 0 })
	time.Sleep(5 * time.Millisecond)
	if n := drained.Load(); n != 1 {
		t.Errorf("drained %d times while nothing was read: want 1", n)
	}
	got := netReadAll(t, c)
	netSame(t, got, bytes.Repeat(sent, 2))
}

// CloseWrite waits for what was written.
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
	c := netDialNarrow(t, netListen(t, netLoop(t, reactor.Config{}), k, struct{}{}))
	time.Sleep(5 * time.Millisecond)
	netSame(t, netReadAll(t, c), sent)
	c.Close()
	netTake(t, ends)
}

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
	netWait(t, "the machines ended", func() bool { return netStats(t, l).Machines == 0 })
	if s := netStats(t, l); s.Failed != 0 || s.Held != 0 {
		t.Errorf("%+v", s)
	}
}
