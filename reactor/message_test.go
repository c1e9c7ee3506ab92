package reactor_test

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// note is a message of these tests: what to do, and a number.
type note struct {
	do  string
	num int
	to  reactor.State
}

type postCx = reactor.Context[note]

// clerk records each message, and does what it says.
type clerk struct {
	log  *journal
	left int
}

func (c *clerk) onMessage(cx *postCx, n *note) reactor.State {
	c.log.add(fmt.Sprint(n.do, n.num))
	switch n.do {
	case "later":
		return fsm.Defer
	case "go":
		return n.to
	case "stop":
		return fsm.Stop
	}
	return fsm.Stay
}

// onlyGo handles "go" alone and defers all else.
func (c *clerk) onlyGo(cx *postCx, n *note) reactor.State {
	if n.do != "go" {
		return fsm.Defer
	}
	return c.onMessage(cx, n)
}

// clerks handle every message in idle, none in busy (Row.Defer), "go" alone in done
// (fsm.Defer).
func clerks(t testing.TB, o reactor.Options) *reactor.Kind[clerk, note] {
	all := fsm.To(idle, busy, done)
	return kind(t, "clerk", o, reactor.Table[clerk, note]{
		fsm.Any: {},
		idle:    {Name: "idle", Within: fsm.Never, OnMessage: (*clerk).onMessage, To: all},
		busy:    {Name: "busy", Within: fsm.After(time.Second, idle), Defer: true, To: all},
		done:    {Name: "done", Within: fsm.After(time.Second, idle), OnMessage: (*clerk).onlyGo, To: all},
	})
}

// post sends notes.
func post(t testing.TB, ref reactor.Ref[note], notes ...note) {
	t.Helper()
	for _, n := range notes {
		if err := ref.Send(n); err != nil {
			t.Fatalf("Send of %s%d: got %v, want no error", n.do, n.num, err)
		}
	}
}

// nums makes notes with the numbers from one to another.
func nums(do string, from, to int) (all []note) {
	for i := from; i <= to; i++ {
		all = append(all, note{do: do, num: i})
	}
	return all
}

// Messages to a machine whose loop does not run yet are handled in their order.
func TestMessagesBeforeRunAreKeptInOrder(t *testing.T) {
	d, log := newFake(t), &journal{}
	l, err := reactor.NewLoop(reactor.Config{Slots: 4, Driver: d})
	if err != nil {
		t.Fatal(err)
	}
	ref := spawn(t, l, clerks(t, reactor.Options{}), clerk{log: log})
	post(t, ref, nums("n", 1, 5)...)
	runs(t, l)
	d.Settle()
	log.want(t, "n1 n2 n3 n4 n5")
}

func TestMailboxIsBounded(t *testing.T) {
	d, log := newFake(t), &journal{}
	l, err := reactor.NewLoop(reactor.Config{Slots: 4, Driver: d})
	if err != nil {
		t.Fatal(err)
	}
	k := clerks(t, reactor.Options{Mailbox: 3, Queue: 5})
	a, b := spawn(t, l, k, clerk{log: log}), spawn(t, l, k, clerk{log: log})
	post(t, a, nums("n", 1, 3)...)
	if err := a.Send(note{}); !errors.Is(err, reactor.ErrFull) {
		t.Errorf("Send beyond Options.Mailbox: got %v, want ErrFull", err)
	}
	post(t, b, nums("n", 1, 2)...)
	if err := b.Send(note{}); !errors.Is(err, reactor.ErrFull) {
		t.Errorf("Send beyond Options.Queue: got %v, want ErrFull", err)
	}
	runs(t, l)
	d.Settle()
	log.take()
	post(t, a, nums("n", 4, 6)...)
	d.Settle()
	log.want(t, "n4 n5 n6")
}

