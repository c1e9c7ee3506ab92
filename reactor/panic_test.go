package reactor_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

var errBoom = errors.New("boom")

// bomb goes off in the handler that its fuse names, in one of three ways.
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

func (b *bomb) told(cx *bombCx, what *string) reactor.State {
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
			Wait: reactor.Port(0).Readable(), OnReady: (*bomb).ready, OnTimer: (*bomb).timer, OnMessage: (*bomb).told, Fail: fsm.Stop},
	})
}

func TestPanicEndsItsMachineOnly(t *testing.T) {
	for _, test := range []struct{ fuse, after string }{
		// What is called, from the handler that panics on.
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
			k := bombs(t, reactor.Options{OnEnd: ended.told})
			quiet := &journal{}
			other, otherRef := adopt(d, l, k, bomb{log: quiet})
			quiet.take()
			s, ref := adopt(d, l, k, bomb{log: log, fuse: test.fuse, how: how})
			for _, m := range []string{"arm", "", "stop"} {
				if m == "stop" {
					d.advance(time.Second)
				}
				if test.fuse == "ready" {
					// Its event and the other one's come in one batch.
					d.do(func() {
						for _, x := range []*fakeSock{s, other} {
							x.in = append(x.in, []byte("hello"))
							x.event(poll.Readable)
						}
					})
				}
				if ref.Send(m) != nil {
					break
				}
				d.settle()
			}
			got := log.take()
			i := strings.LastIndex(got, test.fuse)
			if got := strings.TrimPrefix(got[i+len(test.fuse):], " "); got != test.after {
				t.Errorf("%s: behind it %q was called, want %q", name, got, test.after)
			}
			var p *reactor.PanicError
			if err := ended.next(t); !errors.As(err, &p) {
				t.Errorf("%s: the reason is %v, want a PanicError", name, err)
				continue
			}
			if goexit := p.Value == nil; goexit != (how == "goexit") || p.Kind != "bomb" || !strings.Contains(string(p.Stack), "bomb).at") {
				t.Errorf("%s: %+v: its stack should show the handler", name, p)
			}
			if how == "error" && !errors.Is(p, errBoom) {
				t.Errorf("%s: %v does not unwrap to what was panicked with", name, p)
			}
			state := "idle"
			if test.fuse == "born" {
				state = "any"
			}
			if p.State != state {
				t.Errorf("%s: in state %q, want %q", name, p.State, state)
			}
			if !s.isClosed() || !errors.Is(ref.Send(""), reactor.ErrStale) {
				t.Errorf("%s: the machine, or its port, is there still", name)
			}
			if got := s.got(); got != "" {
				t.Errorf("%s: what it wrote was sent: %q", name, got)
			}
			// The loop goes on, and the other machine was served in the same batch.
			if test.fuse == "ready" {
				if got := other.got(); got != "hello" {
					t.Errorf("%s: the other machine answered %q", name, got)
				}
			}
			other.sends("more")
			if got := other.got(); got != "more" {
				t.Errorf("%s: the other machine answers %q", name, got)
			}
			if err := otherRef.Send("go"); err != nil {
				t.Errorf("%s: the other machine: %v", name, err)
			}
			if n := stats(t, l); n.Panics != 1 || n.Machines != 1 {
				t.Errorf("%s: %d panics counted, %d machines alive, want 1 and 1", name, n.Panics, n.Machines)
			}
		}
	}
}

// A batch in which many handlers panic, each in another way: all others are served.
func TestManyPanicsInOneBatch(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l := d.start(reactor.Config{})
	k := bombs(t, reactor.Options{OnEnd: ended.told})
	var socks []*fakeSock
	for i := range 20 {
		b := bomb{log: &journal{}, how: []string{"string", "goexit", "runtime"}[i%3]}
		if i%2 == 0 {
			b.fuse = "ready"
		}
		s, _ := adopt(d, l, k, b)
		socks = append(socks, s)
	}
	d.do(func() {
		for _, s := range socks {
			s.in = [][]byte{[]byte("x")}
			s.event(poll.Readable)
		}
	})
	for i, s := range socks {
		want := "x"
		if i%2 == 0 {
			want = ""
		}
		if got := s.got(); got != want || s.isClosed() != (i%2 == 0) {
			t.Errorf("machine %d answered %q, want %q", i, got, want)
		}
	}
	if n := stats(t, l).Panics; n != 10 {
		t.Errorf("%d panics, want 10", n)
	}
}

