package reactor_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
	"github.com/stator-go/stator/reactor/poll"
)

// What Peek returns while Config.Buffers, or Options.ReadBuffer, have no room for more input.

// hold makes machines that hold a chunk of 4 KiB each: their peers take nothing.
func (d *fake) hold(l *reactor.Loop, machines int, log *journal) (hogs []*fakedriver.Socket) {
	d.t.Helper()
	k := gluttons(d.t, never)
	for range machines {
		s, ref := adopt(d, l, k, glutton{log: log})
		d.Do(func() { s.Room = 0 })
		d.write(ref, 4*kib)
		hogs = append(hogs, s)
	}
	log.want(d.t, "")
	return hogs
}

// look notes how much Peek returns, and consumes nothing.
func look(r *reader, cx *read, _ reactor.Ready) reactor.State {
	b, err := cx.Peek(0)
	if err != nil {
		r.log.add(fmt.Sprint(err))
		return cx.Fail(err)
	}
	r.log.add(fmt.Sprint(len(b)))
	return fsm.Stay
}

func bytesOf(n int) string { return strings.Repeat("x", n) }

// A machine that has seen all its input waits until others give Buffers back. Meanwhile
// its other states are shown that input, too.
func TestPeekWaitsForBuffers(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{Buffers: 17 * kib})
	s, ref := adopt(d, l, readers(t, reactor.Options{OnEnd: ended.add}, reactor.Port(0).Readable()), reader{do: look, log: log})
	log.take()
	s.PeerSends(bytesOf(kib))
	log.want(t, "1024 would block")
	hogs := d.hold(l, 4, log)
	s.PeerSends(bytesOf(100))
	log.want(t, "would block")
	d.send(ref, busy)
	log.want(t, "1024 would block")
	turns := stats(t, l).Turns
	d.send(ref, idle)
	log.want(t, "1024 would block")
	if n := stats(t, l).Turns - turns; n > 6 {
		t.Errorf("%d turns for one message", n)
	}
	hogs[0].PeerTakes(4 * kib)
	log.want(t, "1124 would block")
	ended.none(t)
}

// A write that Buffers refuse leaves the input that it was to reply to. That input is no
// reason to end the machine when more comes, and is shown again when there is room.
func TestPeekAfterARefusedWrite(t *testing.T) {
	for _, o := range []reactor.Options{{}, {ReadBuffer: kib}} {
		d, log, ended := newFake(t), &journal{}, newEnds()
		l := d.start(reactor.Config{Buffers: 20 * kib})
		o.OnEnd = ended.add
		tight := true
		s, _ := adopt(d, l, readers(t, o, reactor.Port(0).Readable()), reader{log: log, do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
			b, err := cx.Peek(0)
			if err != nil {
				r.log.add(fmt.Sprint(err))
				return cx.Fail(err)
			}
			for err == nil && tight {
				err = cx.Write(0, make([]byte, 4*kib))
			}
			if errors.Is(err, reactor.ErrFull) {
				r.log.add(fmt.Sprint(len(b), " full"))
				return fsm.Stay
			}
			r.log.add(fmt.Sprint(len(b), " taken"))
			cx.Discard(0, len(b))
			return cx.Fail(err)
		}})
		log.take()
		d.Do(func() { s.Room = 0 })
		s.PeerSends(bytesOf(kib), bytesOf(100))
		got := log.take()
		if !strings.HasPrefix(got, "1024 full") || strings.Contains(got, "Buffer") {
			t.Errorf("%+v: happened: %q", o.ReadBuffer, got)
		}
		ended.none(t)
		tight = false
		s.PeerTakes(64 * kib)
		if got := log.take(); !strings.Contains(got, "taken") {
			t.Errorf("%+v: happened: %q", o.ReadBuffer, got)
		}
		ended.none(t)
	}
}

