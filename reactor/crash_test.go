package reactor_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
	"github.com/stator-go/stator/reactor/poll"
)

var errBoom = errors.New("boom")

// bomb panics in the handler that its fuse names, in one of four ways.
type bomb struct {
	log  *journal
	fuse string
	how  string
}

type bombCx = reactor.Context[string]

func (b *bomb) at(where string) {
	b.log.add(where)
	if b.fuse != where {
		return
	}
	switch b.how {
	case "goexit":
		runtime.Goexit()
	case "error":
		panic(errBoom)
	case "runtime":
		var none *bomb
		none.how = ""
	}
	panic("boom")
}

func (b *bomb) born(*bombCx) reactor.State  { b.at("born"); return fsm.Stay }
func (b *bomb) ends(*bombCx)                { b.at("ends") }
func (b *bomb) enter(*bombCx) reactor.State { b.at("enter"); return fsm.Stay }
func (b *bomb) exit(*bombCx)                { b.at("exit") }
func (b *bomb) timer(*bombCx, reactor.Fired) reactor.State {
	b.at("timer")
	return fsm.Stay
}

func (b *bomb) ready(cx *bombCx, _ reactor.Ready) reactor.State {
	p, err := cx.Peek(0)
	if err != nil {
		return cx.Fail(err)
	}
	if err := cx.Write(0, p); err != nil {
		return cx.Fail(err)
	}
	b.at("ready")
	cx.Discard(0, len(p))
	return fsm.Stay
}

func (b *bomb) onMessage(cx *bombCx, what *string) reactor.State {
	b.at("message")
	switch *what {
	case "arm":
		return cx.Fail(cx.Arm(0, time.Second))
	case "go":
		return idle
	case "stop":
		return fsm.Stop
	}
	return fsm.Stay
}

func bombs(t testing.TB, o reactor.Options) *reactor.Kind[bomb, string] {
	o.Ports, o.Timers = []string{"peer"}, []reactor.TimerSpec{{Name: "timer"}}
	return kind(t, "bomb", o, reactor.Table[bomb, string]{
		fsm.Any: {OnEnter: (*bomb).born, OnExit: (*bomb).ends},
		idle: {Name: "idle", Within: fsm.Never, To: fsm.To(idle), OnEnter: (*bomb).enter, OnExit: (*bomb).exit,
			Wait: reactor.Port(0).Readable(), OnReady: (*bomb).ready, OnTimer: (*bomb).timer, OnMessage: (*bomb).onMessage, Fail: fsm.Stop},
	})
}

func TestPanicEndsItsMachineOnly(t *testing.T) {
	for _, test := range []struct{ fuse, after string }{
		// after is what is called after the handler that panics.
		{"born", "ends"},
		{"enter", "exit ends"},
		{"ready", "exit ends"},
		{"message", "exit ends"},
		{"timer", "exit ends"},
		{"exit", "ends"},
		{"ends", ""},
	} {
		for _, how := range []string{"string", "error", "runtime", "goexit"} {
			name := test.fuse + ", " + how
			d, log, ended := newFake(t), &journal{}, newEnds()
			l := d.start(reactor.Config{})
			k := bombs(t, reactor.Options{OnEnd: ended.add})
			quiet := &journal{}
			other, otherRef := adopt(d, l, k, bomb{log: quiet})
			quiet.take()
			s, ref := adopt(d, l, k, bomb{log: log, fuse: test.fuse, how: how})
			for _, m := range []string{"arm", "", "stop"} {
				if m == "stop" {
					d.Advance(time.Second)
				}
				if test.fuse == "ready" {
					// Its event and that of the other machine come in one turn.
					d.Do(func() {
						for _, x := range []*fakedriver.Socket{s, other} {
							x.In = append(x.In, []byte("hello"))
							x.Event(poll.Readable)
						}
					})
				}
				if ref.Send(m) != nil {
					break
				}
				d.Settle()
			}
			got := log.take()
			i := strings.LastIndex(got, test.fuse)
			if got := strings.TrimPrefix(got[i+len(test.fuse):], " "); got != test.after {
				t.Errorf("%s: got %q called after it, want %q", name, got, test.after)
			}
			var p *reactor.PanicError
			if err := ended.next(t); !errors.As(err, &p) {
				t.Errorf("%s: got reason %v, want a PanicError", name, err)
				continue
			}
			if goexit := p.Value == nil; goexit != (how == "goexit") || p.Kind != "bomb" {
				t.Errorf("%s: got value %v of kind %q, want one of kind bomb, of a Goexit nil", name, p.Value, p.Kind)
			}
			if !strings.Contains(string(p.Stack), "bomb).at") {
				t.Errorf("%s: got stack\n%s\nwant the handler in it", name, p.Stack)
			}
			if how == "error" && !errors.Is(p, errBoom) {
				t.Errorf("%s: got %v, want it to wrap %v", name, p, errBoom)
			}
			state := "idle"
			if test.fuse == "born" {
				state = "any"
			}
			if p.State != state {
				t.Errorf("%s: got state %q, want %q", name, p.State, state)
			}
			if !s.Closed() || !errors.Is(ref.Send(""), reactor.ErrStale) {
				t.Errorf("%s: got the machine, or its port, alive, want both gone", name)
			}
			if got := s.Written(); got != "" {
				t.Errorf("%s: got %q sent, want nothing of what it wrote", name, got)
			}
			// The loop goes on, and has served the other machine in the same turn.
			if test.fuse == "ready" {
				if got := other.Written(); got != "hello" {
					t.Errorf("%s: the other machine: got %q, want \"hello\"", name, got)
				}
			}
			other.PeerSends("more")
			if got := other.Written(); got != "more" {
				t.Errorf("%s: the other machine: got %q, want \"more\"", name, got)
			}
			if err := otherRef.Send("go"); err != nil {
				t.Errorf("%s: Send to the other machine: got %v, want no error", name, err)
			}
			if n := stats(t, l); n.Panics != 1 || n.Machines != 1 {
				t.Errorf("%s: got %d panics and %d machines, want 1 and 1", name, n.Panics, n.Machines)
			}
		}
	}
}

