package reactor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
	"github.com/stator-go/stator/reactor/poll"
)

// glutton writes as many bytes as a message says, or closes its other port if that is 0,
// and does on readiness what its function says. Buffers is Config.Buffers, what all ports
// of a loop may hold.
type glutton struct {
	do  func(cx *glut) error
	log *journal
}

type glut = reactor.Context[int]

func (g *glutton) onMessage(cx *glut, n *int) reactor.State {
	if *n == 0 {
		cx.Close(1)
		return fsm.Stay
	}
	if err := cx.Write(0, make([]byte, *n)); err != nil {
		g.log.add(fmt.Sprint(*n, err))
	}
	return fsm.Stay
}

func (g *glutton) ready(cx *glut, _ reactor.Ready) reactor.State {
	err := g.do(cx)
	if errors.Is(err, reactor.ErrFull) {
		g.log.add("full")
		return fsm.Stay
	}
	return cx.Fail(err)
}

func gluttons(t testing.TB, wait reactor.Ready) *reactor.Kind[glutton, int] {
	return kind(t, "glutton", reactor.Options{Ports: []string{"peer", "other"}}, reactor.Table[glutton, int]{{},
		{Name: "eating", Fail: fsm.Stop, Within: fsm.Never, Wait: wait, OnReady: (*glutton).ready, OnMessage: (*glutton).onMessage}})
}

const kib = 1 << 10

// never is readiness of a port that is not open.
const never = fsm.Ready(1 << 1)

// hogs are machines that hold a chunk of 4 KiB each until their peers take it.
type hogs struct {
	sockets []*fakedriver.Socket
	taken   int
}

// peersTake makes the peers take n more bytes: each takes all of its chunk before the next
// one begins.
func (h *hogs) peersTake(n int) {
	for ; n > 0 && h.taken < len(h.sockets)*4*kib; n -= kib {
		h.sockets[h.taken/(4*kib)].PeerTakes(kib)
		h.taken += kib
	}
}

// full makes a loop with held + left bytes of Buffers, of which machines hold held: their
// peers take nothing.
func full(t *testing.T, held, left int, log *journal) (d *fake, l *reactor.Loop, hog *hogs) {
	t.Helper()
	d = newFake(t)
	l = d.start(reactor.Config{Buffers: held + left})
	return d, l, &hogs{sockets: d.hold(l, held/(4*kib), log)}
}

// guest makes another machine on the loop.
func (d *fake) guest(l *reactor.Loop, wait reactor.Ready, g glutton) *fakedriver.Socket {
	d.t.Helper()
	s, _ := adopt(d, l, gluttons(d.t, wait), g)
	return s
}

// write makes a machine write n bytes.
func (d *fake) write(ref reactor.Ref[int], n int) {
	d.t.Helper()
	if err := ref.Send(n); err != nil {
		d.t.Fatal(err)
	}
	d.Settle()
}

// replies makes a glutton that consumes its input when there is room for a reply of so
// many bytes.
func replies(log *journal, size int) glutton {
	return glutton{log: log, do: func(cx *glut) error {
		b, err := cx.Peek(0)
		if err != nil {
			return err
		}
		if err := cx.Write(0, make([]byte, size)); err != nil {
			return err
		}
		log.add(string(b))
		cx.Discard(0, len(b))
		return nil
	}}
}

