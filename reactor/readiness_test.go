package reactor_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
	"github.com/stator-go/stator/reactor/poll"
)

// When OnReady is called, and what it sees.

// reader does on readiness what its function says.
type reader struct {
	do  func(r *reader, cx *read, what reactor.Ready) reactor.State
	log *journal
}

type read = reactor.Context[reactor.State]

func (r *reader) ready(cx *read, what reactor.Ready) reactor.State {
	return r.do(r, cx, what)
}

func (r *reader) onMessage(_ *read, to *reactor.State) reactor.State { return *to }

// readers makes a kind that waits for the same in two states.
func readers(t testing.TB, o reactor.Options, wait reactor.Ready) *reactor.Kind[reader, reactor.State] {
	if o.Ports == nil {
		o.Ports = []string{"peer"}
	}
	return kind(t, "reader", o, reactor.Table[reader, reactor.State]{
		fsm.Any: {Wait: wait, OnReady: (*reader).ready, OnMessage: (*reader).onMessage},
		idle:    {Name: "idle", Within: fsm.Never, To: fsm.To(busy)},
		busy:    {Name: "busy", Within: fsm.Never, To: fsm.To(idle)},
	})
}

// takeLine consumes one whole line.
func takeLine(r *reader, cx *read, _ reactor.Ready) reactor.State {
	b, err := cx.Peek(0)
	if err != nil {
		r.log.add(fmt.Sprint(err))
		return cx.Fail(err)
	}
	i := strings.IndexByte(string(b), '\n')
	if i < 0 {
		r.log.add("part")
		return fsm.Stay
	}
	r.log.add(string(b[:i]))
	cx.Discard(0, i+1)
	return fsm.Stay
}

func TestPipelinedInputIsServedOneAtATime(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{})
	s, _ := adopt(d, l, readers(t, reactor.Options{OnEnd: ended.add}, reactor.Port(0).Readable()), reader{do: takeLine, log: log})
	log.take()
	s.PeerSends("a\nb\nc\nd")
	log.want(t, "a b c part")
	s.PeerSends("\n")
	log.want(t, "d would block") // the kernel may have more until a read says no
	s.PeerSends("e")
	s.PeerHangsUp()
	log.want(t, "part would block unexpected EOF")
	if err := ended.next(t); err != io.ErrUnexpectedEOF {
		t.Errorf("got reason %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

// More than Config.Steps requests in one piece take several turns. All are served, and
// another machine is served between.
func TestStepsAreBudgetAndNotLimit(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{Steps: 3})
	k := readers(t, reactor.Options{}, reactor.Port(0).Readable())
	s, _ := adopt(d, l, k, reader{do: takeLine, log: log})
	other, _ := adopt(d, l, k, reader{do: takeLine, log: log})
	log.take()
	d.Do(func() {
		s.In = [][]byte{[]byte("1\n2\n3\n4\n5\n6\n7\n")}
		s.Event(poll.Readable)
		other.In = [][]byte{[]byte("x\n")}
		other.Event(poll.Readable)
	})
	log.want(t, "1 2 3 x would block 4 5 6 7")
}

// A handler that reads one byte per call gets all bytes.
func TestOneByteACallWorks(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := readers(t, reactor.Options{}, reactor.Port(0).Readable())
	s, _ := adopt(d, l, k, reader{log: log, do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
		var b [1]byte
		n, err := cx.Read(0, b[:])
		if n > 0 {
			r.log.add(string(b[:n]))
		}
		return cx.Fail(err)
	}})
	text := strings.Repeat("x", 100)
	s.PeerSends(text, "yz")
	if got := strings.ReplaceAll(log.take(), " ", ""); got != text+"yz" {
		t.Errorf("got input %q, want %q", got, text+"yz")
	}
}

// A handler that reads nothing is called once for each new event and each new state.
func TestHandlerThatDeclinesDoesNotSpin(t *testing.T) {
	decline := func(r *reader, cx *read, _ reactor.Ready) reactor.State { r.log.add("called"); return fsm.Stay }
	look := func(r *reader, cx *read, _ reactor.Ready) reactor.State {
		_, err := cx.Peek(0)
		if err == nil {
			r.log.add("called")
		}
		return cx.Fail(err)
	}
	for name, do := range map[string]func(*reader, *read, reactor.Ready) reactor.State{"decline": decline, "look": look} {
		d, log := newFake(t), &journal{}
		l := d.start(reactor.Config{})
		s, ref := adopt(d, l, readers(t, reactor.Options{}, reactor.Port(0).Readable()), reader{do: do, log: log})
		log.take()
		before := stats(t, l).Turns
		for _, piece := range []string{"a", "b"} {
			s.PeerSends(piece)
			if got := log.take(); got != "called" {
				t.Errorf("%s, new input: got calls %q, want one", name, got)
			}
		}
		d.send(ref, busy)
		if got := log.take(); got != "called" {
			t.Errorf("%s, another state: got calls %q, want one", name, got)
		}
		d.send(ref, busy)
		if got := log.take(); got != "called" {
			t.Errorf("%s, a transition to the same state: got calls %q, want one", name, got)
		}
		if n := stats(t, l).Turns - before; n != 5 {
			t.Errorf("%s: got %d turns, want 5: two inputs, two messages and Stats", name, n)
		}
	}
}

