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

// pump posts each byte that it reads, until a Post is refused.
type pump struct {
	to    reactor.Ref[note]
	ended *ends // gets errors that are no refusal
}

func (p *pump) ready(cx *reactor.Context[note], _ reactor.Ready) reactor.State {
	b, err := cx.Peek(0)
	if err != nil {
		return cx.Fail(err)
	}
	for i, c := range b {
		if err := p.to.Post(&cx.IO, note{do: string(c)}); err != nil {
			if err != reactor.ErrFull {
				p.ended.add(cx.Token(), err)
			}
			cx.Discard(0, i)
			return fsm.Stay
		}
	}
	cx.Discard(0, len(b))
	return fsm.Stay
}

func (p *pump) onMessage(*reactor.Context[note], *note) reactor.State { return fsm.Stay }

func pumps(t testing.TB, gated bool) *reactor.Kind[pump, note] {
	wait := reactor.Port(0).Readable()
	if gated {
		wait = wait.While(fsm.Sendable)
	}
	return kind(t, "pump", reactor.Options{Ports: []string{"in"}}, reactor.Table[pump, note]{
		fsm.Any: {OnMessage: (*pump).onMessage},
		idle:    {Name: "idle", Within: fsm.Never, Wait: wait, OnReady: (*pump).ready},
	})
}

const alphabet = "abcdefghijklmnopqrstuvwxyz"

// letters returns the letters of a clerk's journal.
func letters(log *journal) (s string) {
	for _, r := range log.take() {
		if r >= 'a' && r <= 'z' {
			s += string(r)
		}
	}
	return s
}

// A Post that is refused closes the gate Sendable, and no byte is lost: the handler is
// called when the mailbox has room, also if its Wait does not name the gate.
func TestSendableClosesAndReopens(t *testing.T) {
	for _, gated := range []bool{true, false} {
		for _, loops := range []int{1, 2} {
			name := fmt.Sprintf("gated %t, %d loops", gated, loops)
			d, log := newFake(t), &journal{}
			l := d.start(reactor.Config{})
			d2, l2 := beside(d, l, loops)
			to := spawn(t, l2, clerks(t, reactor.Options{Mailbox: 3}), clerk{log: log})
			post(t, to, note{do: "go", to: busy})
			d2.Settle()
			log.take()
			s, _ := adopt(d, l, pumps(t, gated), pump{to: to})
			s.PeerSends(alphabet[:10])
			s.PeerSends(alphabet[10:20])
			log.want(t, "") // three are stashed, the others wait at their sender
			if n := s.Unread(); gated && n != 1 {
				t.Errorf("%s: got %d pieces unread while the gate is closed, want 1", name, n)
			}
			for range 10 { // the clerk goes to idle, and the loops wake each other
				d2.Advance(100 * time.Millisecond)
				d.Settle()
				d2.Settle()
			}
			for range 40 {
				d.Settle()
				d2.Settle()
			}
			if got := letters(log); got != alphabet[:20] {
				t.Errorf("%s: got %q delivered, want %q", name, got, alphabet[:20])
			}
		}
	}
}

// When the machine that refused ends, its sender is called, and the next Post returns
// ErrStale.
func TestSendableReopensWhenTheReceiverEnds(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ended := newEnds()
	to := spawn(t, l, kind(t, "mortal", reactor.Options{Mailbox: 1}, reactor.Table[clerk, note]{
		fsm.Any: {OnMessage: (*clerk).onMessage},
		idle:    {Name: "idle", Within: fsm.After(time.Second, fsm.Stop), Defer: true},
	}), clerk{log: log})
	s, _ := adopt(d, l, pumps(t, true), pump{to: to, ended: ended})
	s.PeerSends("ab")
	s.PeerSends("c")
	ended.none(t)
	d.Advance(time.Second)
	if err := ended.next(t); !errors.Is(err, reactor.ErrStale) {
		t.Errorf("the Post after the refused one: got %v, want ErrStale", err)
	}
	if n := stats(t, l).Dead; n != 1 {
		t.Errorf("got %d dead messages, want 1", n)
	}
}

// poster posts one message to each of its targets, in their order. If one is refused, it
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

// posters wait for a port that is always readable, and for Sendable.
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

// closed makes a clerk that handles no messages until a second has passed, or a "go"
// comes. So many messages are in its mailbox.
func closed(d *fake, l *reactor.Loop, log *journal, o reactor.Options, full int) reactor.Ref[note] {
	d.t.Helper()
	ref := spawn(d.t, l, clerks(d.t, o), clerk{log: log})
	post(d.t, ref, note{do: "go", to: busy})
	d.Settle()
	post(d.t, ref, nums("n", 1, full)...)
	d.Settle()
	log.take()
	return ref
}

// Of a thousand senders that wait for a mailbox of four, as many are woken as it has
// room for.
func TestAsManySendersAreWokenAsThereIsRoom(t *testing.T) {
	const machines = 1000
	d, log, calls := newFake(t), &journal{}, new(atomic.Int64)
	l := d.start(reactor.Config{Slots: machines + 1})
	to := closed(d, l, log, reactor.Options{Mailbox: 4}, 4)
	k := posters(t)
	for i := range machines {
		if _, err := k.Adopt(l, d.NewSocket().Conn(), poster{to: []reactor.Ref[note]{to}, name: fmt.Sprint(i), calls: calls}); err != nil {
			t.Fatal(err)
		}
	}
	d.Settle()
	d.Advance(time.Second)
	want := "n1 n2 n3 n4"
	for i := range machines {
		want += fmt.Sprintf(" %d0", i)
	}
	if got := log.take(); got != want {
		t.Errorf("got %d bytes of calls that end in %q, want each sender's message once, in the order of the refusals", len(got), got[max(0, len(got)-30):])
	}
	if n := calls.Load(); n != 3*machines { // refused, woken, and once more as its port is readable
		t.Errorf("got %d calls for %d messages, want %d", n, machines, 3*machines)
	}
}

