//go:build unix || windows

package reactor_test

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// What a machine wrote before it stopped arrives, also at a peer that goes on sending:
// the close causes no reset.
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
				case <-time.After(100 * time.Microsecond): // sends slowly until all is read
					if _, err := c.Write(make([]byte, 100)); err != nil {
						t.Errorf("a write meanwhile: got %v, want no error", err)
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
			t.Errorf("got %d machines cut off and %d failed, want 0 and 0", s.Lingered, s.Failed)
		}
	}
}

// A refusal during an upload arrives: there was no input to read when the machine
// stopped, and more came afterwards.
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
	eventually(t, "the machine has stopped", func() bool { return stats(t, l).BytesOut > 0 })
	for range 10 {
		time.Sleep(time.Millisecond) // so that each piece comes in a turn of its own
		if _, err := c.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	netSame(t, netReadAll(t, c), refusal)
	c.Close()
	eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
}

// Uploads that are refused find the answer and the end, and no reset, also if so many come
// at once that a turn has no bytes left to drop for some of them.
func TestStopManyUploadsAtOnce(t *testing.T) {
	k := netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			var b [100]byte
			if _, err := cx.Read(port0, b[:]); err != nil {
				return cx.Fail(err)
			}
			return cx.Stop(cx.Write(port0, []byte("413\n")))
		},
	})
	l, err := reactor.NewLoop(reactor.Config{Slots: 64})
	if err != nil {
		t.Fatal(err)
	}
	at := netListen(t, l, k, struct{}{})
	var clients []net.Conn
	for range 12 {
		c := netDial(t, at)
		go c.Write(make([]byte, 200_000)) // all of it fits into the kernels' buffers, or follows when the machine reads
		clients = append(clients, c)
	}
	time.Sleep(100 * time.Millisecond) // so that all uploads wait when the loop begins
	runs(t, l)
	for i, c := range clients {
		var b [4]byte
		if _, err := io.ReadFull(c, b[:]); err != nil {
			t.Fatalf("client %d: got %v before the answer", i, err)
		}
		if n, err := c.Read(b[:]); err != io.EOF {
			t.Errorf("client %d: got %d bytes and %v after the answer, want io.EOF", i, n, err)
		}
		c.Close()
	}
}

// A machine whose peer does not read gets ErrFull when the write buffer is full, and is
// cut off after Linger.
func TestPeerThatNeverReads(t *testing.T) {
	const writeBuffer = 256 << 10
	const again reactor.Timer = 0
	full := make(chan int, 1)
	write := func(n *int, cx *netCx) fsm.State {
		for {
			if err := cx.Write(port0, make([]byte, 10<<10)); err != nil {
				if !errors.Is(err, reactor.ErrFull) {
					t.Errorf("Write beyond the write buffer: got %v, want ErrFull", err)
				}
				full <- cx.Buffered(port0)
				return cx.Fail(err)
			}
			if *n++; *n%10 == 0 {
				return cx.Fail(cx.Arm(again, time.Millisecond))
			}
		}
	}
	k := netKind(t, reactor.Options{Timers: []fsm.TimerSpec{{Name: "again"}}, WriteBuffer: writeBuffer, Linger: 20 * time.Millisecond},
		reactor.Row[int, reactor.None]{OnEnter: write,
			OnTimer: func(n *int, cx *netCx, _ fsm.Fired) fsm.State { return write(n, cx) }})
	l := netLoop(t, reactor.Config{})
	netDialNarrow(t, netListen(t, l, k, 0))
	if held := await(t, "the machine's report", full); held > writeBuffer || held < writeBuffer-10<<10 {
		t.Errorf("got %d bytes buffered at the limit, want %d at most, and less than a write below", held, writeBuffer)
	}
	if held := stats(t, l).Held; held > writeBuffer+8<<10 {
		t.Errorf("got %d bytes held in chunks, want %d and two chunks at most", held, writeBuffer)
	}
	eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
	if s := stats(t, l); s.Lingered != 1 || s.Failed != 1 || s.Held != 0 || s.WriteBufferFull != 1 {
		t.Errorf("got %d cut off, %d failed, %d bytes held, %d writes refused, want 1, 1, 0, 1", s.Lingered, s.Failed, s.Held, s.WriteBufferFull)
	}
}
