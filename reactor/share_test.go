package reactor_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
)

// Shares of Config.Buffers: what slow peers of some machines leave to the others.

// echoers write back what Peek returns, as the package's examples do: an error ends them.
func echoers(t testing.TB, o reactor.Options) *reactor.Kind[struct{}, reactor.None] {
	o.Ports = []string{"peer"}
	return kind(t, "echoer", o, reactor.Table[struct{}, reactor.None]{{},
		{Name: "echoing", Wait: reactor.Port(0).Readable().While(reactor.Port(0).Room()), Idle: fsm.Never, Stall: fsm.After(10*time.Second, fsm.Stop),
			OnReady: func(_ *struct{}, cx *reactor.Context[reactor.None], _ reactor.Ready) reactor.State {
				in, err := cx.Peek(reactor.Port(0))
				if err == nil {
					err = cx.Write(reactor.Port(0), in)
				}
				if err != nil {
					return cx.Fail(err)
				}
				cx.Discard(reactor.Port(0), len(in))
				return fsm.Stay
			}}})
}

// Peers that send and take nothing fill their shares, and the machines of others can still
// read 4 KiB and write 4 KiB. None of them ends, and Buffers are a limit at each step.
func TestSlowReadersLeaveRoom(t *testing.T) {
	for _, buffers := range []int{64 * kib, 256 * kib, 1 << 20} {
		d, ended := newFake(t), newEnds()
		attackers := buffers/(16*kib) - 1
		l := d.start(reactor.Config{Buffers: buffers, Slots: attackers + 1})
		k := echoers(t, reactor.Options{OnEnd: ended.add})
		good, _ := adopt(d, l, k, struct{}{})
		hello := func(size int) {
			t.Helper()
			good.PeerSends(bytesOf(size))
			if got := len(good.Written()); got != size {
				t.Fatalf("Buffers %d: a client that reads gets %d bytes of %d: %v", buffers, got, size, stats(t, l))
			}
		}
		for range attackers {
			s, _ := adopt(d, l, k, struct{}{})
			d.Do(func() { s.Room = 100 })
			for range 20 {
				s.PeerSends(bytesOf(30 * kib))
				if held := stats(t, l).Held; held > buffers {
					t.Fatalf("%d bytes are held of %d", held, buffers)
				}
			}
			hello(5)
			hello(4 * kib)
			hello(100 * kib)
		}
		ended.none(t)
	}
}

// What peers of echoers send comes back in order, however scarce Buffers are, once they take it.
func TestSharedBuffersLoseNothing(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l := d.start(reactor.Config{Buffers: 128 * kib})
	k := echoers(t, reactor.Options{OnEnd: ended.add})
	var socks []*fakedriver.Socket
	for range 20 {
		s, _ := adopt(d, l, k, struct{}{})
		d.Do(func() { s.Room = 0 })
		socks = append(socks, s)
	}
	sent := make([]string, len(socks))
	for round := range 10 {
		for i, s := range socks {
			piece := fmt.Sprintf("%d/%d:", i, round) + bytesOf(3*kib*(i%4))
			sent[i] += piece
			s.PeerSends(piece)
			s.PeerTakes(kib * (i % 3))
		}
	}
	for range 2 {
		for _, s := range socks {
			s.PeerTakes(1 << 20)
		}
	}
	for i, s := range socks {
		if got := s.Written(); got != sent[i] {
			t.Errorf("peer %d sent %d bytes, and got %d, or others", i, len(sent[i]), len(got))
		}
	}
	if s := stats(t, l); s.Held != 0 || s.Waiting != 0 {
		t.Errorf("%d bytes are held, %d machines wait", s.Held, s.Waiting)
	}
	ended.none(t)
}

