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

func (c *clerk) told(cx *postCx, n *note) reactor.State {
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

// fussy takes only "go" and "n": in the state busy everything else waits.
func (c *clerk) fussy(cx *postCx, n *note) reactor.State {
	if n.do != "go" {
		return fsm.Defer
	}
	return c.told(cx, n)
}

// clerks take every message in idle, none in busy (Row.Defer), "go" alone in done (fsm.Defer).
func clerks(t testing.TB, o reactor.Options) *reactor.Kind[clerk, note] {
	all := fsm.To(idle, busy, done)
	return kind(t, "clerk", o, reactor.Table[clerk, note]{
		fsm.Any: {},
		idle:    {Name: "idle", Within: fsm.Never, OnMessage: (*clerk).told, To: all},
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
	d.settle()
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
	d.settle()
	log.take()
	post(t, a, nums("n", 4, 6)...)
	d.settle()
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
	d.settle()
	second := spawn(t, l, k, clerk{log: log})
	if err := first.Send(note{}); !errors.Is(err, reactor.ErrStale) || first.Token().Index() != second.Token().Index() {
		t.Errorf("a machine whose slot has another one: %v", err)
	}
	l.Close()
	if err := second.Send(note{}); !errors.Is(err, reactor.ErrClosed) {
		t.Errorf("a loop that has ended: %v", err)
	}
}

func TestDeferKeepsMessagesAndTheirPlaces(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ref := spawn(t, l, clerks(t, reactor.Options{Mailbox: 4}), clerk{log: log})
	post(t, ref, note{do: "go", to: busy})
	d.settle()
	post(t, ref, nums("n", 1, 2)...)
	d.settle()
	post(t, ref, nums("n", 3, 4)...)
	d.settle()
	log.want(t, "go0")
	if err := ref.Send(note{}); !errors.Is(err, reactor.ErrFull) {
		t.Errorf("a fifth with four kept: %v", err)
	}
	d.advance(time.Second)
	log.want(t, "n1 n2 n3 n4")
	post(t, ref, nums("n", 5, 8)...)
	d.settle()
	log.want(t, "n5 n6 n7 n8")
}

// What machines keep has left the ring that they share with the others of their kind.
func TestKeptMessagesAreInNobodysWay(t *testing.T) {
	const machines, mailbox = 100, 7 // more than a page of them
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{Slots: machines + 1})
	k := clerks(t, reactor.Options{Mailbox: mailbox, Queue: 8})
	for range machines {
		ref := spawn(t, l, k, clerk{log: log})
		post(t, ref, note{do: "go", to: busy})
		d.settle()
		post(t, ref, nums("n", 1, mailbox)...)
		d.settle()
		if err := ref.Send(note{}); !errors.Is(err, reactor.ErrFull) {
			t.Fatalf("one more than Options.Mailbox: %v", err)
		}
	}
	log.take()
	ref := spawn(t, l, k, clerk{log: log})
	post(t, ref, nums("m", 1, 7)...)
	d.settle()
	log.want(t, "m1 m2 m3 m4 m5 m6 m7")
	d.advance(time.Second)
	if got, want := log.take(), strings.Repeat(" n1 n2 n3 n4 n5 n6 n7", machines); got != want[1:] {
		t.Errorf("%d bytes of %d were handed out: %.100s", len(got), len(want), got)
	}
}

// A message that is kept does not keep the one from being handled that the machine
// waits for.
func TestLaterHoldsUpNothingElse(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ref := spawn(t, l, clerks(t, reactor.Options{Mailbox: 4}), clerk{log: log})
	post(t, ref, note{do: "go", to: done})
	d.settle()
	post(t, ref, nums("n", 1, 3)...)
	d.settle()
	log.want(t, "go0")
	post(t, ref, note{do: "go", num: 1, to: idle})
	d.settle()
	log.want(t, "go1 n1 n2 n3")
}

// What one state keeps and the next one too stays in its place.
func TestLaterKeepsTheOrder(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ref := spawn(t, l, clerks(t, reactor.Options{}), clerk{log: log})
	post(t, ref, note{do: "go", to: busy})
	d.settle()
	// Behind busy all of it is handed out at once: to idle, which goes to done,
	// which keeps 1 and 2 and goes to idle at the second "go".
	post(t, ref, note{do: "go", num: 1, to: done}, note{do: "n", num: 1}, note{do: "n", num: 2},
		note{do: "go", num: 2, to: idle}, note{do: "n", num: 3})
	d.settle()
	d.advance(time.Second)
	log.want(t, "go0 go1 go2 n1 n2 n3")
	if n := stats(t, l).Dead; n != 0 {
		t.Errorf("%d messages are dead", n)
	}
}

// In a state that returns Defer, what comes after a transition to itself is behind
// what is kept.
func TestMessagesDuringRedelivery(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ref := spawn(t, l, clerks(t, reactor.Options{}), clerk{log: log})
	post(t, ref, note{do: "go", to: done})
	d.settle()
	post(t, ref, nums("n", 1, 2)...)
	d.settle()
	// The last three come in the batch in which the state changes.
	d.atOnce(func() { post(t, ref, note{do: "n", num: 3}, note{do: "go", num: 1, to: idle}, note{do: "n", num: 4}) })
	log.want(t, "go0 go1 n1 n2 n3 n4")
}

func TestDeadMessagesAreCounted(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ref := spawn(t, l, clerks(t, reactor.Options{}), clerk{log: log})
	post(t, ref, note{do: "go", to: done})
	d.settle()
	post(t, ref, nums("n", 1, 3)...)
	d.settle()
	d.atOnce(func() {
		post(t, ref, note{do: "go", num: 1, to: idle}, note{do: "stop"}, note{do: "n", num: 4}, note{do: "n", num: 5})
	})
	s := stats(t, l)
	if s.Messages+s.Dead < 8 || s.Machines != 0 {
		t.Errorf("8 messages were accepted, %d handled (some twice: Defer), %d dead", s.Messages, s.Dead)
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
	d.settle()
	log.want(t, "done")
	if n := stats(t, l).Parks; n > 100 {
		t.Errorf("the loop slept %d times with messages of its own waiting", n)
	}
}

// pump reads a port while its messages are taken, and posts each byte.
type pump struct {
	to    reactor.Ref[note]
	ended *ends // told of errors that are no refusal
}

func (p *pump) ready(cx *reactor.Context[note], _ reactor.Ready) reactor.State {
	b, err := cx.Peek(0)
	if err != nil {
		return cx.Fail(err)
	}
	for i, c := range b {
		if err := p.to.Post(&cx.IO, note{do: string(c)}); err != nil {
			if err != reactor.ErrFull {
				p.ended.told(cx.Token(), err)
			}
			cx.Discard(0, i)
			return fsm.Stay
		}
	}
	cx.Discard(0, len(b))
	return fsm.Stay
}

func (p *pump) told(*reactor.Context[note], *note) reactor.State { return fsm.Stay }

func pumps(t testing.TB, gated bool) *reactor.Kind[pump, note] {
	wait := reactor.Port(0).Readable()
	if gated {
		wait = wait.While(fsm.Sendable)
	}
	return kind(t, "pump", reactor.Options{Ports: []string{"in"}}, reactor.Table[pump, note]{
		fsm.Any: {OnMessage: (*pump).told},
		idle:    {Name: "idle", Within: fsm.Never, Wait: wait, OnReady: (*pump).ready},
	})
}

const alphabet = "abcdefghijklmnopqrstuvwxyz"

// letters is what a clerk's journal says of the alphabet, and of nothing else.
func letters(log *journal) (s string) {
	for _, r := range log.take() {
		if r >= 'a' && r <= 'z' {
			s += string(r)
		}
	}
	return s
}

// A Post that is refused closes Sendable, and no byte is lost: with the gate in Wait
// the handler is called when there is room; without it too, as a refusal is noted.
func TestSendableClosesAndReopens(t *testing.T) {
	for _, gated := range []bool{true, false} {
		for _, loops := range []int{1, 2} {
			name := fmt.Sprintf("gated %t, %d loops", gated, loops)
			d, log := newFake(t), &journal{}
			l := d.start(reactor.Config{})
			d2, l2 := beside(d, l, loops)
			to := spawn(t, l2, clerks(t, reactor.Options{Mailbox: 3}), clerk{log: log})
			post(t, to, note{do: "go", to: busy})
			d2.settle()
			log.take()
			s, _ := adopt(d, l, pumps(t, gated), pump{to: to})
			s.sends(alphabet[:10])
			s.sends(alphabet[10:20])
			log.want(t, "") // three are kept, the others wait at their sender
			unread := func() int { d.mu.Lock(); defer d.mu.Unlock(); return len(s.in) }
			if n := unread(); gated && n != 1 {
				t.Errorf("%s: %d pieces unread while the gate is closed, want 1", name, n)
			}
			for range 10 { // the clerk turns to idle, and each loop's room wakes the other
				d2.advance(100 * time.Millisecond)
				d.settle()
				d2.settle()
			}
			for range 40 {
				d.settle()
				d2.settle()
			}
			if got := letters(log); got != alphabet[:20] {
				t.Errorf("%s: delivered %q", name, got)
			}
		}
	}
}

// The one that refused ends: that is room, too, and the next Post says ErrStale.
func TestSendableReopensWhenTheReceiverEnds(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ended := newEnds()
	to := spawn(t, l, kind(t, "mortal", reactor.Options{Mailbox: 1}, reactor.Table[clerk, note]{
		fsm.Any: {OnMessage: (*clerk).told},
		idle:    {Name: "idle", Within: fsm.After(time.Second, fsm.Stop), Defer: true},
	}), clerk{log: log})
	s, _ := adopt(d, l, pumps(t, true), pump{to: to, ended: ended})
	s.sends("ab")
	s.sends("c")
	ended.none(t)
	d.advance(time.Second)
	if err := ended.next(t); !errors.Is(err, reactor.ErrStale) {
		t.Errorf("the Post behind the refused one: %v", err)
	}
	if n := stats(t, l).Dead; n != 1 {
		t.Errorf("%d messages are dead, want 1", n)
	}
}

// sum checks that each sender's messages come once and in order.
type sum struct {
	next []int
	left int
	over chan string
}

func (s *sum) told(_ *postCx, n *note) reactor.State {
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
		fsm.Any: {OnMessage: (*sum).told},
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
	awaits(t, over)
}

func awaits(t testing.TB, over <-chan string) {
	t.Helper()
	select {
	case wrong := <-over:
		if wrong != "" {
			t.Error(wrong)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("messages were lost, or a wake-up was")
	}
}
