package fuzz

import (
	"errors"
	"strings"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// A peer acts between two calls that a machine makes in one turn.
func TestAbrupt(t *testing.T) {
	var errs []error
	k := reactor.Must(reactor.NewKind("twice", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "reading", Wait: peer.Readable(), Idle: fsm.After(1e9, fsm.Stop), OnReady: func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
			var b [100]byte
			for {
				if _, err := cx.WriteSome(peer, []byte("x")); err != nil {
					errs = append(errs, err)
					return fsm.Stop
				}
				n, err := cx.Read(peer, b[:])
				if err != nil {
					errs = append(errs, err)
					return cx.Fail(err)
				}
				errs = append(errs, errors.New(string(b[:n])))
			}
		}}}))
	spec := Spec{Dict: []string{"word", "more"}, Setup: func(w *World) error {
		errs = nil
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}}
	for _, c := range []struct{ trace, want string }{
		{"dial 0\nsend 0 word=0\n", "word|would block|EOF"},
		{"dial 0\nabrupt 0 calls=2 what=2\nsend 0 word=0\n", "word|would block|EOF"},
		{"dial 0\nabrupt 0 calls=1 what=3\nsend 0 word=0\n", "wordword|would block|EOF"},
		{"dial 0\nabrupt 0 calls=3 what=4\nsend 0 word=0\n", "word|would block|more|would block|EOF"},
		{"dial 0\nabrupt 0 calls=3 what=0\nsend 0 word=0\n", "word|connection reset by peer"},
	} {
		tr, err := trace.Parse(c.trace)
		if err != nil {
			t.Fatal(err)
		}
		w := newEngine(spec)
		if f := w.run(tr); f != nil {
			t.Error(f)
		}
		var got []string
		for _, err := range errs[1:] { // the first call is the one at the start
			got = append(got, err.Error())
		}
		if got := strings.Join(got, "|"); got != c.want {
			t.Errorf("%s%s: want %s", c.trace, got, c.want)
		}
	}
}

// What a trace makes scarce is refused, and the machine gets the error.
func TestScarce(t *testing.T) {
	var timers []error
	k := newClockwork(0)
	spec := Spec{Dict: []string{"o", "b", "m"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", clockwork{probe: w.Probe()})
		return err
	}}
	w := newEngine(spec)
	w.begin(trace.Trace{{Op: trace.Scarce, B: 1}})
	defer w.world.Cleanup()
	for _, e := range []trace.Event{{Op: trace.Dial}, {Op: trace.Send}, {Op: trace.Send, A: 1}} {
		w.world.Do(e)
	}
	if stats, err := w.world.Loop(0).Stats(); err != nil || stats.Failed != 1 || len(timers) != 0 {
		t.Errorf("%+v, %v: want a machine that failed at its second timer", stats, err)
	}
}

// One event repeats an action many times without a turn between: a mailbox overflows.
func TestActionsInBursts(t *testing.T) {
	k := reactor.Must(reactor.NewKind("box", reactor.Options{Mailbox: 3}, reactor.Table[struct{}, int]{
		{Shutdown: fsm.Stop}, {Name: "open", Idle: fsm.Never, OnMessage: func(*struct{}, *reactor.Context[int], *int) reactor.State { return fsm.Stay }}}))
	full := 0
	spec := Spec{Setup: func(w *World) error {
		ref, err := k.Spawn(w.Loop(0), struct{}{})
		w.Action("send", func(arg int) {
			if ref.Send(arg) == reactor.ErrFull {
				full++
			}
		})
		return err
	}}
	if f := newEngine(spec).run(trace.Trace{{Op: trace.Act, B: 4}}); f != nil || full != 2 {
		t.Errorf("%v; %d of 5 messages refused: want 2", f, full)
	}
}

// The search finds a handler that gives a wrong answer only if each read returns one byte.
func TestBoundariesAreMet(t *testing.T) {
	k := reactor.Must(reactor.NewKind("pairs", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "reading", Wait: peer.Readable(), Idle: fsm.After(1e9, fsm.Stop), OnReady: func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
			var b [2]byte
			n, err := cx.Read(peer, b[:])
			if err != nil {
				return cx.Fail(err)
			}
			if n == 1 { // the loops rest between bytes that arrive one by one
				cx.Read(peer, b[1:])
			}
			return cx.Fail(cx.Write(peer, b[:max(n, 1)]))
		}}}))
	spec := Spec{Dict: []string{"abcd"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}}
	found := Replay(spec, trace.Trace{{Op: trace.Dial}, {Op: trace.Send}})
	if found.Failure == nil || found.Failure.Oracle != judge.Segmentation {
		t.Errorf("%v: want a failure of segmentation", found)
	}
}
