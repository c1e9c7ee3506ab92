package reactor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
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

func answer(t testing.TB, what string, from <-chan error) error {
	t.Helper()
	select {
	case err := <-from:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal(what + " does not come back")
		return nil
	}
}

// polite says goodbye before it ends: its Shutdown edge leads to a state that does.
func polite(t testing.TB, ended *ends) *reactor.Kind[reader, reactor.State] {
	return kind(t, "polite", reactor.Options{Ports: []string{"peer"}, OnEnd: ended.told}, reactor.Table[reader, reactor.State]{
		fsm.Any: {OnMessage: (*reader).told},
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
	part.sends("no whole li")
	down := make(chan error, 1)
	d.atOnce(func() {
		d.mu.Lock()
		s.in = [][]byte{[]byte(requests)}
		s.event(1)
		d.mu.Unlock()
		go func() { down <- l.Shutdown(context.Background()) }()
		time.Sleep(10 * time.Millisecond) // more likely than not it has asked by now; both orders are right
	})
	if err := answer(t, "Shutdown", down); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := answer(t, "Run", over); err != nil {
		t.Errorf("Run: %v", err)
	}
	if got := s.got(); got != requests+"bye" {
		t.Errorf("%d bytes were answered, ending in %q: want all and a goodbye", len(got), got[max(0, len(got)-8):])
	}
	if got := part.got(); got != "bye" {
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
			return c.told(cx, n)
		}, OnExit: func(c *clerk, _ *postCx) { c.log.add("end") }},
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	})
	ref, other := spawn(t, l, k, clerk{log: log}), spawn(t, l, k, clerk{log: &journal{}})
	down := make(chan error, 1)
	d.atOnce(func() {
		post(t, ref, nums("n", 1, 4)...)
		post(t, other, note{do: "panic"})
		post(t, ref, nums("n", 5, 9)...)
		a := asking{context.Background(), make(chan struct{})}
		go func() { down <- l.Shutdown(a) }()
		<-a.asked
	})
	if err := answer(t, "Shutdown", down); err != nil {
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
	d.settle()
	ended.none(t)
	late := errors.New("late")
	cancel(late)
	if err := answer(t, "Shutdown", down); err != late {
		t.Errorf("Shutdown: %v, want its context's cause", err)
	}
	if err := answer(t, "Run", over); err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := ended.next(t); !errors.Is(err, reactor.ErrShutdown) {
		t.Errorf("reason %v, want ErrShutdown", err)
	}
	if !s.isClosed() {
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
	d.settle()
	ended.none(t)
	d.send(ref, idle)
	if err := errors.Join(answer(t, "Shutdown", down), answer(t, "Run", over), ended.next(t)); err != nil {
		t.Error(err)
	}
	if got := s.got(); got != "bye" {
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
	d.do(func() { stuck.room = 3 })
	s.sends("abc\n")
	stuck.sends("abcdef\n") // what the kernel does not take is not waited for
	cancel(cause)
	if err := answer(t, "Run", over); err != cause {
		t.Errorf("Run: %v, want the context's cause", err)
	}
	if got := s.got() + stuck.got(); got != "abc\nabc" {
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
	if err := answer(t, "Run", over); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}

func TestStopFlushesWithinLinger(t *testing.T) {
	for _, flushed := range []bool{true, false} {
		d, log, ended := newFake(t), &journal{}, newEnds()
		l := d.start(reactor.Config{})
		k := readers(t, reactor.Options{Linger: 2 * time.Second, OnEnd: ended.told}, reactor.Port(0).Readable())
		s, ref := adopt(d, l, k, reader{log: log, do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
			if _, err := cx.Peek(0); err != nil {
				return cx.Fail(err)
			}
			cx.Write(0, []byte("hello"))
			return fsm.Stop
		}})
		d.do(func() { s.room = 2 })
		s.sends("x")
		if err := ended.next(t); err != nil {
			t.Errorf("reason %v", err)
		}
		if err := ref.Send(idle); !errors.Is(err, reactor.ErrStale) {
			t.Errorf("a message to a machine that has stopped: %v", err)
		}
		d.advance(1999 * time.Millisecond)
		if s.isClosed() {
			t.Fatal("closed before all is out, and before Linger is over")
		}
		if flushed {
			s.takes(100)
			s.hangsUp() // a peer that has not got all yet is not cut off by a reset
		} else {
			d.advance(2 * time.Millisecond)
		}
		want, cut := "hello", uint64(0)
		if !flushed {
			want, cut = "he", 1
		}
		if got := s.got(); got != want || !s.isClosed() {
			t.Errorf("sent %q, want %q; closed %t", got, want, s.isClosed())
		}
		if n := stats(t, l); n.Lingered != cut || n.Machines != 0 {
			t.Errorf("%d lingered, %d machines", n.Lingered, n.Machines)
		}
	}
}

// What is not connected when its machine stops is waited for if something was
// written to it, and not otherwise.
func TestStopWhileConnecting(t *testing.T) {
	for _, test := range []struct {
		addr string
		text string
		then string // what becomes of the connection
		sent string
	}{
		{"127.0.0.1:1", "", "", ""},
		{"127.0.0.1:1", "hello", "opens", "hello"},
		{"127.0.0.1:1", "hello", "fails", ""},
		{"127.0.0.1:1", "hello", "hangs", ""},
		{"localhost:1", "hello", "opens", "hello"},
		{"localhost:1", "hello", "hangs", ""},
	} {
		d, log := newFake(t), &journal{}
		l := d.start(reactor.Config{})
		dialled := make(chan *fakeSock, 1)
		d.onDial = func(s *fakeSock, _ driver.Addr) (driver.Flow, error) { dialled <- s; return driver.WriteBlocked, nil }
		ref := spawn(t, l, kind(t, "dialler", reactor.Options{Ports: []string{"peer"}, Linger: time.Second}, reactor.Table[reader, reactor.State]{
			fsm.Any: {OnExit: func(r *reader, _ *read) { r.log.add("end") },
				OnMessage: func(_ *reader, cx *read, _ *reactor.State) reactor.State {
					err := cx.Dial(0, "tcp", test.addr)
					if err == nil && test.text != "" {
						err = cx.Write(0, []byte(test.text))
					}
					return cx.Stop(err)
				}},
			idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
		}), reader{log: log})
		d.send(ref, fsm.Stay)
		log.want(t, "end")
		var s *fakeSock
		select {
		case s = <-dialled:
		case <-time.After(20 * time.Second):
			t.Fatalf("%v: no connection is begun", test)
		}
		d.settle() // it is registered
		switch test.then {
		case "opens":
			d.do(func() { s.event(poll.Writable) })
		case "fails":
			d.do(func() { s.err = errBoom; s.event(poll.Error) })
		case "hangs":
			d.advance(time.Second - time.Millisecond)
			if s.isClosed() {
				t.Errorf("%v: closed before Linger is over", test)
			}
			d.advance(2 * time.Millisecond)
		}
		if got := s.got(); got != test.sent || !s.isClosed() {
			t.Errorf("%v: sent %q; closed %t", test, got, s.isClosed())
		}
		if n := stats(t, l).Machines; n != 0 {
			t.Errorf("%v: %d machines", test, n)
		}
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
		s := d.sock()
		ref, err := polite(t, ended).Adopt(l, fakeConn{s}, reader{})
		if err != nil {
			t.Fatal(err)
		}
		if err := end(l); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !s.isClosed() || !d.over {
			t.Errorf("%s: left open: socket %t, driver %t", name, !s.closed, !d.over)
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