// Input that alone is more than Buffers can ever hold ends its machine: nothing could help.
func TestPeekOfMoreThanBuffers(t *testing.T) {
	for ports := 1; ports <= 2; ports++ {
		var other *fakedriver.Socket
		d, log, ended := newFake(t), &journal{}, newEnds()
		l := d.start(reactor.Config{Buffers: 16 * kib})
		s, _ := adopt(d, l, readers(t, reactor.Options{Ports: []string{"peer", "other"}, OnEnd: ended.add}, reactor.Port(0).Readable()|reactor.Port(1).Readable()),
			reader{log: log, do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
				if ports == 2 && cx.Err(1) == reactor.ErrClosed {
					other = d.NewSocket()
					if err := cx.Adopt(1, other.Conn()); err != nil {
						return cx.Stop(err)
					}
				}
				for p := range reactor.Port(ports) {
					if _, err := cx.Peek(p); err != nil && err != reactor.ErrWouldBlock {
						return cx.Fail(err)
					}
				}
				return fsm.Stay
			}})
		for range 20 {
			if s.Closed() {
				break
			}
			s.PeerSends(bytesOf(kib))
			if ports == 2 && !s.Closed() {
				other.PeerSends(bytesOf(kib))
			}
		}
		if !s.Closed() {
			t.Fatalf("%d ports: a machine waits for more than there is: %v", ports, stats(t, l))
		}
		if err := ended.next(t); !errors.Is(err, reactor.ErrFull) || !strings.Contains(err.Error(), "input of reader: Config.Buffers") {
			t.Errorf("%d ports: reason %v", ports, err)
		}
	}
}

// acknowledger consumes what Peek returns, and writes when it gets a message.
func acknowledger(t testing.TB, log *journal, ended *ends) *reactor.Kind[empty, string] {
	return kind(t, "acknowledger", reactor.Options{Ports: []string{"peer"}, OnEnd: ended.add}, reactor.Table[empty, string]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "reading", Wait: reactor.Port(0).Readable(), Idle: fsm.Never,
			OnMessage: func(_ *empty, cx *reactor.Context[string], m *string) reactor.State {
				return cx.Fail(cx.Write(0, []byte(*m)))
			},
			OnReady: func(_ *empty, cx *reactor.Context[string], _ reactor.Ready) reactor.State {
				b, err := cx.Peek(0)
				if err != nil {
					log.add(fmt.Sprint(err))
					return cx.Fail(err)
				}
				log.add(string(b))
				cx.Discard(0, len(b))
				return fsm.Stay
			}},
	})
}

// A machine waits for Buffers to read what came before a reset, and the reset is found. What
// the loop reads then, to see whether there is input, is shown to the machine at once: it
// has it, and need not wait for others any more.
func TestInputBeforeAResetIsShownToAMachineThatWaits(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{Buffers: 8 * kib})
	s, ref := adopt(d, l, acknowledger(t, log, ended), empty{})
	log.take()
	d.hold(l, 1, log)
	broken(d, s, poll.Readable, "hello")
	log.want(t, "would block")
	if err := ref.Send("ack"); err != nil {
		t.Fatal(err)
	}
	d.Settle()
	log.want(t, "would block hello connection reset by peer")
	if err := ended.next(t); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("ended with %v, want the reset", err)
	}
}

// A read buffer that is full keeps a machine from reading what came before a reset: then it
// ends by that, however many calls it has in a turn, and not by the reset.
func TestFullReadBufferBeforeAReset(t *testing.T) {
	for _, steps := range []int{1, 32} {
		d, log, ended := newFake(t), &journal{}, newEnds()
		l := d.start(reactor.Config{Steps: steps})
		s, _ := adopt(d, l, readers(t, reactor.Options{ReadBuffer: 16, OnEnd: ended.add}, reactor.Port(0).Readable()), reader{log: log, do: func(r *reader, cx *read, what reactor.Ready) reactor.State {
			cx.Write(0, []byte("ack")) // finds the reset
			return takeLine(r, cx, what)
		}})
		log.take()
		broken(d, s, poll.Readable, "a\n"+bytesOf(20))
		if err := ended.next(t); !errors.Is(err, reactor.ErrFull) {
			t.Errorf("%d steps: ended with %v after %q, want %v", steps, err, log.take(), reactor.ErrFull)
		}
	}
}