// In a turn in which many handlers panic, all other machines are served.
func TestManyPanicsInOneTurn(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l := d.start(reactor.Config{})
	k := bombs(t, reactor.Options{OnEnd: ended.add})
	var socks []*fakedriver.Socket
	for i := range 20 {
		b := bomb{log: &journal{}, how: []string{"string", "goexit", "runtime"}[i%3]}
		if i%2 == 0 {
			b.fuse = "ready"
		}
		s, _ := adopt(d, l, k, b)
		socks = append(socks, s)
	}
	d.Do(func() {
		for _, s := range socks {
			s.In = [][]byte{[]byte("x")}
			s.Event(poll.Readable)
		}
	})
	for i, s := range socks {
		want := "x"
		if i%2 == 0 {
			want = ""
		}
		if got := s.Written(); got != want || s.Closed() != (i%2 == 0) {
			t.Errorf("machine %d: got %q and closed %t, want %q and %t", i, got, s.Closed(), want, i%2 == 0)
		}
	}
	if n := stats(t, l).Panics; n != 10 {
		t.Errorf("got %d panics, want 10", n)
	}
}

// After a handler that has seen its input and panicked, the loop does not take another
// machine's input for seen.
func TestPanicLeavesNoLookBehind(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	log := &journal{}
	var first *fakedriver.Socket
	k := readers(t, reactor.Options{}, reactor.Port(0).Readable())
	part := func(r *reader, cx *read, _ reactor.Ready) reactor.State {
		b, err := cx.Peek(0)
		if err != nil {
			return cx.Fail(err)
		}
		r.log.add(fmt.Sprintf("%d:%s", cx.State(), b))
		if string(b) == "bang" {
			panic("bang")
		}
		return fsm.Stay
	}
	first, _ = adopt(d, l, k, reader{do: part, log: log})
	second, ref := adopt(d, l, k, reader{do: part, log: log})
	second.PeerSends("ab")
	log.take()
	d.Do(func() {
		first.In = [][]byte{[]byte("bang")}
		first.Event(poll.Readable)
	})
	d.send(ref, busy)
	log.want(t, "1:bang 2:ab")
}

// A panic in an OnExit while the loop stops all machines ends that machine alone.
func TestPanicWhileTheLoopStops(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l, err := reactor.NewLoop(reactor.Config{Slots: 8, Driver: d})
	if err != nil {
		t.Fatal(err)
	}
	k := bombs(t, reactor.Options{OnEnd: ended.add})
	runs(t, l)
	logs := make([]journal, 6)
	for i := range logs {
		adopt(d, l, k, bomb{log: &logs[i], fuse: []string{"exit", "ends", ""}[i%3], how: []string{"string", "goexit"}[i/3]})
		logs[i].take()
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close: got %v, want no error", err)
	}
	for i := range logs {
		if err := ended.next(t); err == nil {
			t.Errorf("got an end without a reason, want one")
		}
		logs[i].want(t, "exit ends")
	}
}