// A call that was refused as Buffers were full is repeated when another machine has
// freed enough, without an event of the machine's own, and not before.
func TestBufferWaiterIsWoken(t *testing.T) {
	const in, out = reactor.Port(0), reactor.Port(1)
	answer := func(cx *glut, log *journal) error { return replies(log, 5*kib).do(cx) }
	for _, c := range []struct {
		name string
		left int // of Buffers
		wait reactor.Ready
		do   func(*glut, *journal) error
		why  string
	}{
		{"Write", 44 * kib, in.Readable(), answer, "full"},
		{"Write behind its gate", 44 * kib, in.Readable().While(in.Room()), answer, "full"},
		{"Peek", kib, in.Readable(), func(cx *glut, log *journal) error {
			b, err := cx.Peek(in)
			if err == nil {
				log.add(string(b))
				cx.Discard(in, len(b))
			}
			return err
		}, ""},
		{"Peek of two ports", 2 * kib, in.Readable() | out.Readable(), func(cx *glut, log *journal) error {
			b, err := cx.Peek(in)
			if err != nil {
				return err
			}
			more, err := cx.Peek(out)
			if err == nil {
				log.add(string(b))
				cx.Discard(in, len(b))
				cx.Discard(out, len(more))
			}
			return err
		}, ""},
		{"Copy", 0, in.Readable().While(out.Room()), func(cx *glut, log *journal) error {
			n, err := cx.Copy(out, in)
			if err == nil {
				log.add("hello"[:n])
			}
			return err
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := &journal{}
			d, l, hog := full(t, 16*kib, c.left, log)
			to := d.NewSocket()
			to.In = [][]byte{[]byte("!")}
			s := d.guest(l, c.wait, glutton{log: log, do: func(cx *glut) error {
				if cx.Err(out) == reactor.ErrClosed {
					return cx.Adopt(out, to.Conn())
				}
				return c.do(cx, log)
			}})
			s.PeerSends("hello")
			log.want(t, c.why)
			turns := stats(t, l).Turns
			for range 3 {
				hog.peersTake(kib)
			}
			log.want(t, "")
			if n := stats(t, l).Turns - turns; n != 4 {
				t.Errorf("got %d turns while it waited, want 4: three events and Stats", n)
			}
			hog.peersTake(kib)
			log.want(t, "hello")
		})
	}
}

// Bytes that are freed wake as many waiters as they are enough for, the oldest first. A
// waiter that is refused again waits again.
func TestBufferWaitersAreWokenInOrder(t *testing.T) {
	log := &journal{}
	d, l, hog := full(t, 40*kib, 60*kib, log)
	for i, size := range []int{14 * kib, 6 * kib, 6 * kib} {
		s := d.guest(l, reactor.Port(0).Readable(), replies(log, size))
		d.Do(func() { s.Room = 0 })
		s.PeerSends(fmt.Sprint("machine", i))
	}
	log.want(t, "full full full")
	hog.peersTake(8 * kib)
	log.want(t, "machine1")
	hog.peersTake(8 * kib) // machine 0 needs four chunks
	log.want(t, "machine2")
	hog.peersTake(20 * kib)
	log.want(t, "")
	hog.peersTake(4 * kib)
	log.want(t, "machine0")
}

// The first waiter's peer takes all its output at once, so the same bytes serve the
// others, too.
func TestBufferWaitersShareWhatIsFreed(t *testing.T) {
	log := &journal{}
	d, l, hog := full(t, 16*kib, 46*kib, log)
	for i := range 4 {
		s := d.guest(l, reactor.Port(0).Readable(), replies(log, 5*kib))
		s.PeerSends(fmt.Sprint("machine", i))
	}
	log.want(t, "full full full full")
	hog.peersTake(4 * kib)
	log.want(t, "machine0 machine1 machine2 machine3")
}

// A waiter that is called for an event of its own and asks for less waits for less.
func TestBufferWaiterAsksForLess(t *testing.T) {
	log := &journal{}
	d, l, hog := full(t, 16*kib, 44*kib, log)
	size := 10 * kib
	s := d.guest(l, reactor.Port(0).Readable(), glutton{log: log, do: func(cx *glut) error {
		b, err := cx.Peek(0)
		if err != nil {
			return err
		}
		err = cx.Write(0, make([]byte, size))
		if err == nil {
			cx.Discard(0, len(b))
		}
		return err
	}})
	s.PeerSends("a")
	size = 5 * kib
	s.PeerSends("b")
	log.want(t, "full full")
	hog.peersTake(4 * kib)
	if got := s.Written(); len(got) != size {
		t.Errorf("got %d bytes written, want %d", len(got), size)
	}
}

