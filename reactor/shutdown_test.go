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

// started is a loop over d whose Run's answer the test reads.
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

// polite says goodbye before it ends: its Shutdown edge leads to a state that does.
func polite(t testing.TB, ended *ends) *reactor.Kind[reader, reactor.State] {
	return kind(t, "polite", reactor.Options{Ports: []string{"peer"}, OnEnd: ended.add}, reactor.Table[reader, reactor.State]{
		fsm.Any: {OnMessage: (*reader).onMessage},
		idle: {Name: "idle", Within: fsm.Never, Wait: reactor.Port(0).Readable(), OnReady: (*reader).ready,
			Shutdown: done, To: fsm.To(busy)},
		busy: {Name: "busy", Within: fsm.Never, To: fsm.To(idle)}, // no edge: shutdown waits
		done: {Name: "done", OnEnter: func(_ *reader, cx *read) reactor.State { return cx.Fail(cx.Write(0, []byte("bye"))) },
			Wait: reactor.Port(0).Drained(), Within: fsm.After(time.Second, fsm.Stop),
			OnReady: func(*reader, *read, reactor.Ready) reactor.State { return fsm.Stop }},
	})
}

// echoes answers one line a call.
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
	requests := strings.Repeat("line\n", 100) // more than Config.Steps, so more than a turn
	s, _ := adopt(d, l, k, reader{do: echoes})
	part, _ := adopt(d, l, k, reader{do: echoes})
	part.PeerSends("no whole li")
	down := make(chan error, 1)
	d.AtOnce(func() {
		d.Update(func() { s.In = [][]byte{[]byte(requests)}; s.Event(poll.Readable) })
		go func() { down <- l.Shutdown(context.Background()) }()
		time.Sleep(10 * time.Millisecond) // more likely than not it has asked by now; both orders are right
	})
	if err := await(t, "Shutdown", down); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := await(t, "Run", over); err != nil {
		t.Errorf("Run: %v", err)
	}
	if got := s.Written(); got != requests+"bye" {
		t.Errorf("%d bytes were answered, ending in %q: want all and a goodbye", len(got), got[max(0, len(got)-8):])
	}
	if got := part.Written(); got != "bye" {
		t.Errorf("one with half a request got %q", got)
	}
	for range 2 {
		if err := ended.next(t); err != nil {
			t.Errorf("reason %v", err)
		}
	}
	if _, err := k.Spawn(l, reader{}); !errors.Is(err, reactor.ErrClosed) {
		t.Errorf("spawn on a loop that has ended: %v", err)
	}
	if err := l.Run(context.Background()); !errors.Is(err, reactor.ErrRunning) {
		t.Errorf("a second Run: %v", err)
	}
}

// asking is a context that tells when Shutdown has asked and begins to wait.
type asking struct {
	context.Context
	asked chan struct{}
}

func (a asking) Done() <-chan struct{} {
	close(a.asked)
	return nil
}

// What was accepted before the shutdown was asked for is handled before the edge is
// taken, however many turns' messages it is, and whatever panics on the way.
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
	down := make(chan error, 1)
	d.AtOnce(func() {
		post(t, ref, nums("n", 1, 4)...)
		post(t, other, note{do: "panic"})
		post(t, ref, nums("n", 5, 9)...)
		a := asking{context.Background(), make(chan struct{})}
		go func() { down <- l.Shutdown(a) }()
		<-a.asked
	})
	if err := await(t, "Shutdown", down); err != nil {
		t.Error(err)
	}
	log.want(t, "n1 n2 n3 n4 n5 n6 n7 n8 n9 end")
}

func TestShutdownStopsWhatHasNoEdgeWhenItsTimeIsUp(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l, over := started(t, d, context.Background())
	s, ref := adopt(d, l, polite(t, ended), reader{do: echoes})
	d.send(ref, busy)
	ctx, cancel := context.WithCancelCause(context.Background())
	down := make(chan error, 1)
	go func() { down <- l.Shutdown(ctx) }()
	time.Sleep(10 * time.Millisecond)
	d.Settle()
	ended.none(t)
	late := errors.New("late")
	cancel(late)
	if err := await(t, "Shutdown", down); err != late {
		t.Errorf("Shutdown: %v, want its context's cause", err)
	}
	if err := await(t, "Run", over); err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := ended.next(t); !errors.Is(err, reactor.ErrShutdown) {
		t.Errorf("reason %v, want ErrShutdown", err)
	}
	if !s.Closed() {
		t.Error("the port is open")
	}
}

// A state without an edge may lead to one with, and that takes its edge.
func TestShutdownWaitsForAState(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l, over := started(t, d, context.Background())
	s, ref := adopt(d, l, polite(t, ended), reader{do: echoes})
	d.send(ref, busy)
	down := make(chan error, 1)
	go func() { down <- l.Shutdown(context.Background()) }()
	time.Sleep(10 * time.Millisecond)
	d.Settle()
	ended.none(t)
	d.send(ref, idle)
	if err := errors.Join(await(t, "Shutdown", down), await(t, "Run", over), ended.next(t)); err != nil {
		t.Error(err)
	}
	if got := s.Written(); got != "bye" {
		t.Errorf("got %q", got)
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
	stuck.PeerSends("abcdef\n") // what the kernel does not take is not waited for
	cancel(cause)
	if err := await(t, "Run", over); err != cause {
		t.Errorf("Run: %v, want the context's cause", err)
	}
	if got := s.Written() + stuck.Written(); got != "abc\nabc" {
		t.Errorf("sent %q", got)
	}
	for range 2 {
		if err := ended.next(t); !errors.Is(err, reactor.ErrShutdown) {
			t.Errorf("reason %v, want ErrShutdown", err)
		}
	}
}

func TestContextThatEndedBeforeRun(t *testing.T) {
	d := newFake(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, over := started(t, d, ctx)
	if err := await(t, "Run", over); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
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
			t.Errorf("%s: %v", name, err)
		}
		if !s.Closed() || !d.Ended() {
			t.Errorf("%s: left open: socket %t, driver %t", name, !s.Closed(), !d.Ended())
		}
		if err := ref.Send(idle); !errors.Is(err, reactor.ErrClosed) {
			t.Errorf("%s: Send: %v", name, err)
		}
		if err := l.Run(context.Background()); !errors.Is(err, reactor.ErrRunning) {
			t.Errorf("%s: Run behind it: %v", name, err)
		}
		if err := l.Close(); err != nil {
			t.Errorf("%s: Close behind it: %v", name, err)
		}
	}
}

// What would wait for itself says so.
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
		if err := <-got; !errors.Is(err, reactor.ErrInHandler) {
			t.Errorf("%v, want ErrInHandler", err)
		}
	}
}
