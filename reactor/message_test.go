package reactor_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// note is a message of these tests: what to do, and a number to tell it by.
type note struct {
	do  string
	num int
	to  reactor.State
}

type postCx = reactor.Context[note]

// clerk notes what it handles, and does it.
type clerk struct {
	log  *journal
	left int
}

func (c *clerk) onMessage(cx *postCx, n *note) reactor.State {
	c.log.add(fmt.Sprint(n.do, n.num))
	switch n.do {
	case "later":
		return fsm.Later
	case "go":
		return n.to
	case "stop":
		return fsm.Stop
	}
	return fsm.Stay
}

// fussy takes only "go" and "n": in the state busy everything else waits.
func (c *clerk) fussy(cx *postCx, n *note) reactor.State {
	if n.do != "go" {
		return fsm.Later
	}
	return c.onMessage(cx, n)
}

// clerks take every message in idle, none in busy (Defer), "go" alone in done (Later).
func clerks(t testing.TB, o reactor.Options) *reactor.Kind[clerk, note] {
	all := fsm.To(idle, busy, done)
	return kind(t, "clerk", o, reactor.Table[clerk, note]{
		fsm.Any: {},
		idle:    {Name: "idle", Within: fsm.Never, OnMessage: (*clerk).onMessage, To: all},
		busy:    {Name: "busy", Within: fsm.After(time.Second, idle), Defer: true, To: all},
		done:    {Name: "done", Within: fsm.After(time.Second, idle), OnMessage: (*clerk).fussy, To: all},
	})
}

func post(t testing.TB, ref reactor.Ref[note], notes ...note) {
	t.Helper()
	for _, n := range notes {
		if err := ref.Send(n); err != nil {
			t.Fatalf("send %s%d: %v", n.do, n.num, err)
		}
	}
}

func nums(do string, from, to int) (all []note) {
	for i := from; i <= to; i++ {
		all = append(all, note{do: do, num: i})
	}
	return all
}

func TestMessagesBeforeBirthAreKeptInOrder(t *testing.T) {
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
		t.Errorf("one more than Options.Mailbox: %v", err)
	}
	post(t, b, nums("n", 1, 2)...)
	if err := b.Send(note{}); !errors.Is(err, reactor.ErrFull) {
		t.Errorf("one more than Options.Queue: %v", err)
	}
	runs(t, l)
	d.Settle()
	log.take()
	post(t, a, nums("n", 4, 6)...)
	d.Settle()
	log.want(t, "n4 n5 n6")
}

func TestSendToNobody(t *testing.T) {
	var nobody reactor.Ref[note]
	if err := nobody.Send(note{}); !errors.Is(err, reactor.ErrStale) {
		t.Errorf("the zero Ref: %v", err)
	}
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{Slots: 1})
	k := clerks(t, reactor.Options{})
	first := spawn(t, l, k, clerk{log: log})
	post(t, first, note{do: "stop"})
	d.Settle()
	second := spawn(t, l, k, clerk{log: log})
	if err := first.Send(note{}); !errors.Is(err, reactor.ErrStale) || first.Token().Index() != second.Token().Index() {
		t.Errorf("a machine whose slot has another one: %v", err)
	}
	l.Close()
	if err := second.Send(note{}); !errors.Is(err, reactor.ErrClosed) {
		t.Errorf("a loop that has ended: %v", err)
	}
}

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
	s := stats(t, l)
	if s.Messages+s.Dead < 8 || s.Machines != 0 {
		t.Errorf("8 messages were accepted, %d handled (some twice: Later), %d dead", s.Messages, s.Dead)
	}
	// n1 to n3 were kept when "stop" came, or handled behind it: never lost.
	handled := strings.Fields(log.take())
	dead := 8
	for _, name := range []string{"go0", "go1", "n1", "n2", "n3", "stop0", "n4", "n5"} {
		if slices.Contains(handled, name) {
			dead--
		}
	}
	if int(s.Dead) != dead {
		t.Errorf("%d dead, want %d: handled %q", s.Dead, dead, handled)
	}
}

// A machine posts to itself until it has done so often enough.
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
	post(t, spawn(t, l, k, clerk{log: log, left: 10_000}), note{})
	d.Settle()
	log.want(t, "done")
	if n := stats(t, l).Parks; n > 100 {
		t.Errorf("the loop slept %d times with messages of its own waiting", n)
	}
}

// sum checks that each sender's messages come once and in order.
type sum struct {
	next []int
	left int
	over chan string
}

func (s *sum) onMessage(_ *postCx, n *note) reactor.State {
	if n.num != s.next[int(n.to)] {
		s.over <- fmt.Sprintf("sender %d: message %d, want %d", n.to, n.num, s.next[int(n.to)])
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
						t.Errorf("send: %v", err)
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

// awaitVerdict waits for what a machine found wrong: nothing is right.
func awaitVerdict(t testing.TB, over <-chan string) {
	t.Helper()
	if wrong := await(t, "the last message, unless a message or a wake-up is lost", over); wrong != "" {
		t.Error(wrong)
	}
}