// A panic in Options.OnEnd is counted, and does nothing else.
func TestPanicInOnEnd(t *testing.T) {
	for _, how := range []string{"string", "goexit"} {
		d := newFake(t)
		l := d.start(reactor.Config{})
		log := &journal{}
		k := bombs(t, reactor.Options{OnEnd: func(reactor.Token, error) { (&bomb{log: log, fuse: "ended", how: how}).at("ended") }})
		s, ref := adopt(d, l, k, bomb{log: log})
		other, otherRef := adopt(d, l, k, bomb{log: &journal{}})
		log.take()
		if err := ref.Send("stop"); err != nil {
			t.Fatal(err)
		}
		d.Settle()
		log.want(t, "message exit ends ended")
		if !s.Closed() || !errors.Is(ref.Send(""), reactor.ErrStale) {
			t.Errorf("%s: got the machine, or its port, alive, want both gone", how)
		}
		other.PeerSends("more")
		if got := other.Written(); got != "more" {
			t.Errorf("%s: the other machine: got %q, want \"more\"", how, got)
		}
		if n := stats(t, l); n.Panics != 1 || n.Machines != 1 {
			t.Errorf("%s: got %d panics and %d machines, want 1 and 1", how, n.Panics, n.Machines)
		}
		if err := otherRef.Send("stop"); err != nil {
			t.Fatal(err)
		}
		d.Settle()
		if n := stats(t, l); n.Panics != 2 || n.Machines != 0 || n.Failed != 0 {
			t.Errorf("%s: got %d panics, %d machines, %d failed, want 2, 0, 0", how, n.Panics, n.Machines, n.Failed)
		}
	}
}

// The same, in a loop that is closed and never ran.
func TestPanicInOnEndOfALoopThatNeverRan(t *testing.T) {
	for _, how := range []string{"string", "goexit"} {
		d, log := newFake(t), &journal{}
		l, err := reactor.NewLoop(reactor.Config{Slots: 4, Driver: d})
		if err != nil {
			t.Fatal(err)
		}
		k := bombs(t, reactor.Options{OnEnd: func(reactor.Token, error) { (&bomb{log: log, fuse: "ended", how: how}).at("ended") }})
		for range 3 {
			if _, err := k.Adopt(l, d.NewSocket().Conn(), bomb{}); err != nil {
				t.Fatal(err)
			}
		}
		closed := make(chan error, 1)
		go func() { closed <- l.Close() }()
		if err := await(t, "Close", closed); err != nil {
			t.Errorf("%s: Close: got %v, want no error", how, err)
		}
		log.want(t, "ended ended ended")
		if !d.Ended() {
			t.Errorf("%s: got the driver open, want it closed", how)
		}
	}
}

// explosive is a Descriptor that panics.
type explosive struct{ fakedriver.Conn }

func (explosive) SyscallConn() (syscall.RawConn, error) { panic(errBoom) }

// A panic in a Descriptor that a caller passes to Adopt is the caller's, not the loop's.
func TestPanicInADescriptor(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	d.Settle()
	k := bombs(t, reactor.Options{})
	func() {
		defer func() {
			if v := recover(); v != errBoom {
				t.Errorf("Adopt: got panic %v, want %v", v, errBoom)
			}
		}()
		k.Adopt(l, explosive{}, bomb{})
	}()
	if n := stats(t, l); n.Panics != 0 || n.Machines != 0 {
		t.Errorf("got %d panics and %d machines, want 0 and 0", n.Panics, n.Machines)
	}
}

// A panic of an exit handler, which runs because of an earlier panic, does not hide that one.
func TestFirstPanicIsTheReason(t *testing.T) {
	d, ends := newFake(t), newEnds()
	l := d.start(reactor.Config{})
	spawn(t, l, kind(t, "unmade", reactor.Options{OnEnd: ends.add}, reactor.Table[empty, reactor.None]{
		fsm.Any: {
			OnEnter: func(*empty, *reactor.Context[reactor.None]) reactor.State { panic("first") },
			OnExit:  func(*empty, *reactor.Context[reactor.None]) { panic("second") },
		},
		{Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	}), empty{})
	err := ends.next(t)
	var p *reactor.PanicError
	if !errors.As(err, &p) || p.Value != "first" {
		t.Errorf("got the reason %v, want the first panic", err)
	}
	if !strings.Contains(err.Error(), "second") {
		t.Errorf("got the reason %v, want the second panic named, too", err)
	}
	if s := stats(t, l); s.Panics != 1 || s.Failed != 1 {
		t.Errorf("got %d panics and %d failed, want 1 and 1: it is one machine", s.Panics, s.Failed)
	}
}

// Mistakes of handlers are written to package log if there is no OnEnd to hear of them.
func TestMistakesAreLogged(t *testing.T) {
	var logged syncBuffer
	log.SetOutput(&logged)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	d := newFake(t)
	l := d.start(reactor.Config{})
	spawn(t, l, kind(t, "lost", reactor.Options{}, reactor.Table[empty, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "here", Within: fsm.After(time.Hour, 2), OnEnter: func(*empty, *reactor.Context[reactor.None]) reactor.State { return 3 }},
		{Name: "there", Within: fsm.Never, To: fsm.To(3)},
		{Name: "beyond", Within: fsm.Never},
	}), empty{})
	d.Settle()
	if got := logged.String(); !strings.Contains(got, `lost: state "here"`) || !strings.Contains(got, "undeclared transition") {
		t.Errorf("got %q logged, want the kind, the state and the mistake", got)
	}
}

// syncBuffer is a buffer that two goroutines use.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
