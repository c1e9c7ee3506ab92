package reactor_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// Row.Defer stashes messages until the next state. They count against the mailbox.
func TestDeferKeepsMessagesAndTheirPlaces(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ref := spawn(t, l, clerks(t, reactor.Options{Mailbox: 4}), clerk{log: log})
	post(t, ref, note{do: "go", to: busy})
	d.Settle()
	post(t, ref, nums("n", 1, 2)...)
	d.Settle()
	post(t, ref, nums("n", 3, 4)...)
	d.Settle()
	log.want(t, "go0")
	if err := ref.Send(note{}); !errors.Is(err, reactor.ErrFull) {
		t.Errorf("Send with four of four messages stashed: got %v, want ErrFull", err)
	}
	d.Advance(time.Second)
	log.want(t, "n1 n2 n3 n4")
	post(t, ref, nums("n", 5, 8)...)
	d.Settle()
	log.want(t, "n5 n6 n7 n8")
}

// Stashed messages do not take room in the queue that all machines of the kind share.
func TestStashedMessagesLeaveTheQueue(t *testing.T) {
	const machines, mailbox = 100, 7 // more than a page of stashed messages
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{Slots: machines + 1})
	k := clerks(t, reactor.Options{Mailbox: mailbox, Queue: 8})
	for range machines {
		ref := spawn(t, l, k, clerk{log: log})
		post(t, ref, note{do: "go", to: busy})
		d.Settle()
		post(t, ref, nums("n", 1, mailbox)...)
		d.Settle()
		if err := ref.Send(note{}); !errors.Is(err, reactor.ErrFull) {
			t.Fatalf("Send beyond Options.Mailbox: got %v, want ErrFull", err)
		}
	}
	log.take()
	ref := spawn(t, l, k, clerk{log: log})
	post(t, ref, nums("m", 1, 7)...)
	d.Settle()
	log.want(t, "m1 m2 m3 m4 m5 m6 m7")
	d.Advance(time.Second)
	if got, want := log.take(), strings.Repeat(" n1 n2 n3 n4 n5 n6 n7", machines); got != want[1:] {
		t.Errorf("got %d bytes of calls that begin with %.100q, want %d", len(got), got, len(want)-1)
	}
}

// A message that is deferred does not hold up the one that the machine waits for.
func TestLaterHoldsUpNothingElse(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ref := spawn(t, l, clerks(t, reactor.Options{Mailbox: 4}), clerk{log: log})
	post(t, ref, note{do: "go", to: done})
	d.Settle()
	post(t, ref, nums("n", 1, 3)...)
	d.Settle()
	log.want(t, "go0")
	post(t, ref, note{do: "go", num: 1, to: idle})
	d.Settle()
	log.want(t, "go1 n1 n2 n3")
}

// Messages that one state defers, and the next one too, stay in their order.
func TestLaterKeepsTheOrder(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ref := spawn(t, l, clerks(t, reactor.Options{}), clerk{log: log})
	post(t, ref, note{do: "go", to: busy})
	d.Settle()
	// After busy all of it is delivered at once: to idle, which goes to done, which defers
	// 1 and 2 and goes to idle at the second "go".
	post(t, ref, note{do: "go", num: 1, to: done}, note{do: "n", num: 1}, note{do: "n", num: 2},
		note{do: "go", num: 2, to: idle}, note{do: "n", num: 3})
	d.Settle()
	d.Advance(time.Second)
	log.want(t, "go0 go1 go2 n1 n2 n3")
	if n := stats(t, l).Dead; n != 0 {
		t.Errorf("got %d dead messages, want 0", n)
	}
}

// Messages that come in the turn of a transition are handled after the stashed ones.
func TestMessagesDuringRedelivery(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ref := spawn(t, l, clerks(t, reactor.Options{}), clerk{log: log})
	post(t, ref, note{do: "go", to: done})
	d.Settle()
	post(t, ref, nums("n", 1, 2)...)
	d.Settle()
	// The last three come in the batch in which the state changes.
	d.AtOnce(func() { post(t, ref, note{do: "n", num: 3}, note{do: "go", num: 1, to: idle}, note{do: "n", num: 4}) })
	log.want(t, "go0 go1 n1 n2 n3 n4")
}

// A state is entered with stashed messages, and with a port's error pending that the
// handler has just closed: the stashed messages are delivered all the same.
func TestStashedMessagesBehindAnErrorOfAClosedPort(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := kind(t, "closer", reactor.Options{Ports: []string{"peer"}}, reactor.Table[clerk, note]{
		fsm.Any: {Shutdown: fsm.Stop},
		idle: {Name: "idle", Within: fsm.Never, To: fsm.To(busy), OnMessage: func(_ *clerk, cx *postCx, n *note) reactor.State {
			if n.do != "go" {
				return fsm.Defer
			}
			cx.Close(0)
			return busy
		}},
		busy: {Name: "busy", Within: fsm.Never, OnMessage: (*clerk).onMessage},
	})
	s, ref := adopt(d, l, k, clerk{log: log})
	post(t, ref, note{do: "n", num: 1})
	d.AtOnce(func() {
		d.Update(func() {
			s.Err = errors.New("reset")
			s.Event(poll.Error | poll.Readable | poll.Writable)
		})
		post(t, ref, note{do: "go"})
	})
	log.want(t, "n1")
}
