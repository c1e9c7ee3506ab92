package reactor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
)

const talks reactor.Port = 0

// wordy writes more than half of its write buffer for each byte that it reads, and
// does nothing for the other readiness that it waits for.
type wordy struct{}

func (*wordy) ready(cx *reactor.Context[reactor.None], r reactor.Ready) reactor.State {
	if !r.Has(talks.Readable()) {
		return fsm.Stay
	}
	if _, err := cx.Peek(talks); err != nil {
		return cx.Fail(err)
	}
	cx.Discard(talks, 1)
	return cx.Fail(cx.Write(talks, make([]byte, 250)))
}

// A gate that the flush at a turn's end opens causes a call, even of a machine whose
// last call, for something else, made no progress.
func TestFlushOpensGateOfIdleCall(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	k := kind(t, "wordy", reactor.Options{Ports: []string{"peer"}, WriteBuffer: 300}, reactor.Table[wordy, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "talking", Idle: fsm.Never, Wait: talks.Readable().While(talks.Room()) | talks.Opened(), OnReady: (*wordy).ready}})
	s, _ := adopt(d, l, k, wordy{})
	s.PeerSends("abc")
	if got := len(s.Written()); got != 750 {
		t.Errorf("got %d bytes written for 3 read, want 750", got)
	}
}

// If a write returns an error to its handler, the loop does not report the error once
// more, even if bytes of an earlier write met it first.
func TestErrorOfAWriteIsToldOnce(t *testing.T) {
	for name, write := range map[string]func(*read) error{
		"too long to copy":      func(cx *read) error { return cx.Write(0, make([]byte, 16*kib)) },
		"more than is gathered": func(cx *read) error { return cx.Write(0, make([]byte, 64*kib)) },
		"raw":                   func(cx *read) error { return second(cx.WriteSome(0, []byte("y"))) },
	} {
		t.Run(name, func(t *testing.T) {
			d, log, ended := newFake(t), &journal{}, newEnds()
			l := d.start(reactor.Config{})
			k := kind(t, "writer", reactor.Options{Ports: []string{"peer"}, OnEnd: ended.add}, reactor.Table[reader, reactor.State]{
				fsm.Any: {},
				idle: {Name: "idle", Within: fsm.Never, Fail: busy, OnMessage: func(_ *reader, cx *read, _ *reactor.State) reactor.State {
					if err := cx.Write(0, []byte("x")); err != nil {
						t.Errorf("a short Write: got %v, want no error, as it is not sent yet", err)
					}
					return cx.Fail(write(cx))
				}},
				busy: {Name: "busy", Within: fsm.Never, Fail: fsm.Stop, OnEnter: func(_ *reader, cx *read) reactor.State {
					log.add(cx.Cause().Error())
					return fsm.Stay
				}},
			})
			s, ref := adopt(d, l, k, reader{log: log})
			d.Do(func() { s.Err = errors.New("reset") })
			d.send(ref, fsm.Stay)
			log.want(t, "reset")
			ended.none(t)
		})
	}
}

// told writes each message to its port.
type told struct{}

func toldKind(t testing.TB, opt reactor.Options) *reactor.Kind[told, string] {
	opt.Ports = []string{"peer"}
	return kind(t, "told", opt, reactor.Table[told, string]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "writing", Within: fsm.Never, Stall: fsm.After(time.Minute, fsm.Stop), OnMessage: func(_ *told, cx *reactor.Context[string], m *string) reactor.State {
			if *m == "panic" {
				panic(*m)
			}
			return cx.Fail(cx.Write(0, []byte(*m)))
		}}})
}