// A sender that is woken and does not post leaves the room to the next one.
func TestRoomThatIsLeftIsForTheNext(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	to := closed(d, l, log, reactor.Options{Mailbox: 1}, 1)
	for _, name := range []string{"a", "b", "c"} {
		newPoster(d, l, name, true, to)
	}
	newPoster(d, l, "d", false, to)
	d.Advance(time.Second)
	log.want(t, "n1 d0")
}

// A sender that ends while it waits leaves the queue, and its slot's next machine waits
// in the queue of its own receiver.
func TestRefusedMachineEnds(t *testing.T) {
	for ends := range 3 {
		d, log := newFake(t), &journal{}
		l := d.start(reactor.Config{Slots: 5})
		to := closed(d, l, log, reactor.Options{Mailbox: 1}, 1)
		d.Advance(time.Second / 2)
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
		d.Settle()
		again := newPoster(d, l, "again", false, other)
		if again.Token().Index() != waiting[ends].Token().Index() {
			t.Fatalf("got slot %d, want slot %d again", again.Token().Index(), waiting[ends].Token().Index())
		}
		d.Advance(time.Second / 2)
		log.want(t, want)
		d.Advance(time.Second / 2)
		log.want(t, "n1 again0")
	}
}

// A sender that was refused by two receivers reaches both, whichever has room first.
func TestRefusedByTwo(t *testing.T) {
	for _, first := range []int{0, 1} {
		d, d2, log := newFake(t), newFake(t), &journal{}
		l, l2 := d.start(reactor.Config{}), d2.start(reactor.Config{})
		var to [2]reactor.Ref[note]
		to[first] = closed(d2, l2, log, reactor.Options{Mailbox: 1}, 1)
		d2.Advance(time.Second / 2)
		to[1-first] = closed(d2, l2, log, reactor.Options{Mailbox: 1}, 1)
		newPoster(d, l, "p", false, to[0], to[1])
		for range 20 {
			d2.Advance(100 * time.Millisecond)
			d.Settle()
			d2.Settle()
		}
		log.want(t, map[int]string{0: "n1 p0 n1 p0", 1: "n1 n1 p0 p0"}[first])
	}
}

// The queue that the mailboxes of a kind share can be full, too.
func TestRefusedByTheQueue(t *testing.T) {
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
			d.Settle()
			d2.Settle()
		}
		if got := len(strings.Fields(log.take())); got != 3*len(all) {
			t.Errorf("%d loops: got %d messages handled, want %d", loops, got, 3*len(all))
		}
	}
}

// feeder posts until it is refused, and goes on when Sendable opens: its port is always
// readable.
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

// feeders go on when Sendable opens. A message makes one post as many more.
func feeders(t testing.TB) *reactor.Kind[feeder, note] {
	return kind(t, "feeder", reactor.Options{Ports: []string{"in"}}, reactor.Table[feeder, note]{
		fsm.Any: {OnMessage: func(f *feeder, _ *postCx, n *note) reactor.State { f.most += n.num; return fsm.Stay }},
		idle: {Name: "idle", Within: fsm.Never, Wait: reactor.Port(0).Readable().While(fsm.Sendable),
			OnReady: (*feeder).ready},
	})
}

// orRefused makes a refusal an error for which Fail stays.
func orRefused(err error) error {
	if errors.Is(err, reactor.ErrFull) {
		return reactor.ErrWouldBlock
	}
	return err
}

// Feeders on one loop fill the mailbox of a machine on another loop, which has to wake
// them each time.
func TestRefusedAcrossLoopsStress(t *testing.T) {
	const machines, each = 3, 5_000
	k := feeders(t)
	for _, mailbox := range []int{1, 2, 7} {
		d1, d2 := newFake(t), newFake(t)
		l1, l2 := d1.start(reactor.Config{}), d2.start(reactor.Config{})
		over := make(chan string, 2)
		takers := kind(t, "taker", reactor.Options{Mailbox: mailbox}, reactor.Table[sum, note]{
			fsm.Any: {OnMessage: (*sum).onMessage},
			idle:    {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
		})
		ref := spawn(t, l2, takers, sum{next: make([]int, machines), left: machines * each, over: over})
		for i := range machines {
			s := d1.NewSocket()
			if _, err := k.Adopt(l1, s.Conn(), feeder{to: ref, me: reactor.State(i), most: each}); err != nil {
				t.Fatal(err)
			}
		}
		awaitVerdict(t, over)
	}
}

// tally reports the last of all messages.
type tally struct {
	left *int
	over chan string
}

func (c *tally) onMessage(*postCx, *note) reactor.State {
	if *c.left--; *c.left == 0 {
		c.over <- ""
	}
	return fsm.Stay
}

func tallies(t testing.TB, o reactor.Options) *reactor.Kind[tally, note] {
	return kind(t, "tally", o, reactor.Table[tally, note]{
		fsm.Any: {OnMessage: (*tally).onMessage},
		idle:    {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	})
}

// BenchmarkRefused measures a message that was refused at first, with so many senders
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
					if _, err := k.Adopt(l, d.NewSocket().Conn(), feeder{to: to, most: most}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportAllocs()
				b.ResetTimer()
				runs(b, l)
				awaitVerdict(b, over)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(most*machines), "ns/message")
			})
		}
	}
}
