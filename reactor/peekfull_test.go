package reactor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
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
