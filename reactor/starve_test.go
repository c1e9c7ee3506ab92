package reactor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// glutton writes as many bytes as a message says, closes its other port if that is none, and
// does on readiness what its function says.
type glutton struct {
	do  func(cx *glut) error
	log *journal
}

type glut = reactor.Context[int]

func (g *glutton) told(cx *glut, n *int) reactor.State {
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
		{Name: "eating", Fail: fsm.Stop, Within: fsm.Never, Wait: wait, OnReady: (*glutton).ready, OnMessage: (*glutton).told}})
}

const kib = 1 << 10

// never is for machines whose other port is not open.
const never = fsm.Ready(1 << 1)

// hogs hold a chunk of 4 KiB each, until their peers take it.
type hogs struct {
	socks []*fakeSock
	taken int
}

// takes has the peers take n more bytes, each all of its own before the next one begins.
func (h *hogs) takes(n int) {
	for ; n > 0 && h.taken < len(h.socks)*4*kib; n -= kib {
		h.socks[h.taken/(4*kib)].takes(kib)
		h.taken += kib
	}
}

// full is a loop whose Buffers are held, but for what is left, by machines whose peers take
// nothing.
func full(t *testing.T, held, left int, log *journal) (d *fake, l *reactor.Loop, hog *hogs) {
	t.Helper()
	d = newFake(t)
	l = d.start(reactor.Config{Buffers: held + left})
	return d, l, &hogs{socks: d.hold(l, held/(4*kib), log)}
}

func (d *fake) guest(l *reactor.Loop, wait reactor.Ready, g glutton) *fakeSock {
	d.t.Helper()
	s, _ := adopt(d, l, gluttons(d.t, wait), g)
	return s
}

func (d *fake) write(ref reactor.Ref[int], n int) {
	d.t.Helper()
	if err := ref.Send(n); err != nil {
		d.t.Fatal(err)
	}
	d.settle()
}

// answers takes what its function took from port 0 when there is room for an answer
// of so many bytes.
func answers(log *journal, size int) glutton {
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

// Who was refused for want of Buffers goes on when another machine gives them back,
// without an event of its own, and not before.
func TestStarvedMachineIsFed(t *testing.T) {
	const in, out = reactor.Port(0), reactor.Port(1)
	answer := func(cx *glut, log *journal) error { return answers(log, 5*kib).do(cx) }
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
			to := d.sock()
			to.in = [][]byte{[]byte("!")}
			s := d.guest(l, c.wait, glutton{log: log, do: func(cx *glut) error {
				if cx.Err(out) == reactor.ErrClosed {
					return cx.Adopt(out, fakeConn{to})
				}
				return c.do(cx, log)
			}})
			s.sends("hello")
			log.want(t, c.why)
			turns := stats(t, l).Turns
			for range 3 {
				hog.takes(kib)
			}
			log.want(t, "")
			if n := stats(t, l).Turns - turns; n > 8 {
				t.Errorf("%d turns while it waited", n)
			}
			hog.takes(kib)
			log.want(t, "hello")
		})
	}
}

// What comes back is shown to as many as it serves, the oldest first; who is refused
// again waits again.
func TestStarvedMachinesTakeTurns(t *testing.T) {
	log := &journal{}
	d, l, hog := full(t, 40*kib, 60*kib, log)
	for i, size := range []int{14 * kib, 6 * kib, 6 * kib} {
		s := d.guest(l, reactor.Port(0).Readable(), answers(log, size))
		d.do(func() { s.room = 0 })
		s.sends(fmt.Sprint("machine", i))
	}
	log.want(t, "full full full")
	hog.takes(8 * kib)
	log.want(t, "machine1")
	hog.takes(8 * kib) // machine 0 wants four chunks
	log.want(t, "machine2")
	hog.takes(20 * kib)
	log.want(t, "")
	hog.takes(4 * kib)
	log.want(t, "machine0")
}

// The first one's kernel takes all, so the others are served, too.
func TestStarvedMachinesGetWhatIsLeft(t *testing.T) {
	log := &journal{}
	d, l, hog := full(t, 16*kib, 46*kib, log)
	for i := range 4 {
		s := d.guest(l, reactor.Port(0).Readable(), answers(log, 5*kib))
		s.sends(fmt.Sprint("machine", i))
	}
	log.want(t, "full full full full")
	hog.takes(4 * kib)
	log.want(t, "machine0 machine1 machine2 machine3")
}

// An event of its own may make a machine ask for less: that counts from then on.
func TestStarvedMachineAsksForLess(t *testing.T) {
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
	s.sends("a")
	size = 5 * kib
	s.sends("b")
	log.want(t, "full full")
	hog.takes(4 * kib)
	if got := s.got(); len(got) != size {
		t.Errorf("%d bytes were written", len(got))
	}
}

// One that asks for more than there will ever be, and one that has ended, are in
// nobody's way.
func TestStarvedForGood(t *testing.T) {
	log := &journal{}
	d, l, hog := full(t, 16*kib, 44*kib, log)
	wait := reactor.Port(0).Readable()
	greedy := d.guest(l, wait, answers(log, 61*kib))
	greedy.sends("greedy")
	ended := d.guest(l, wait, answers(log, 5*kib))
	ended.sends("ended")
	s := d.guest(l, wait, answers(log, 5*kib))
	s.sends("hello")
	log.want(t, "full full full")
	d.do(func() { ended.err = errors.New("reset"); ended.event(poll.Error) })
	if !ended.isClosed() {
		t.Fatal("a machine whose connection was reset lives on")
	}
	hog.takes(16 * kib)
	log.want(t, "hello")
}

// Bytes that are held count once: a port may fill its share of Buffers, in pieces. Alone, it
// holds as much as is left of half of them.
func TestOutputCountsOnce(t *testing.T) {
	log := &journal{}
	d := newFake(t)
	l := d.start(reactor.Config{Buffers: 256 * kib})
	s, ref := adopt(d, l, gluttons(t, never), glutton{log: log})
	d.do(func() { s.room = 0 })
	for range 8 {
		d.write(ref, 8*kib)
	}
	log.want(t, "")
	d.write(ref, 1)
	log.want(t, "1 reactor: output of glutton: Config.Buffers: full")
	if held := stats(t, l).Held; held != 64*kib {
		t.Errorf("%d bytes are held", held)
	}
	s.takes(128 * kib)
	if got := s.got(); got != strings.Repeat("\x00", 64*kib) {
		t.Errorf("%d bytes came", len(got))
	}
}

// An answer that Buffers will never have room for is refused, and closes no gate: the
// next request is read.
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
	s.sends("a")
	s.sends("b")
	log.want(t, "a full b full")
}

// What is gathered takes Buffers' room until it is sent: it is sent before a write is
// refused for it, as no event would tell that it is out.
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
	if got := len(s.got()); got != 10*kib {
		t.Errorf("%d bytes were written of %d", got, 10*kib)
	}
}
