package reactor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// started makes a loop over d and runs it. The channel has what Run returns.
func started(t testing.TB, d *fake, ctx context.Context) (*reactor.Loop, <-chan error) {
	t.Helper()
	l, err := reactor.NewLoop(reactor.Config{Slots: 16, Driver: d})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() { l.Close() })
	return l, ended
}

// polite is a kind whose Shutdown edge leads to a state that writes before it stops.
func polite(t testing.TB, ended *ends) *reactor.Kind[reader, reactor.State] {
	return kind(t, "polite", reactor.Options{Ports: []string{"peer"}, OnEnd: ended.add}, reactor.Table[reader, reactor.State]{
		fsm.Any: {OnMessage: (*reader).onMessage},
		idle: {Name: "idle", Within: fsm.Never, Wait: reactor.Port(0).Readable(), OnReady: (*reader).ready,
			Shutdown: done, To: fsm.To(busy)},
		busy: {Name: "busy", Within: fsm.Never, To: fsm.To(idle)}, // no Shutdown edge: the machine stays
		done: {Name: "done", OnEnter: func(_ *reader, cx *read) reactor.State { return cx.Fail(cx.Write(0, []byte("bye"))) },
			Wait: reactor.Port(0).Drained(), Within: fsm.After(time.Second, fsm.Stop),
			OnReady: func(*reader, *read, reactor.Ready) reactor.State { return fsm.Stop }},
	})
}

// echoes writes back one line per call.
func echoes(_ *reader, cx *read, _ reactor.Ready) reactor.State {
	b, err := cx.Peek(0)
	if i := strings.IndexByte(string(b), '\n'); err == nil && i >= 0 {
		err = cx.Write(0, b[:i+1])
		cx.Discard(0, i+1)
	}
	return cx.Fail(err)
}

func TestShutdownOnceNothingIsReady(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l, over := started(t, d, context.Background())
	k := polite(t, ended)
	requests := strings.Repeat("line\n", 100) // more than Config.Steps, so more than one turn takes
	s, _ := adopt(d, l, k, reader{do: echoes})
	part, _ := adopt(d, l, k, reader{do: echoes})
	part.PeerSends("no whole li")
	var down <-chan error
	d.AtOnce(func() {
		d.Update(func() { s.In = [][]byte{[]byte(requests)}; s.Event(poll.Readable) })
		down = shutdown(context.Background(), l)
	})
	if err := await(t, "Shutdown", down); err != nil {
		t.Errorf("Shutdown: got %v, want no error", err)
	}
	if err := await(t, "Run", over); err != nil {
		t.Errorf("Run: got %v, want no error", err)
	}
	if got := s.Written(); got != requests+"bye" {
		t.Errorf("the peer: got %d bytes that end in %q, want %d that end in \"bye\"", len(got), got[max(0, len(got)-8):], len(requests)+3)
	}
	if got := part.Written(); got != "bye" {
		t.Errorf("a peer that sent half a request: got %q, want \"bye\"", got)
	}
	for range 2 {
		if err := ended.next(t); err != nil {
			t.Errorf("got reason %v, want none", err)
		}
	}
	if _, err := k.Spawn(l, reader{}); !errors.Is(err, reactor.ErrClosed) {
		t.Errorf("Spawn on a loop that has ended: got %v, want ErrClosed", err)
	}
	if err := l.Run(context.Background()); !errors.Is(err, reactor.ErrRunning) {
		t.Errorf("a second Run: got %v, want ErrRunning", err)
	}
}

// asking is a context whose Done is called when Shutdown has asked the loop and begins
// to wait.
type asking struct {
	context.Context
	asked chan struct{}
}

func (a asking) Done() <-chan struct{} {
	close(a.asked)
	return a.Context.Done()
}

// shutdown begins a Shutdown and returns once it has asked the loop. The channel has
// what Shutdown returns.
func shutdown(ctx context.Context, l *reactor.Loop) <-chan error {
	result := make(chan error, 1)
	a := asking{ctx, make(chan struct{})}
	go func() { result <- l.Shutdown(a) }()
	<-a.asked
	return result
}

// Messages that were accepted before Shutdown are handled before the machine takes its
// Shutdown edge, even if they fill several turns, and if another machine panics meanwhile.
func TestShutdownBehindWhatWasAccepted(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{Batch: 2})
	k := kind(t, "clerk", reactor.Options{}, reactor.Table[clerk, note]{
		fsm.Any: {OnMessage: func(c *clerk, cx *postCx, n *note) reactor.State {
			if n.do == "panic" {
				panic(n)
			}
			return c.onMessage(cx, n)
		}, OnExit: func(c *clerk, _ *postCx) { c.log.add("end") }},
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	})
	ref, other := spawn(t, l, k, clerk{log: log}), spawn(t, l, k, clerk{log: &journal{}})
	var down <-chan error
	d.AtOnce(func() {
		post(t, ref, nums("n", 1, 4)...)
		post(t, other, note{do: "panic"})
		post(t, ref, nums("n", 5, 9)...)
		down = shutdown(context.Background(), l)
	})
	if err := await(t, "Shutdown", down); err != nil {
		t.Errorf("Shutdown: got %v, want no error", err)
	}
	log.want(t, "n1 n2 n3 n4 n5 n6 n7 n8 n9 end")
}