func TestSendToAStaleRef(t *testing.T) {
	var zero reactor.Ref[note]
	if err := zero.Send(note{}); !errors.Is(err, reactor.ErrStale) {
		t.Errorf("Send to the zero Ref: got %v, want ErrStale", err)
	}
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{Slots: 1})
	k := clerks(t, reactor.Options{})
	first := spawn(t, l, k, clerk{log: log})
	post(t, first, note{do: "stop"})
	d.Settle()
	second := spawn(t, l, k, clerk{log: log})
	if got, want := second.Token().Index(), first.Token().Index(); got != want {
		t.Errorf("the second machine: got slot %d, want that of the first, %d", got, want)
	}
	if err := first.Send(note{}); !errors.Is(err, reactor.ErrStale) {
		t.Errorf("Send to a machine whose slot has another one: got %v, want ErrStale", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close: got %v, want no error", err)
	}
	if err := second.Send(note{}); !errors.Is(err, reactor.ErrClosed) {
		t.Errorf("Send to a loop that has ended: got %v, want ErrClosed", err)
	}
}

// Messages that were accepted and not handled when their machine ended are counted as
// dead: n4 and n5.
func TestDeadMessagesAreCounted(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ref := spawn(t, l, clerks(t, reactor.Options{}), clerk{log: log})
	post(t, ref, note{do: "go", to: done})
	d.Settle()
	post(t, ref, nums("n", 1, 3)...)
	d.Settle()
	d.AtOnce(func() {
		post(t, ref, note{do: "go", num: 1, to: idle}, note{do: "stop"}, note{do: "n", num: 4}, note{do: "n", num: 5})
	})
	log.want(t, "go0 go1 n1 n2 n3 stop0")
	s := stats(t, l)
	if s.Messages != 9 || s.Dead != 2 || s.Machines != 0 { // n1 to n3 are handled twice: deferred at first
		t.Errorf("got %d messages handled, %d dead, %d machines, want 9, 2, 0", s.Messages, s.Dead, s.Machines)
	}
}

// A loop whose machine posts to itself again and again does not sleep between.
func TestSelfPost(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	k := kind(t, "self", reactor.Options{Mailbox: 2}, reactor.Table[clerk, note]{
		fsm.Any: {OnMessage: func(c *clerk, cx *postCx, n *note) reactor.State {
			if c.left--; c.left == 0 {
				c.log.add("done")
				return fsm.Stop
			}
			if err := cx.Self().Post(&cx.IO, *n); err != nil {
				return cx.Stop(err)
			}
			return fsm.Stay
		}},
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	})
	log := &journal{}
	ref := spawn(t, l, k, clerk{log: log, left: 10_000})
	before := stats(t, l).Parks
	d.Settle()
	post(t, ref, note{})
	d.Settle()
	log.want(t, "done")
	if n := stats(t, l).Parks - before; n != 2 {
		t.Errorf("got %d parks, want 2: until the first message, and until Stats", n)
	}
}

// sum checks that each sender's messages come once and in order. over gets what is
// wrong, or nothing after the last message.
type sum struct {
	next []int
	left int
	over chan string
}

func (s *sum) onMessage(_ *postCx, n *note) reactor.State {
	if n.num != s.next[int(n.to)] {
		s.over <- fmt.Sprintf("sender %d: got message %d, want %d", n.to, n.num, s.next[int(n.to)])
		return fsm.Stop
	}
	s.next[int(n.to)]++
	if s.left--; s.left == 0 {
		s.over <- ""
		return fsm.Stop
	}
	return fsm.Stay
}

func sums(t testing.TB) *reactor.Kind[sum, note] {
	return kind(t, "sum", reactor.Options{}, reactor.Table[sum, note]{
		fsm.Any: {OnMessage: (*sum).onMessage},
		idle:    {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	})
}

func TestManySendersStress(t *testing.T) {
	const senders, each = 4, 25_000
	d := newFake(t)
	over := make(chan string, 2)
	ref := spawn(t, d.start(reactor.Config{}), sums(t), sum{next: make([]int, senders), left: senders * each, over: over})
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				for {
					err := ref.Send(note{num: i, to: reactor.State(s)})
					if err == nil {
						break
					}
					if !errors.Is(err, reactor.ErrFull) {
						t.Errorf("Send: got %v, want nil or ErrFull", err)
						return
					}
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	awaitVerdict(t, over)
}

// awaitVerdict waits for what a machine found wrong, and fails if it is something.
func awaitVerdict(t testing.TB, over <-chan string) {
	t.Helper()
	if wrong := await(t, "the last message, unless a message or a wake-up is lost", over); wrong != "" {
		t.Error(wrong)
	}
}
