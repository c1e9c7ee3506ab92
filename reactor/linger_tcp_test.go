//go:build unix || windows

package reactor_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

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
		eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
		if s := stats(t, l); s.Lingered != 0 || s.Failed != 0 {
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
	eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
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
	if held := await(t, "the machine's report", full); held > outbox || held < outbox-10<<10 {
		t.Errorf("%d bytes pending at the limit: want %d at the most", held, outbox)
	}
	if held := stats(t, l).Held; held > outbox+8<<10 {
		t.Errorf("%d bytes held in chunks: want %d and the rounding at the most", held, outbox)
	}
	eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
	if s := stats(t, l); s.Lingered != 1 || s.Failed != 1 || s.Held != 0 || s.WriteBufferFull != 1 {
		t.Errorf("%+v", s)
	}
}