// A handler that passes to row Any's handler is called again under the same rule.
func TestPassDoesNotSpin(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := kind(t, "passer", reactor.Options{Ports: []string{"peer"}}, reactor.Table[reader, reactor.None]{
		fsm.Any: {OnReady: func(r *reader, cx *reactor.Context[reactor.None], _ reactor.Ready) reactor.State {
			r.log.add("any")
			return fsm.Stay
		}},
		idle: {Name: "idle", Within: fsm.Never, Wait: reactor.Port(0).Readable(), Fail: fsm.Stop,
			OnReady: func(*reader, *reactor.Context[reactor.None], reactor.Ready) reactor.State { return fsm.Pass }},
	})
	s, _ := adopt(d, l, k, reader{log: log})
	log.take()
	s.PeerSends("a")
	log.want(t, "any")
}

// A machine of two states that lead to each other for ever, without a byte, ends.
func TestSpinEndsTheMachine(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l := d.start(reactor.Config{})
	circle := func(r *reader, cx *read, _ reactor.Ready) reactor.State { return idle + busy - cx.State() }
	s, _ := adopt(d, l, readers(t, reactor.Options{OnEnd: ended.add}, reactor.Port(0).Writable()), reader{do: circle})
	d.Settle()
	if err := ended.next(t); !errors.Is(err, reactor.ErrSpin) {
		t.Errorf("got reason %v, want ErrSpin", err)
	}
	if !s.Closed() {
		t.Error("its port: got it open, want it closed")
	}
}

// A state that a deadline enters again and again is no spin: time passes.
func TestTickingStateIsNoSpin(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{})
	k := kind(t, "ticker", reactor.Options{OnEnd: ended.add}, reactor.Table[walker, reactor.None]{
		fsm.Any: {},
		idle: {Name: "idle", Within: fsm.After(time.Second, idle), Fail: fsm.Stop, Shutdown: fsm.Stop,
			OnEnter: func(w *walker, _ *reactor.Context[reactor.None]) reactor.State { w.log.add("tick"); return fsm.Stay }},
	})
	spawn(t, l, k, walker{log: log})
	for range 200 {
		d.Advance(time.Second)
	}
	ended.none(t)
	if n := strings.Count(log.take(), "tick"); n != 201 {
		t.Errorf("got %d entries of a state of 1 s in 200 s, want 201", n)
	}
}

// The next state sees input that the last one left, without an event.
func TestTransitionShowsLeftoversAgain(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	s, _ := adopt(d, l, readers(t, reactor.Options{}, reactor.Port(0).Readable()), reader{log: log,
		do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
			b, err := cx.Peek(0)
			if err != nil {
				return cx.Fail(err)
			}
			r.log.add(fmt.Sprintf("%d:%s", cx.State(), b))
			if cx.State() == idle {
				return busy
			}
			return fsm.Stay
		}})
	log.take()
	s.PeerSends("abc")
	log.want(t, "1:abc 2:abc")
}

