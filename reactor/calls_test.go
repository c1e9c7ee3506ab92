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
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// When Ready is called, and what it is shown.

// reader answers to readiness as its function says; calls counts.
type reader struct {
	do    func(r *reader, cx *read, what reactor.Ready) reactor.State
	log   *journal
	calls int
}

type read = reactor.Context[reactor.State]

func (r *reader) ready(cx *read, what reactor.Ready) reactor.State {
	r.calls++
	return r.do(r, cx, what)
}

func (r *reader) told(_ *read, to *reactor.State) reactor.State { return *to }

// readers wait for the same in two states.
func readers(t testing.TB, o reactor.Options, wait reactor.Ready) *reactor.Kind[reader, reactor.State] {
	if o.Ports == nil {
		o.Ports = []string{"peer"}
	}
	return kind(t, "reader", o, reactor.Table[reader, reactor.State]{
		fsm.Any: {Wait: wait, OnReady: (*reader).ready, OnMessage: (*reader).told},
		idle:    {Name: "idle", Within: fsm.Never, To: fsm.To(busy)},
		busy:    {Name: "busy", Within: fsm.Never, To: fsm.To(idle)},
	})
}

// takeLine consumes one line, and none that is not whole.
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
	s, _ := adopt(d, l, readers(t, reactor.Options{OnEnd: ended.told}, reactor.Port(0).Readable()), reader{do: takeLine, log: log})
	log.take()
	s.sends("a\nb\nc\nd")
	// d is looked at, and again with what the kernel says then: nothing.
	if got := log.take(); !strings.HasPrefix(got, "a b c part") {
		t.Errorf("happened: %q", got)
	}
	s.sends("\n")
	if got := log.take(); !strings.HasPrefix(got, "d") {
		t.Errorf("happened: %q", got)
	}
	s.sends("e")
	s.hangsUp()
	if got := log.take(); !strings.HasSuffix(got, io.ErrUnexpectedEOF.Error()) {
		t.Errorf("happened: %q, want it to end with an unexpected EOF", got)
	}
	if err := ended.next(t); err != io.ErrUnexpectedEOF {
		t.Errorf("reason %v", err)
	}
}

// More than Config.Steps requests in one piece take several turns, and all are served.
func TestStepsAreBudgetAndNotLimit(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{Steps: 3})
	k := readers(t, reactor.Options{}, reactor.Port(0).Readable())
	s, _ := adopt(d, l, k, reader{do: takeLine, log: log})
	other, _ := adopt(d, l, k, reader{do: takeLine, log: log})
	log.take()
	d.mu.Lock()
	other.in = [][]byte{[]byte("x\n")}
	other.event(poll.Readable)
	d.mu.Unlock()
	s.sends("1\n2\n3\n4\n5\n6\n7\n")
	got := strings.ReplaceAll(log.take(), "would block", "")
	if want := "1 2 3"; strings.Count(got, "x") != 1 || !strings.Contains(got, want) || !strings.Contains(got, "7") {
		t.Errorf("happened: %q", got)
	}
	if strings.Index(got, "x") > strings.Index(got, "7") {
		t.Errorf("the other machine came last: %q", got)
	}
}

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
	s.sends(text, "yz")
	if got := strings.ReplaceAll(log.take(), " ", ""); got != text+"yz" {
		t.Errorf("read %q", got)
	}
}

// A handler that takes nothing is called once for each thing that is new.
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
		for _, piece := range []string{"a", "b"} {
			s.sends(piece)
			if got := log.take(); got != "called" {
				t.Errorf("%s: new input: %q, want one call", name, got)
			}
		}
		d.send(ref, busy)
		if got := log.take(); got != "called" {
			t.Errorf("%s: another state: %q, want one call", name, got)
		}
		d.send(ref, busy)
		if got := log.take(); got != "called" {
			t.Errorf("%s: the same state, named: %q, want one call", name, got)
		}
		if n := stats(t, l).Turns; n > 60 {
			t.Errorf("%s: %d turns: the loop spins", name, n)
		}
	}
}

// A row's handler that passes to row Any's follows the same rule.
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
	s.sends("a")
	log.want(t, "any")
}

// Two states that lead to each other for ever, without a byte.
func TestSpinEndsTheMachine(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l := d.start(reactor.Config{})
	circle := func(r *reader, cx *read, _ reactor.Ready) reactor.State { return idle + busy - cx.State() }
	s, _ := adopt(d, l, readers(t, reactor.Options{OnEnd: ended.told}, reactor.Port(0).Writable()), reader{do: circle})
	d.settle()
	if err := ended.next(t); !errors.Is(err, reactor.ErrSpin) {
		t.Errorf("ended with %v, want ErrSpin", err)
	}
	if !s.isClosed() {
		t.Error("its port is open")
	}
}