// A handler that looked at its input and panicked must not make the loop believe
// that another machine has seen its own.
func TestPanicLeavesNoLookBehind(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	log := &journal{}
	var first *fakeSock
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
	second.sends("ab")
	log.take()
	d.do(func() {
		first.in = [][]byte{[]byte("bang")}
		first.event(poll.Readable)
	})
	d.send(ref, busy)
	log.want(t, "1:bang 2:ab")
}

// A panic in an Exit while the loop stops everything ends that machine, not the stop.
func TestPanicWhileTheLoopStops(t *testing.T) {
	d, ended := newFake(t), newEnds()
	l, err := reactor.NewLoop(reactor.Config{Slots: 8, Driver: d})
	if err != nil {
		t.Fatal(err)
	}
	k := bombs(t, reactor.Options{OnEnd: ended.told})
	runs(t, l)
	logs := make([]journal, 6)
	for i := range logs {
		adopt(d, l, k, bomb{log: &logs[i], fuse: []string{"exit", "ends", ""}[i%3], how: []string{"string", "goexit"}[i/3]})
		logs[i].take()
	}
	l.Close()
	for i := range logs {
		ended.next(t)
		logs[i].want(t, "exit ends")
	}
}

// Options.OnEnd is the user's, too: its panic ends what is ending anyway.
func TestPanicInEnded(t *testing.T) {
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
		d.settle()
		log.want(t, "message exit ends ended")
		if !s.isClosed() || !errors.Is(ref.Send(""), reactor.ErrStale) {
			t.Errorf("%s: the machine, or its port, is there still", how)
		}
		if other.sends("more"); other.got() != "more" {
			t.Errorf("%s: the other machine does not answer", how)
		}
		if n := stats(t, l); n.Panics != 1 || n.Machines != 1 {
			t.Errorf("%s: %d panics counted, %d machines alive, want 1 and 1", how, n.Panics, n.Machines)
		}
		if err := otherRef.Send("stop"); err != nil {
			t.Fatal(err)
		}
		d.settle()
		if n := stats(t, l); n.Panics != 2 || n.Machines != 0 || n.Failed != 0 {
			t.Errorf("%s: the panic is the reason of %d machines that just stopped (%v)", how, n.Failed, n)
		}
	}
}

// The same, of a loop that is closed and never ran.
func TestPanicInEndedOfALoopThatNeverRan(t *testing.T) {
	for _, how := range []string{"string", "goexit"} {
		d, log := newFake(t), &journal{}
		l, err := reactor.NewLoop(reactor.Config{Slots: 4, Driver: d})
		if err != nil {
			t.Fatal(err)
		}
		k := bombs(t, reactor.Options{OnEnd: func(reactor.Token, error) { (&bomb{log: log, fuse: "ended", how: how}).at("ended") }})
		for range 3 {
			if _, err := k.Adopt(l, fakeConn{d.sock()}, bomb{}); err != nil {
				t.Fatal(err)
			}
		}
		closed := make(chan error, 1)
		go func() { closed <- l.Close() }()
		if err := answer(t, "Close", closed); err != nil {
			t.Errorf("%s: %v", how, err)
		}
		log.want(t, "ended ended ended")
		if !d.over {
			t.Errorf("%s: the driver has not ended", how)
		}
	}
}

// explosive is a Descriptor that panics.
type explosive struct{ fakeConn }

func (explosive) SyscallConn() (syscall.RawConn, error) { panic(errBoom) }

// A panic in what a caller elsewhere passes in is the caller's, not the loop's.
func TestPanicInADescriptor(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	d.settle()
	k := bombs(t, reactor.Options{})
	func() {
		defer func() {
			if v := recover(); v != errBoom {
				t.Errorf("Adopt panics with %v, want %v", v, errBoom)
			}
		}()
		k.Adopt(l, explosive{}, bomb{})
	}()
	if n := stats(t, l); n.Panics != 0 || n.Machines != 0 {
		t.Errorf("%d panics counted, %d machines alive", n.Panics, n.Machines)
	}
}
