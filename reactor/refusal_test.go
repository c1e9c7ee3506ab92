package reactor_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// poster has one message for each of its targets, in their order; what is refused it
// tries again when it is called.
type poster struct {
	to    []reactor.Ref[note]
	name  string
	once  bool // it does not try again
	calls *atomic.Int64
}

func (p *poster) ready(cx *postCx, _ reactor.Ready) reactor.State {
	p.calls.Add(1)
	for len(p.to) > 0 {
		if err := p.to[0].Post(&cx.IO, note{do: p.name}); err != nil {
			if p.once {
				p.to = nil
			}
			return cx.Fail(orRefused(err))
		}
		p.to = p.to[1:]
	}
	return fsm.Stay
}

// posters wait for a port that is readable for ever, and for room.
func posters(t testing.TB) *reactor.Kind[poster, note] {
	return kind(t, "poster", reactor.Options{Ports: []string{"in"}}, reactor.Table[poster, note]{
		fsm.Any: {OnMessage: func(*poster, *postCx, *note) reactor.State { return fsm.Stop }},
		idle: {Name: "idle", Within: fsm.Never, Wait: reactor.Port(0).Readable().While(fsm.Sendable),
			OnReady: (*poster).ready},
	})
}

// newPoster makes a poster whose first message is refused.
func newPoster(d *fake, l *reactor.Loop, name string, once bool, to ...reactor.Ref[note]) reactor.Ref[note] {
	d.t.Helper()
	_, ref := adopt(d, l, posters(d.t), poster{to: to, name: name, once: once, calls: new(atomic.Int64)})
	return ref
}

// closed is a clerk that takes no messages until a second has passed, or it is told
// to; so many wait already.
func closed(d *fake, l *reactor.Loop, log *journal, o reactor.Options, full int) reactor.Ref[note] {
	d.t.Helper()
	ref := spawn(d.t, l, clerks(d.t, o), clerk{log: log})
	post(d.t, ref, note{do: "go", to: busy})
	d.settle()
	post(d.t, ref, nums("n", 1, full)...)
	d.settle()
	log.take()
	return ref
}

// Of a thousand that wait for a mailbox of four, four are called when it is empty.
func TestAsManyAreLetInAsThereIsRoom(t *testing.T) {
	const machines = 1000
	d, log, calls := newFake(t), &journal{}, new(atomic.Int64)
	l := d.start(reactor.Config{Slots: machines + 1})
	to := closed(d, l, log, reactor.Options{Mailbox: 4}, 4)
	k := posters(t)
	for i := range machines {
		if _, err := k.Adopt(l, fakeConn{d.sock()}, poster{to: []reactor.Ref[note]{to}, name: fmt.Sprint(i), calls: calls}); err != nil {
			t.Fatal(err)
		}
	}
	d.settle()
	d.advance(time.Second)
	want := "n1 n2 n3 n4"
	for i := range machines {
		want += fmt.Sprintf(" %d0", i)
	}
	if log.take() != want {
		t.Error("not each came once, in the order that they were refused")
	}
	if n := calls.Load(); n > 3*machines {
		t.Errorf("%d calls for %d messages", n, machines)
	}
}

func TestRoomThatIsLeftIsForTheNext(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	to := closed(d, l, log, reactor.Options{Mailbox: 1}, 1)
	for _, name := range []string{"a", "b", "c"} {
		newPoster(d, l, name, true, to)
	}
	newPoster(d, l, "d", false, to)
	d.advance(time.Second)
	log.want(t, "n1 d0")
}

// One that ends while it waits leaves no gap, and its slot's next machine waits at
// a door of its own.
func TestRefusedMachineEnds(t *testing.T) {
	for ends := range 3 {
		d, log := newFake(t), &journal{}
		l := d.start(reactor.Config{Slots: 5})
		to := closed(d, l, log, reactor.Options{Mailbox: 1}, 1)
		d.advance(time.Second / 2)
		other := closed(d, l, log, reactor.Options{Mailbox: 1}, 1)
		var waiting []reactor.Ref[note]
		want := "n1"
		for i, name := range []string{"a", "b", "c"} {
			waiting = append(waiting, newPoster(d, l, name, false, to))
			if i != ends {
				want += " " + name + "0"
			}
		}
		post(t, waiting[ends], note{})
		d.settle()
		again := newPoster(d, l, "again", false, other)
		if again.Token().Index() != waiting[ends].Token().Index() {
			t.Fatalf("slot %d was not used again", waiting[ends].Token().Index())
		}
		d.advance(time.Second / 2)
		log.want(t, want)
		d.advance(time.Second / 2)
		log.want(t, "n1 again0")
	}
}

// Who is refused by two gets through to both, whichever has room first.
func TestRefusedByTwo(t *testing.T) {
	for _, first := range []int{0, 1} {
		d, d2, log := newFake(t), newFake(t), &journal{}
		l, l2 := d.start(reactor.Config{}), d2.start(reactor.Config{})
		var to [2]reactor.Ref[note]
		to[first] = closed(d2, l2, log, reactor.Options{Mailbox: 1}, 1)
		d2.advance(time.Second / 2)
		to[1-first] = closed(d2, l2, log, reactor.Options{Mailbox: 1}, 1)
		newPoster(d, l, "p", false, to[0], to[1])
		for range 20 {
			d2.advance(100 * time.Millisecond)
			d.settle()
			d2.settle()
		}
		log.want(t, map[int]string{0: "n1 p0 n1 p0", 1: "n1 n1 p0 p0"}[first])
	}
}