// A state that a deadline enters again and again is no circle: time passes.
func TestTickingStateIsNoSpin(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{})
	k := kind(t, "ticker", reactor.Options{OnEnd: ended.told}, reactor.Table[walker, reactor.None]{
		fsm.Any: {},
		idle: {Name: "idle", Within: fsm.After(time.Second, idle), Fail: fsm.Stop, Shutdown: fsm.Stop,
			OnEnter: func(w *walker, _ *reactor.Context[reactor.None]) reactor.State { w.log.add("tick"); return fsm.Stay }},
	})
	spawn(t, l, k, walker{log: log})
	for range 200 {
		d.advance(time.Second)
	}
	ended.none(t)
	if n := strings.Count(log.take(), "tick"); n < 190 || n > 201 {
		t.Errorf("%d ticks in 200 s", n)
	}
}

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
	s.sends("abc")
	log.want(t, "1:abc 2:abc")
}

// The end is told, also when the state was entered with the input and its end there.
func TestEndIsToldBehindLeftovers(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{})
	s, _ := adopt(d, l, readers(t, reactor.Options{OnEnd: ended.told}, reactor.Port(0).Readable()), reader{log: log,
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
	d.do(func() { s.in = [][]byte{[]byte("abc")}; s.end = true; s.event(poll.Readable | poll.ReadClosed) })
	log.want(t, "abc abc bc c unexpected EOF")
	if err := ended.next(t); err != io.ErrUnexpectedEOF {
		t.Errorf("reason %v", err)
	}
}

// relayTo copies port 0 to port 1, and reads only while there is room.
func relayTo(t *testing.T, d *fake, l *reactor.Loop, outbox int, log *journal) (from, to *fakeSock) {
	t.Helper()
	const in, out = reactor.Port(0), reactor.Port(1)
	k := readers(t, reactor.Options{Ports: []string{"in", "out"}, WriteBuffer: outbox}, in.Readable().While(out.Room()))
	to = d.sock()
	from, _ = adopt(d, l, k, reader{log: log, do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
		if cx.Err(out) == reactor.ErrClosed {
			if err := cx.Adopt(out, fakeConn{to}); err != nil {
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

func TestRoomHoldsReadingBack(t *testing.T) {
	d, log := newFake(t), &journal{}
	from, to := relayTo(t, d, d.start(reactor.Config{}), 100, log)
	d.do(func() { to.room = 0 })
	from.sends(strings.Repeat("a", 40), strings.Repeat("b", 40), strings.Repeat("c", 40))
	d.mu.Lock()
	left := len(from.in)
	d.mu.Unlock()
	if left != 1 {
		t.Errorf("%d pieces are unread with 80 of 100 bytes held, want 1: the gate closes at 50", left)
	}
	to.takes(1000)
	if got := to.got(); got != strings.Repeat("a", 40)+strings.Repeat("b", 40)+strings.Repeat("c", 40) {
		t.Errorf("relayed %q", got)
	}
	log.want(t, "")
}

// What is written closes the gate, and is sent before the loop looks again.
func TestGateThatClosesAndReopensBetweenTwoLooks(t *testing.T) {
	d, log := newFake(t), &journal{}
	from, to := relayTo(t, d, d.start(reactor.Config{}), 100, log)
	pieces := make([]string, 20)
	for i := range pieces {
		pieces[i] = strings.Repeat("x", 60)
	}
	from.sends(pieces...)
	if got := to.got(); len(got) != 20*60 {
		t.Errorf("relayed %d bytes of %d", len(got), 20*60)
	}
	log.want(t, "")
}

// A Write that is refused while only the cork is full must not wait for an event
// that can't come: the kernel never said that it has no room.
func TestRefusalWithRoomInTheKernel(t *testing.T) { refusal(t, math.MaxInt) }

// One that looked at its input, found no room for the answer and waits is shown it
// again when there is, though its row names no gate.
func TestRefusalWithoutAGate(t *testing.T) { refusal(t, 30) }

func refusal(t *testing.T, room int) {
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
				return fsm.Stay // no room: wait
			}
			cx.Discard(0, 1)
			lines++
			return fsm.Stay
		}})
	d.do(func() { s.room = room })
	s.sends("123456789")
	for range 20 {
		if room != math.MaxInt {
			s.takes(30)
		}
	}
	if got := len(s.got()); lines != 9 || got != 9*60 {
		t.Errorf("%d of 9 requests were answered, with %d bytes of %d", lines, got, 9*60)
	}
}

// Two ports closed and dialled within one batch: events of the old one are nobody's.
func TestEventsOfAClosedPort(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	var second *fakeSock
	d.onDial = func(s *fakeSock, _ driver.Addr) (driver.Flow, error) { second = s; return driver.WriteBlocked, nil }
	s, _ := adopt(d, l, readers(t, reactor.Options{}, reactor.Port(0).Readable()), reader{log: log,
		do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
			var b [16]byte
			n, err := cx.Read(0, b[:])
			if n > 0 {
				r.log.add(string(b[:n]))
				if string(b[:n]) == "again" {
					cx.Close(0)
					if err := cx.Dial(0, "tcp", "127.0.0.1:1"); err != nil {
						return cx.Stop(err)
					}
				}
			}
			return cx.Fail(err)
		}})
	before := stats(t, l).Stale
	s.sends("again")
	d.do(func() { s.event(poll.Readable | poll.Writable | poll.ReadClosed) })
	log.want(t, "again")
	if n := stats(t, l).Stale - before; n != 1 {
		t.Errorf("%d stale events counted, want 1", n)
	}
	d.do(func() { second.in = [][]byte{[]byte("hello")}; second.event(poll.Writable) })
	log.want(t, "hello")
}

// A port's error stays its own, however many others broke before and behind it.
func TestErrorsOfManyPorts(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := kind(t, "broken", reactor.Options{Ports: []string{"peer"}}, reactor.Table[reader, reactor.State]{
		fsm.Any: {OnMessage: func(r *reader, cx *read, to *reactor.State) reactor.State {
			r.log.add(fmt.Sprint(cx.Err(0)))
			return *to
		}},
		idle: {Name: "idle", Within: fsm.Never, Wait: reactor.Port(0).Readable(), OnReady: func(_ *reader, cx *read, _ reactor.Ready) reactor.State {
			var b [1]byte
			cx.Read(0, b[:])
			return fsm.Stay
		}},
	})
	breaks := func(why string) reactor.Ref[reactor.State] {
		s, ref := adopt(d, l, k, reader{log: log})
		d.do(func() {
			s.err = errors.New(why)
			s.event(poll.Readable)
		})
		return ref
	}
	for i := range 300 {
		d.send(breaks(fmt.Sprint("error", i)), fsm.Stop)
	}
	log.take()
	one, two := breaks("one"), breaks("two")
	d.send(one, fsm.Stay)
	d.send(two, fsm.Stay)
	log.want(t, "one two")
}

// The error of a write that the handler was answered is not told by the loop as well,
// though what an earlier write left in the cork has met it first.
func TestErrorOfAWriteIsToldOnce(t *testing.T) {
	for name, write := range map[string]func(*read) error{
		"too long to copy":      func(cx *read) error { return cx.Write(0, make([]byte, 16*kib)) },
		"more than is gathered": func(cx *read) error { return cx.Write(0, make([]byte, 64*kib)) },
		"raw":                   func(cx *read) error { return second(cx.WriteSome(0, []byte("y"))) },
	} {
		t.Run(name, func(t *testing.T) {
			d, log, ended := newFake(t), &journal{}, newEnds()
			l := d.start(reactor.Config{})
			k := kind(t, "writer", reactor.Options{Ports: []string{"peer"}, OnEnd: ended.told}, reactor.Table[reader, reactor.State]{
				fsm.Any: {},
				idle: {Name: "idle", Within: fsm.Never, Fail: busy, OnMessage: func(_ *reader, cx *read, _ *reactor.State) reactor.State {
					if err := cx.Write(0, []byte("x")); err != nil {
						t.Errorf("what is gathered has an error: %v", err)
					}
					return cx.Fail(write(cx))
				}},
				busy: {Name: "busy", Within: fsm.Never, Fail: fsm.Stop, OnEnter: func(_ *reader, cx *read) reactor.State {
					log.add(cx.Cause().Error())
					return fsm.Stay
				}},
			})
			s, ref := adopt(d, l, k, reader{log: log})
			d.do(func() { s.err = errors.New("reset") })
			d.send(ref, fsm.Stay)
			log.want(t, "reset")
			ended.none(t)
		})
	}
}

// Copy that finds no room is called again when there is, with input that the handler
// has looked at.
func TestCopyOfWhatWasSeen(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	const in, out = reactor.Port(0), reactor.Port(1)
	to := d.sock()
	to.room = 0
	k := readers(t, reactor.Options{Ports: []string{"in", "out"}, WriteBuffer: 100}, in.Readable())
	from, _ := adopt(d, l, k, reader{log: log, do: func(_ *reader, cx *read, _ reactor.Ready) reactor.State {
		if cx.Err(out) == reactor.ErrClosed {
			return cx.Fail(errors.Join(cx.Adopt(out, fakeConn{to}), cx.Write(out, make([]byte, 100))))
		}
		if _, err := cx.Peek(in); err != nil {
			return cx.Fail(err)
		}
		_, err := cx.Copy(out, in)
		return cx.Fail(err)
	}})
	from.sends("hello")
	to.takes(1000)
	if got := to.got(); len(got) != 105 || got[100:] != "hello" {
		t.Errorf("%d bytes were relayed: %q", len(got), got)
	}
}
