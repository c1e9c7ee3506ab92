//go:build unix && !race

// Under the race detector each system call is reported to it, and the buffers that are
// named in the report escape to the heap.

package reactor_test

import (
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/sig"
)

// noAllocs checks that nothing is allocated from the first event on. AllocsPerRun counts
// what all goroutines allocate, so the loop's side of a round trip is in the figure. It
// rounds down, so what the runtime does now and then is not.
func noAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	for range 100 {
		f() // chunks, tables and what the client needs are allocated here
	}
	if n := testing.AllocsPerRun(300, f); n != 0 {
		t.Errorf("%s: got %v allocations, want 0", what, n)
	}
}

// alloc echoes what it reads; for a "t" it arms a timer, too.
type alloc struct{}

type allocCx = reactor.Context[chan struct{}]

func (a *alloc) ready(cx *allocCx, _ reactor.Ready) reactor.State {
	var b [16 << 10]byte
	n, err := cx.Read(0, b[:])
	if err != nil {
		return cx.Fail(err)
	}
	if b[0] == 't' {
		if err := cx.Arm(0, time.Hour); err != nil {
			return cx.Stop(err)
		}
		cx.Disarm(0)
	}
	return cx.Fail(cx.Write(0, b[:n]))
}

func (a *alloc) line(cx *allocCx, _ reactor.Ready) reactor.State {
	b, err := cx.Peek(0)
	if err != nil {
		return cx.Fail(err)
	}
	for i, c := range b {
		if c == '\n' {
			err = cx.Write(0, b[:i+1])
			cx.Discard(0, i+1)
			return cx.Fail(err)
		}
	}
	return fsm.Stay
}

func (a *alloc) onMessage(_ *allocCx, done *chan struct{}) reactor.State {
	*done <- struct{}{}
	return fsm.Stay
}

func allocKind(t testing.TB, o reactor.Options, ready func(*alloc, *allocCx, reactor.Ready) reactor.State) *reactor.Kind[alloc, chan struct{}] {
	o.Ports, o.Timers = []string{"peer"}, []reactor.TimerSpec{{Name: "timer"}}
	return kind(t, "alloc", o, reactor.Table[alloc, chan struct{}]{
		fsm.Any: {OnMessage: (*alloc).onMessage},
		idle: {Name: "idle", Idle: fsm.After(time.Minute, fsm.Stop), Wait: reactor.Port(0).Readable(), OnReady: ready, Fail: fsm.Stop,
			OnTimer: func(*alloc, *allocCx, reactor.Fired) reactor.State { return fsm.Stay }},
	})
}

// clientOf connects to a machine of a kind.
func clientOf(t testing.TB, k *reactor.Kind[alloc, chan struct{}]) net.Conn {
	t.Helper()
	n, err := k.Listen(run(t, reactor.Config{}), "tcp", "127.0.0.1:0", alloc{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", n.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// say writes text and reads what comes back.
func say(t testing.TB, c net.Conn, text, back []byte) {
	if _, err := c.Write(text); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, back); err != nil {
		t.Fatal(err)
	}
}

func TestNoAllocations(t *testing.T) {
	t.Run("read and write", func(t *testing.T) {
		c := clientOf(t, allocKind(t, reactor.Options{}, (*alloc).ready))
		text, back := []byte("hello"), make([]byte, 5)
		noAllocs(t, "a read and a write", func() { say(t, c, text, back) })
		text = []byte("timer")
		noAllocs(t, "a timer armed and stopped", func() { say(t, c, text, back) })
	})
	t.Run("leftovers", func(t *testing.T) {
		c := clientOf(t, allocKind(t, reactor.Options{}, (*alloc).line))
		// The half line of one round is the beginning of the next one's.
		text, back := []byte("half\na\nb\nother "), make([]byte, len("other half\na\nb\n"))
		say(t, c, text, back[:len("half\na\nb\n")])
		noAllocs(t, "Peek and Discard", func() { say(t, c, text, back) })
	})
	t.Run("message", func(t *testing.T) {
		ref := spawn(t, run(t, reactor.Config{}), allocKind(t, reactor.Options{}, (*alloc).ready), alloc{})
		done := make(chan struct{}, 1)
		noAllocs(t, "a message", func() {
			if err := ref.Send(done); err != nil {
				t.Fatal(err)
			}
			<-done
		})
	})
	t.Run("timer ids and monitors", func(t *testing.T) {
		var gone reactor.Token
		downs := make(chan error, 1)
		k := kind(t, "alloc", reactor.Options{Timers: []reactor.TimerSpec{{Name: "timer", Many: 30}}}, reactor.Table[alloc, chan struct{}]{
			idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop,
				OnMessage: func(_ *alloc, cx *allocCx, _ *chan struct{}) reactor.State {
					err := cx.Monitor(gone)
					for id := range uint32(30) {
						if err == nil {
							err = cx.ArmID(0, id, time.Hour)
						}
					}
					for id := range uint32(30) {
						cx.DisarmID(0, id)
					}
					return cx.Fail(err)
				},
				OnTimer: func(*alloc, *allocCx, reactor.Fired) reactor.State { return fsm.Stay },
				OnDown:  func(_ *alloc, _ *allocCx, d reactor.Down) reactor.State { downs <- d.Reason; return fsm.Stay }},
		})
		l := run(t, reactor.Config{})
		ref := spawn(t, l, k, alloc{})
		gone = ref.Token() + 2<<32 // a later machine of the same slot
		noAllocs(t, "a monitor and 30 timers", func() {
			if err := ref.Send(nil); err != nil {
				t.Fatal(err)
			}
			if err := <-downs; err != reactor.ErrStale {
				t.Fatal(err)
			}
		})
	})
	t.Run("refusal", func(t *testing.T) {
		d, over := newFake(t), make(chan string, 1)
		l := d.start(reactor.Config{})
		left := 0
		to := spawn(t, l, tallies(t, reactor.Options{Mailbox: 2}), tally{&left, over})
		_, from := adopt(d, l, feeders(t), feeder{to: to})
		noAllocs(t, "a message that is refused at first", func() {
			left = 8
			if err := from.Send(note{num: left}); err != nil {
				t.Fatal(err)
			}
			<-over
		})
	})
	t.Run("signal", func(t *testing.T) {
		g, _ := newGuard(t, run(t, reactor.Config{}), sig.Of(syscall.SIGUSR1))
		pid := os.Getpid()
		noAllocs(t, "a signal", func() {
			syscall.Kill(pid, syscall.SIGUSR1)
			<-g.came
		})
	})
	t.Run("accept and close", func(t *testing.T) {
		if reactor.AcceptAllocates {
			t.Skip("accept returns an address, which is allocated")
		}
		gone := make(chan struct{}, 1)
		k := allocKind(t, reactor.Options{OnEnd: func(reactor.Token, error) { gone <- struct{}{} }}, (*alloc).ready)
		l := run(t, reactor.Config{})
		n, err := k.Listen(l, "tcp4", "127.0.0.1:0", alloc{})
		if err != nil {
			t.Fatal(err)
		}
		to := &syscall.SockaddrInet4{Port: int(n.Addr.Port()), Addr: [4]byte{127, 0, 0, 1}}
		noAllocs(t, "a connection", func() {
			// Package net allocates for a connection; a plain socket does not.
			fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Connect(fd, to); err != nil {
				t.Fatal(err)
			}
			syscall.Close(fd)
			<-gone
		})
		if err := l.Close(); err != nil {
			t.Errorf("Close: got %v, want no error", err)
		}
	})
}
