//go:build unix || windows

package reactor_test

import (
	"context"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/internal/pages"
	"github.com/stator-go/stator/reactor"
)

// collects collects garbage until something is so: cleanups run after the collection.
func collects(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if runtime.GC(); time.Now().After(deadline) {
			t.Fatalf("got no change within 10 s, want: %s", what)
		}
	}
}

// A loop with a million slots has next to no heap: what the garbage collector counts are
// machines that came, and not the room for them.
func TestSlotsAreNoHeap(t *testing.T) {
	mapped := pages.Mapped()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d := newFake(t)
	l := d.start(reactor.Config{Slots: 1 << 20})
	if pages.Mapped() == mapped {
		t.Skip("this build has no memory outside of the Go heap")
	}
	type large struct {
		_ *string
		_ [100]byte
	}
	k := kind(t, "large", reactor.Options{Ports: []string{"a", "b"}, Timers: []reactor.TimerSpec{{Name: "timer"}}}, reactor.Table[large, reactor.Token]{
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop,
			OnTimer: func(*large, *reactor.Context[reactor.Token], reactor.Fired) reactor.State { return fsm.Stay },
			OnDown:  func(*large, *reactor.Context[reactor.Token], reactor.Down) reactor.State { return fsm.Stay },
			OnMessage: func(_ *large, cx *reactor.Context[reactor.Token], of *reactor.Token) reactor.State {
				if err := cx.Monitor(*of); err != nil {
					return cx.Stop(err)
				}
				return cx.Fail(cx.Arm(0, time.Hour))
			}}})
	ref := spawn(t, l, k, large{})
	if err := ref.Send(ref.Token()); err != nil {
		t.Fatal(err)
	}
	d.Settle()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc - before.HeapAlloc); grown > 3<<20 { // scratch and the ring among them
		t.Errorf("got a heap with %d bytes more, want 3 MiB at most", grown)
	}
	if n := stats(t, l).Failed; n != 0 {
		t.Errorf("got %d machines that failed, want none", n)
	}
}

// Refs and Listeners that are kept do not keep loops that have ended.
func TestKeptRefsDoNotKeepLoops(t *testing.T) {
	mapped := pages.Mapped()
	var refs []reactor.Ref[order]
	var listeners []*reactor.Listener
	var loops []weak.Pointer[reactor.Loop]
	for range 10 {
		ref, l, n := endedLoop(t)
		refs, loops, listeners = append(refs, ref), append(loops, l), append(listeners, n)
	}
	for _, l := range loops {
		collects(t, "the loop is collected", func() bool { return l.Value() == nil })
	}
	collects(t, "its tables are freed", func() bool { return pages.Mapped() <= mapped })
	for i, ref := range refs {
		if err := ref.Send(nil); err != reactor.ErrClosed {
			t.Errorf("Send to a loop that has ended: got %v, want ErrClosed", err)
		}
		l := run(t, reactor.Config{})
		if err := listeners[i].Close(l); err != reactor.ErrClosed {
			t.Errorf("Close of its listener: got %v, want ErrClosed", err)
		}
	}
}

// A loop that is kept after its end keeps no buffers.
func TestKeptLoopKeepsNoBuffers(t *testing.T) {
	const machines, held = 256, 64 * kib
	d := newFake(t)
	l, err := reactor.NewLoop(reactor.Config{Driver: d})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- l.Run(context.Background()) }()
	k := toldKind(t, reactor.Options{})
	m := bytesOf(held)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range machines {
		s, ref := adopt(d, l, k, told{})
		d.Do(func() { s.Room = 0 })
		if err := ref.Send(m); err != nil {
			t.Fatal(err)
		}
		d.Settle()
	}
	if got := stats(t, l).Held; got != machines*held {
		t.Fatalf("got %d bytes held, want %d", got, machines*held)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "Run", ended)
	collects(t, "its buffers are freed", func() bool {
		runtime.ReadMemStats(&after)
		return int64(after.HeapAlloc-before.HeapAlloc) < machines*held/2
	})
	runtime.KeepAlive(l)
}

// endedLoop runs a loop with a machine and a listener to its end.
func endedLoop(t *testing.T) (reactor.Ref[order], weak.Pointer[reactor.Loop], *reactor.Listener) {
	l, err := reactor.NewLoop(reactor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ref := spawn(t, l, watchers(t), watcher{})
	n, err := callees(t).Listen(l, "tcp", "127.0.0.1:0", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Run(ctx); err != context.Canceled {
		t.Fatal(err)
	}
	return ref, weak.Make(l), n
}

// callees is a kind with a port, for a listener that nothing connects to.
func callees(t testing.TB) *reactor.Kind[struct{}, reactor.None] {
	return kind(t, "callee", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop, Wait: reactor.Port(0).Readable(),
			OnReady: func(*struct{}, *reactor.Context[reactor.None], reactor.Ready) reactor.State { return fsm.Stop }}})
}