// The share of a machine is for all its ports: one that waits to write to one of them goes
// on when another one holds nothing any more, as its peer has taken it or it is closed.
func TestShareIsOfAllPorts(t *testing.T) {
	for _, closes := range []bool{false, true} {
		log := &journal{}
		d, l, hog := full(t, 36*kib, 60*kib, log)
		other := d.NewSocket()
		d.Do(func() { other.Room = 0 })
		first := true
		s, ref := adopt(d, l, gluttons(t, reactor.Port(0).Readable().While(reactor.Port(0).Room())), glutton{log: log, do: func(cx *glut) error {
			if first { // the call at birth
				first = false
				return errors.Join(cx.Adopt(1, other.Conn()), cx.Write(1, make([]byte, 8*kib)))
			}
			if err := cx.Write(0, make([]byte, 4*kib)); err != nil {
				return err
			}
			var b [10]byte
			n, err := cx.Read(0, b[:])
			log.add(string(b[:n]))
			return err
		}})
		s.PeerSends("hello")
		log.want(t, "full")
		if closes {
			d.write(ref, 0)
		} else {
			other.PeerTakes(8 * kib)
		}
		if got := log.take(); got != "hello" && got != "hello " {
			t.Errorf("the other port is closed: %v: happened: %q", closes, got)
		}
		if hog.taken > 0 {
			t.Error("others have given Buffers back")
		}
	}
}

// Output that has not moved for Stall is dropped then, and not held for Linger as well.
// Output that has moved since is sent.
func TestStalledOutputIsNotHeldForLinger(t *testing.T) {
	for _, moves := range []bool{false, true} {
		d, ended := newFake(t), newEnds()
		l := d.start(reactor.Config{})
		k := kind(t, "stalling", reactor.Options{Ports: []string{"stalled", "peer"}, OnEnd: ended.add}, reactor.Table[glutton, int]{{},
			{Name: "writing", Within: fsm.After(time.Minute, fsm.Stop), Stall: fsm.After(10*time.Second, fsm.Stop), OnMessage: (*glutton).onMessage}})
		s, ref := adopt(d, l, k, glutton{log: &journal{}})
		d.Do(func() { s.Room = 0 })
		d.write(ref, 10*kib)
		d.Advance(9 * time.Second)
		if moves {
			s.PeerTakes(kib)
			d.Advance(9 * time.Second)
			ended.none(t)
		}
		d.Advance(time.Second)
		if err := ended.next(t); !errors.Is(err, reactor.ErrTimeout) {
			t.Errorf("reason %v", err)
		}
		if held := stats(t, l).Held; held != 0 || !s.Reset() {
			t.Errorf("after Stall: got %d bytes held, reset %v, want 0, true", held, s.Reset())
		}
	}
	d, ended := newFake(t), newEnds() // a machine that stops for another reason: Linger is its output's
	l := d.start(reactor.Config{})
	k := echoers(t, reactor.Options{OnEnd: ended.add})
	s, _ := adopt(d, l, k, struct{}{})
	d.Do(func() { s.Room = 0 })
	s.PeerSends("hello")
	d.Advance(9 * time.Second)
	s.PeerHangsUp()
	s.PeerTakes(100)
	if got := s.Written(); got != "hello" {
		t.Errorf("%q was sent after the end of input", got)
	}
}

// A datagram is not cut for lack of Buffers, as the rest would be lost: its machine waits.
func TestDatagramsAreNotCut(t *testing.T) {
	log := &journal{}
	d, l, hog := full(t, 200*kib, 56*kib, log)
	peer := d.NewSocket()
	d.Do(func() { peer.Traits = driver.Datagram })
	k := readers(t, reactor.Options{}, reactor.Port(0).Readable())
	if _, err := k.Adopt(l, peer.Conn(), reader{log: log, do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
		b, err := cx.Peek(0)
		if err == nil {
			r.log.add(fmt.Sprint(len(b)))
			cx.Discard(0, len(b))
		}
		return cx.Fail(err)
	}}); err != nil {
		t.Fatal(err)
	}
	peer.PeerSends(bytesOf(20*kib), bytesOf(10), bytesOf(9*kib))
	log.want(t, "")
	hog.peersTake(4 * kib)
	log.want(t, "")
	hog.peersTake(4 * kib)
	log.want(t, "20480 10 9216")
}