// What many machines write for the messages of a turn is one call for each of them.
func TestMessagesOfATurnAreOneSend(t *testing.T) {
	const machines, messages = 10, 20
	d := newFake(t)
	l := d.start(reactor.Config{})
	k := toldKind(t, reactor.Options{})
	var sockets []*fakedriver.Socket
	var refs []reactor.Ref[string]
	for range machines {
		s, ref := adopt(d, l, k, told{})
		sockets, refs = append(sockets, s), append(refs, ref)
	}
	want := ""
	d.AtOnce(func() {
		for i := range messages {
			m := fmt.Sprintln("line", i)
			want += m
			for _, ref := range refs {
				if err := ref.Send(m); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for i, s := range sockets {
		if got := s.Written(); got != want || s.Calls != 1 {
			t.Errorf("machine %d: got %q in %d calls, want %q in one", i, got, s.Calls, want)
		}
	}
}

// A write is not refused for lack of room that a send would make: neither of
// Options.WriteBuffer, nor of Config.Buffers, all of which others use in the same turn.
func TestWriteIsNotRefusedForUnsentOutput(t *testing.T) {
	const machines, messages = 10, 20
	for name, c := range map[string]struct {
		buffers, writeBuffer int
	}{
		"WriteBuffer": {0, 256},
		"Buffers":     {8 << 10, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := newFake(t)
			l := d.start(reactor.Config{Buffers: c.buffers})
			k := toldKind(t, reactor.Options{WriteBuffer: c.writeBuffer})
			var sockets []*fakedriver.Socket
			var refs []reactor.Ref[string]
			for range machines {
				s, ref := adopt(d, l, k, told{})
				sockets, refs = append(sockets, s), append(refs, ref)
			}
			m := strings.Repeat("x", 100)
			d.AtOnce(func() {
				for range messages {
					for _, ref := range refs {
						if err := ref.Send(m); err != nil {
							t.Error(err)
						}
					}
				}
			})
			for i, s := range sockets {
				if got := len(s.Written()); got != messages*len(m) {
					t.Errorf("machine %d: got %d bytes, want %d", i, got, messages*len(m))
				}
			}
		})
	}
}

// A panic does not cost other machines what they wrote in the same turn.
func TestPanicKeepsOutputOfOthers(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l := d.start(reactor.Config{})
	k := toldKind(t, reactor.Options{OnEnd: ended.add})
	a, toA := adopt(d, l, k, told{})
	b, toB := adopt(d, l, k, told{})
	c, toC := adopt(d, l, k, told{})
	d.AtOnce(func() {
		toA.Send("a")
		toB.Send("b")
		toB.Send("panic")
		toC.Send("c")
	})
	if got := a.Written() + b.Written() + c.Written(); got != "ac" {
		t.Errorf("got %q written, want %q", got, "ac")
	}
	if !b.Reset() {
		t.Error("got an end for the peer of the machine that panicked, want a reset")
	}
	if err := ended.next(t); !errors.As(err, new(*reactor.PanicError)) {
		t.Errorf("got the end %v, want the panic", err)
	}
	ended.none(t)
}

// Stall begins when output is first held back, not when its turn began: a handler that takes
// long does not shorten it.
func TestStallBeginsWithTheSend(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l := d.start(reactor.Config{})
	k := kind(t, "slow", reactor.Options{Ports: []string{"peer"}, OnEnd: ended.add}, reactor.Table[told, string]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "writing", Within: fsm.Never, Stall: fsm.After(time.Minute, fsm.Stop), OnMessage: func(_ *told, cx *reactor.Context[string], m *string) reactor.State {
			err := cx.Write(0, []byte(*m))
			d.Pass(50 * time.Second)
			return cx.Fail(err)
		}}})
	s, ref := adopt(d, l, k, told{})
	d.Do(func() { s.Room = 0 })
	if err := ref.Send("held"); err != nil {
		t.Fatal(err)
	}
	d.Settle()
	d.Advance(59 * time.Second)
	ended.none(t)
	d.Advance(2 * time.Second)
	if err := ended.next(t); !errors.Is(err, reactor.ErrTimeout) {
		t.Errorf("got the end %v, want ErrTimeout", err)
	}
}
