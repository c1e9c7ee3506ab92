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
		t.Errorf("a fifth with four kept: %v", err)
	}
	d.Advance(time.Second)
	log.want(t, "n1 n2 n3 n4")
	post(t, ref, nums("n", 5, 8)...)
	d.Settle()
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
		d.Settle()
		post(t, ref, nums("n", 1, mailbox)...)
		d.Settle()
		if err := ref.Send(note{}); !errors.Is(err, reactor.ErrFull) {
			t.Fatalf("one more than Options.Mailbox: %v", err)
		}
	}
	log.take()
	ref := spawn(t, l, k, clerk{log: log})
	post(t, ref, nums("m", 1, 7)...)
	d.Settle()
	log.want(t, "m1 m2 m3 m4 m5 m6 m7")
	d.Advance(time.Second)
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
	d.Settle()
	post(t, ref, nums("n", 1, 3)...)
	d.Settle()
	log.want(t, "go0")
	post(t, ref, note{do: "go", num: 1, to: idle})
	d.Settle()
	log.want(t, "go1 n1 n2 n3")
}

// What one state keeps and the next one too stays in its place.
func TestLaterKeepsTheOrder(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ref := spawn(t, l, clerks(t, reactor.Options{}), clerk{log: log})
	post(t, ref, note{do: "go", to: busy})
	d.Settle()
	// Behind busy all of it is handed out at once: to idle, which goes to done,
	// which keeps 1 and 2 and goes to idle at the second "go".
	post(t, ref, note{do: "go", num: 1, to: done}, note{do: "n", num: 1}, note{do: "n", num: 2},
		note{do: "go", num: 2, to: idle}, note{do: "n", num: 3})
	d.Settle()
	d.Advance(time.Second)
	log.want(t, "go0 go1 go2 n1 n2 n3")
	if n := stats(t, l).Dead; n != 0 {
		t.Errorf("%d messages are dead", n)
	}
}

// In a state that answers Later, what comes after a transition to itself is behind
// what is kept.
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

// A state is entered with messages that were kept for it, while an error is to be told
// that its handler has done away with: what was kept is handed out all the same.
func TestKeptMessagesBehindAnErrorThatIsGone(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := kind(t, "closer", reactor.Options{Ports: []string{"peer"}}, reactor.Table[clerk, note]{
		fsm.Any: {Shutdown: fsm.Stop},
		idle: {Name: "idle", Within: fsm.Never, To: fsm.To(busy), OnMessage: func(_ *clerk, cx *postCx, n *note) reactor.State {
			if n.do != "go" {
				return fsm.Later
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