// A machine whose state has no Shutdown edge is stopped when the context ends.
func TestShutdownStopsWhatHasNoEdgeWhenItsTimeIsUp(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l, over := started(t, d, context.Background())
	s, ref := adopt(d, l, polite(t, ended), reader{do: echoes})
	d.send(ref, busy)
	ctx, cancel := context.WithCancelCause(context.Background())
	down := shutdown(ctx, l)
	d.Settle()
	ended.none(t)
	late := errors.New("late")
	cancel(late)
	if err := await(t, "Shutdown", down); err != late {
		t.Errorf("Shutdown: got %v, want its context's cause", err)
	}
	if err := await(t, "Run", over); err != nil {
		t.Errorf("Run: got %v, want no error", err)
	}
	if err := ended.next(t); !errors.Is(err, reactor.ErrShutdown) {
		t.Errorf("got reason %v, want ErrShutdown", err)
	}
	if !s.Closed() {
		t.Error("the port: got it open, want it closed")
	}
}

// A machine takes the Shutdown edge of the next state that has one.
func TestShutdownWaitsForAState(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l, over := started(t, d, context.Background())
	s, ref := adopt(d, l, polite(t, ended), reader{do: echoes})
	d.send(ref, busy)
	down := shutdown(context.Background(), l)
	d.Settle()
	ended.none(t)
	d.send(ref, idle)
	if err := errors.Join(await(t, "Shutdown", down), await(t, "Run", over), ended.next(t)); err != nil {
		t.Errorf("Shutdown, Run and the machine's reason: got %v, want no error", err)
	}
	if got := s.Written(); got != "bye" {
		t.Errorf("the peer: got %q, want \"bye\"", got)
	}
}

func TestContextEndStopsEverything(t *testing.T) {
	d, ended := newFake(t), newEnds()
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	l, over := started(t, d, ctx)
	k := polite(t, ended)
	s, _ := adopt(d, l, k, reader{do: echoes})
	stuck, _ := adopt(d, l, k, reader{do: echoes})
	d.Do(func() { stuck.Room = 3 })
	s.PeerSends("abc\n")
	stuck.PeerSends("abcdef\n") // the loop does not wait until the kernel takes the rest
	cancel(cause)
	if err := await(t, "Run", over); err != cause {
		t.Errorf("Run: got %v, want the context's cause", err)
	}
	if got := s.Written() + stuck.Written(); got != "abc\nabc" {
		t.Errorf("the peers: got %q, want \"abc\\nabc\"", got)
	}
	for range 2 {
		if err := ended.next(t); !errors.Is(err, reactor.ErrShutdown) {
			t.Errorf("got reason %v, want ErrShutdown", err)
		}
	}
}

func TestContextThatEndedBeforeRun(t *testing.T) {
	d := newFake(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, over := started(t, d, ctx)
	if err := await(t, "Run", over); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: got %v, want context.Canceled", err)
	}
}

func TestLoopThatNeverRuns(t *testing.T) {
	for name, end := range map[string]func(*reactor.Loop) error{
		"Close":    (*reactor.Loop).Close,
		"Shutdown": func(l *reactor.Loop) error { return l.Shutdown(context.Background()) },
	} {
		d, ended := newFake(t), newEnds()
		l, err := reactor.NewLoop(reactor.Config{Slots: 4, Driver: d})
		if err != nil {
			t.Fatal(err)
		}
		s := d.NewSocket()
		ref, err := polite(t, ended).Adopt(l, s.Conn(), reader{})
		if err != nil {
			t.Fatal(err)
		}
		if err := end(l); err != nil {
			t.Errorf("%s: got %v, want no error", name, err)
		}
		if !d.Ended() || !s.Closed() {
			t.Errorf("%s: got driver open %t, socket open %t, want false, false", name, !d.Ended(), !s.Closed())
		}
		if err := ref.Send(idle); !errors.Is(err, reactor.ErrClosed) {
			t.Errorf("Send after %s: got %v, want ErrClosed", name, err)
		}
		if err := l.Run(context.Background()); !errors.Is(err, reactor.ErrRunning) {
			t.Errorf("Run after %s: got %v, want ErrRunning", name, err)
		}
		if err := l.Close(); err != nil {
			t.Errorf("Close after %s: got %v, want no error", name, err)
		}
	}
}

// Close and Shutdown in a handler would wait for themselves: they return an error.
func TestEndingALoopFromItsHandler(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	got := make(chan error, 2)
	ref := spawn(t, l, kind(t, "ender", reactor.Options{}, reactor.Table[reader, reactor.State]{
		fsm.Any: {OnMessage: func(*reader, *read, *reactor.State) reactor.State {
			got <- l.Close()
			got <- l.Shutdown(context.Background())
			return fsm.Stay
		}},
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	}), reader{})
	d.send(ref, idle)
	for range 2 {
		if err := await(t, "Close or Shutdown", got); !errors.Is(err, reactor.ErrInHandler) {
			t.Errorf("got %v, want ErrInHandler", err)
		}
	}
}