// The ring that mailboxes share can be what is full.
func TestRefusedByTheRing(t *testing.T) {
	for _, loops := range []int{1, 2} {
		d, log := newFake(t), &journal{}
		l := d.start(reactor.Config{})
		d2, l2 := beside(d, l, loops)
		k := clerks(t, reactor.Options{Queue: 2})
		to := []reactor.Ref[note]{spawn(t, l2, k, clerk{log: log}), spawn(t, l2, k, clerk{log: log})}
		all := append(append(append([]reactor.Ref[note]{}, to...), to...), to...)
		for i := range 3 {
			newPoster(d, l, fmt.Sprint("p", i), false, all...)
		}
		for range 40 {
			d.settle()
			d2.settle()
		}
		if got := len(strings.Fields(log.take())); got != 3*len(all) {
			t.Errorf("%d loops: %d of %d messages were handled", loops, got, 3*len(all))
		}
	}
}

// feeder posts until it is refused, and goes on when Sendable opens: it waits for a
// port that is readable for ever.
type feeder struct {
	to   reactor.Ref[note]
	me   reactor.State
	sent int
	most int
}

func (f *feeder) ready(cx *postCx, _ reactor.Ready) reactor.State {
	for f.sent < f.most {
		if err := f.to.Post(&cx.IO, note{num: f.sent, to: f.me}); err != nil {
			return cx.Fail(orRefused(err))
		}
		f.sent++
	}
	return fsm.Stay
}

// feeders go on when Sendable opens; a message has them post as many more.
func feeders(t testing.TB) *reactor.Kind[feeder, note] {
	return kind(t, "feeder", reactor.Options{Ports: []string{"in"}}, reactor.Table[feeder, note]{
		fsm.Any: {OnMessage: func(f *feeder, _ *postCx, n *note) reactor.State { f.most += n.num; return fsm.Stay }},
		idle: {Name: "idle", Within: fsm.Never, Wait: reactor.Port(0).Readable().While(fsm.Sendable),
			OnReady: (*feeder).ready},
	})
}

// orRefused makes a refusal what a handler waits for.
func orRefused(err error) error {
	if errors.Is(err, reactor.ErrFull) {
		return reactor.ErrWouldBlock
	}
	return err
}

// Feeders on one loop fill the mailbox of a machine on another one, whose room must
// wake them each time.
func TestRefusedAcrossLoopsStress(t *testing.T) {
	const machines, each = 3, 5_000
	k := feeders(t)
	for _, mailbox := range []int{1, 2, 7} {
		d1, d2 := newFake(t), newFake(t)
		l1, l2 := d1.start(reactor.Config{}), d2.start(reactor.Config{})
		over := make(chan string, 2)
		takers := kind(t, "taker", reactor.Options{Mailbox: mailbox}, reactor.Table[sum, note]{
			fsm.Any: {OnMessage: (*sum).told},
			idle:    {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
		})
		ref := spawn(t, l2, takers, sum{next: make([]int, machines), left: machines * each, over: over})
		for i := range machines {
			s := d1.sock()
			if _, err := k.Adopt(l1, fakeConn{s}, feeder{to: ref, me: reactor.State(i), most: each}); err != nil {
				t.Fatal(err)
			}
		}
		awaits(t, over)
	}
}

// tally tells of the last of all messages.
type tally struct {
	left *int
	over chan string
}

func (c *tally) told(*postCx, *note) reactor.State {
	if *c.left--; *c.left == 0 {
		c.over <- ""
	}
	return fsm.Stay
}

func tallies(t testing.TB, o reactor.Options) *reactor.Kind[tally, note] {
	return kind(t, "tally", o, reactor.Table[tally, note]{
		fsm.Any: {OnMessage: (*tally).told},
		idle:    {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	})
}

// BenchmarkRefused is a message that was refused at first, with so many machines
// waiting: all for one mailbox, or each for one of its own.
func BenchmarkRefused(b *testing.B) {
	k := feeders(b)
	for _, each := range []bool{false, true} {
		for _, machines := range []int{100, 10_000} {
			b.Run(fmt.Sprintf("each=%t/%d", each, machines), func(b *testing.B) {
				d, over := newFake(b), make(chan string, 1)
				l, err := reactor.NewLoop(reactor.Config{Slots: 2 * machines, Driver: d})
				if err != nil {
					b.Fatal(err)
				}
				most := b.N/machines + 2
				left := most * machines
				takers := tallies(b, reactor.Options{Mailbox: 1, Queue: machines})
				var to reactor.Ref[note]
				for i := range machines {
					if each || i == 0 {
						to = spawn(b, l, takers, tally{&left, over})
					}
					if _, err := k.Adopt(l, fakeConn{d.sock()}, feeder{to: to, most: most}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportAllocs()
				b.ResetTimer()
				runs(b, l)
				awaits(b, over)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(most*machines), "ns/message")
			})
		}
	}
}