// A waiter that asks for more than all Buffers, and one that has ended, do not keep
// others from being woken.
func TestBufferWaiterInVain(t *testing.T) {
	log := &journal{}
	d, l, hog := full(t, 16*kib, 44*kib, log)
	wait := reactor.Port(0).Readable()
	greedy := d.guest(l, wait, replies(log, 61*kib))
	greedy.PeerSends("greedy")
	ended := d.guest(l, wait, replies(log, 5*kib))
	ended.PeerSends("ended")
	s := d.guest(l, wait, replies(log, 5*kib))
	s.PeerSends("hello")
	log.want(t, "full full full")
	d.Do(func() { ended.Err = errors.New("reset"); ended.Event(poll.Error) })
	if !ended.Closed() {
		t.Fatal("a machine whose connection was reset: got it alive, want it ended")
	}
	hog.peersTake(16 * kib)
	log.want(t, "ended hello") // what came before the reset was read
}

// Bytes that are held count once: one port may fill its machine's share of Buffers in
// pieces. A machine that is alone may hold as much as is left of half of them.
func TestOutputCountsOnce(t *testing.T) {
	log := &journal{}
	d := newFake(t)
	l := d.start(reactor.Config{Buffers: 256 * kib})
	s, ref := adopt(d, l, gluttons(t, never), glutton{log: log})
	d.Do(func() { s.Room = 0 })
	for range 8 {
		d.write(ref, 8*kib)
	}
	log.want(t, "")
	d.write(ref, 1)
	log.want(t, "1 reactor: output of glutton: Config.Buffers: full")
	if held := stats(t, l).Held; held != 64*kib {
		t.Errorf("got %d bytes held, want %d", held, 64*kib)
	}
	s.PeerTakes(128 * kib)
	if got := s.Written(); got != strings.Repeat("\x00", 64*kib) {
		t.Errorf("got %d bytes written, want %d", len(got), 64*kib)
	}
}

// A reply that is larger than all Buffers is refused, and closes no gate: the next
// request is read.
func TestMoreThanBuffersClosesNoGate(t *testing.T) {
	log := &journal{}
	d := newFake(t)
	l := d.start(reactor.Config{Buffers: 8 * kib})
	s := d.guest(l, reactor.Port(0).Readable().While(reactor.Port(0).Room()), glutton{log: log, do: func(cx *glut) error {
		b, err := cx.Peek(0)
		if err != nil {
			return err
		}
		log.add(string(b))
		cx.Discard(0, len(b))
		return cx.Write(0, make([]byte, 10*kib))
	}})
	s.PeerSends("a")
	s.PeerSends("b")
	log.want(t, "a full b full")
}

// Bytes that are not sent yet count as held. They are sent before a write is refused for
// them, as no event would follow.
func TestBuffersAreNotRefusedForWhatIsGathered(t *testing.T) {
	log := &journal{}
	d := newFake(t)
	l := d.start(reactor.Config{Buffers: 8 * kib})
	s, ref := adopt(d, l, kind(t, "writer", reactor.Options{Ports: []string{"peer"}}, reactor.Table[glutton, int]{
		fsm.Any: {Shutdown: fsm.Stop},
		idle: {Name: "idle", Within: fsm.Never, OnMessage: func(_ *glutton, cx *glut, n *int) reactor.State {
			return cx.Fail(errors.Join(cx.Write(0, make([]byte, *n)), cx.Write(0, make([]byte, *n))))
		}},
	}), glutton{log: log})
	d.write(ref, 5*kib)
	if got := len(s.Written()); got != 10*kib {
		t.Errorf("got %d bytes written, want %d", got, 10*kib)
	}
}
