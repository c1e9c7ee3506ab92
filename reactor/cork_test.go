package reactor_test

import (
	"errors"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
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