// A handler sees the end of the input after the rest of it, also if both were there when
// its state was entered.
func TestEndIsToldBehindLeftovers(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{})
	s, _ := adopt(d, l, readers(t, reactor.Options{OnEnd: ended.add}, reactor.Port(0).Readable()), reader{log: log,
		do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
			b, err := cx.Peek(0)
			if err != nil {
				r.log.add(fmt.Sprint(err))
				return cx.Fail(err)
			}
			r.log.add(string(b))
			if cx.State() == idle {
				return busy
			}
			if len(b) > 1 {
				cx.Discard(0, 1)
			}
			return fsm.Stay
		}})
	log.take()
	d.Do(func() { s.In = [][]byte{[]byte("abc")}; s.EOF = true; s.Event(poll.Readable | poll.ReadClosed) })
	log.want(t, "abc abc bc c unexpected EOF")
	if err := ended.next(t); err != io.ErrUnexpectedEOF {
		t.Errorf("got reason %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

// relayTo copies port 0 to port 1, and reads only while there is room.
func relayTo(t *testing.T, d *fake, l *reactor.Loop, outbox int, log *journal) (from, to *fakedriver.Socket) {
	t.Helper()
	const in, out = reactor.Port(0), reactor.Port(1)
	k := readers(t, reactor.Options{Ports: []string{"in", "out"}, WriteBuffer: outbox}, in.Readable().While(out.Room()))
	to = d.NewSocket()
	from, _ = adopt(d, l, k, reader{log: log, do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
		if cx.Err(out) == reactor.ErrClosed {
			if err := cx.Adopt(out, to.Conn()); err != nil {
				return cx.Stop(err)
			}
		}
		b, err := cx.Peek(in)
		if err != nil {
			return cx.Fail(err)
		}
		if err := cx.Write(out, b); err != nil {
			r.log.add(fmt.Sprint(err))
			return fsm.Stay
		}
		cx.Discard(in, len(b))
		return fsm.Stay
	}})
	return from, to
}

// A closed gate Room stops reading until the output has moved.
func TestRoomHoldsReadingBack(t *testing.T) {
	d, log := newFake(t), &journal{}
	from, to := relayTo(t, d, d.start(reactor.Config{}), 100, log)
	d.Do(func() { to.Room = 0 })
	from.PeerSends(strings.Repeat("a", 40), strings.Repeat("b", 40), strings.Repeat("c", 40))
	if left := from.Unread(); left != 1 {
		t.Errorf("got %d pieces unread with 80 of 100 bytes buffered, want 1, as the gate closes at 50", left)
	}
	to.PeerTakes(1000)
	if got, want := to.Written(), strings.Repeat("a", 40)+strings.Repeat("b", 40)+strings.Repeat("c", 40); got != want {
		t.Errorf("got %q relayed, want %q", got, want)
	}
	log.want(t, "")
}

// A write closes the gate, and the flush opens it before the loop looks again.
func TestGateThatClosesAndReopensBetweenTwoLooks(t *testing.T) {
	d, log := newFake(t), &journal{}
	from, to := relayTo(t, d, d.start(reactor.Config{}), 100, log)
	pieces := make([]string, 20)
	for i := range pieces {
		pieces[i] = strings.Repeat("x", 60)
	}
	from.PeerSends(pieces...)
	if got := to.Written(); len(got) != 20*60 {
		t.Errorf("got %d bytes relayed, want %d", len(got), 20*60)
	}
	log.want(t, "")
}

// A Write is refused while the kernel has room, as the bytes are not sent yet. No event
// will come, as the kernel never was full: the machine is called again without one.
func TestRefusalWithRoomInTheKernel(t *testing.T) { repeatRefused(t, math.MaxInt) }

// A machine that left its input, as there was no room for the reply, is called again
// when there is room, also if its row names no gate.
func TestRefusalWithoutAGate(t *testing.T) { repeatRefused(t, 30) }

func repeatRefused(t *testing.T, room int) {
	t.Helper()
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	lines := 0
	s, _ := adopt(d, l, readers(t, reactor.Options{WriteBuffer: 100}, reactor.Port(0).Readable()), reader{log: log,
		do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
			if _, err := cx.Peek(0); err != nil {
				return cx.Fail(err)
			}
			if err := cx.Write(0, make([]byte, 60)); err != nil {
				return fsm.Stay // no room
			}
			cx.Discard(0, 1)
			lines++
			return fsm.Stay
		}})
	d.Do(func() { s.Room = room })
	s.PeerSends("123456789")
	for range 20 {
		if room != math.MaxInt {
			s.PeerTakes(30)
		}
	}
	if got := len(s.Written()); lines != 9 || got != 9*60 {
		t.Errorf("got %d replies of %d bytes in all, want 9 of %d", lines, got, 9*60)
	}
}

// A handler whose Copy found no room is called again when there is room, also if it has
// seen the input before.
func TestCopyOfWhatWasSeen(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	const in, out = reactor.Port(0), reactor.Port(1)
	to := d.NewSocket()
	to.Room = 0
	k := readers(t, reactor.Options{Ports: []string{"in", "out"}, WriteBuffer: 100}, in.Readable())
	from, _ := adopt(d, l, k, reader{log: log, do: func(_ *reader, cx *read, _ reactor.Ready) reactor.State {
		if cx.Err(out) == reactor.ErrClosed {
			return cx.Fail(errors.Join(cx.Adopt(out, to.Conn()), cx.Write(out, make([]byte, 100))))
		}
		if _, err := cx.Peek(in); err != nil {
			return cx.Fail(err)
		}
		_, err := cx.Copy(out, in)
		return cx.Fail(err)
	}})
	from.PeerSends("hello")
	to.PeerTakes(1000)
	if got, want := to.Written(), strings.Repeat("\x00", 100)+"hello"; got != want {
		t.Errorf("got %q relayed, want %q", got, want)
	}
}
