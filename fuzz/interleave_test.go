package fuzz

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

// dish is an order on its way from a waiter to the kitchen, and what comes back.
type dish struct {
	number int
	line   string
}

// restaurant is what all machines share: who ordered what. In production a mutex guards it.
type restaurant struct{ orders map[int]reactor.Ref[dish] }

type (
	dishCx = reactor.Context[dish]

	waiter struct {
		at      *restaurant
		kitchen reactor.Ref[dish]
		wrong   bool // it writes the order down after it has passed it on
		number  *int
	}
	kitchen struct{ at *restaurant }
)

var (
	waiterKind = reactor.Must(reactor.NewKind("waiter", reactor.Options{Ports: []string{"peer"}, Queue: 64}, reactor.Table[waiter, dish]{
		{Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		{Name: "taking", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop),
			OnMessage: func(*waiter, *dishCx, *dish) reactor.State { return fsm.Stay }, OnReady: (*waiter).take, To: fsm.To(fsm.First + 1)},
		{Name: "waiting", Idle: fsm.After(time.Minute, fsm.Stop), To: fsm.To(fsm.First), OnMessage: func(_ *waiter, cx *dishCx, o *dish) reactor.State {
			if err := cx.Write(peer, []byte(o.line)); err != nil {
				return cx.Fail(err)
			}
			return fsm.First
		}},
	}))
	kitchenKind = reactor.Must(reactor.NewKind("kitchen", reactor.Options{Queue: 64}, reactor.Table[kitchen, dish]{
		{Shutdown: fsm.Stop},
		{Name: "open", Idle: fsm.Never, OnMessage: func(k *kitchen, cx *dishCx, o *dish) reactor.State {
			if to, known := k.at.orders[o.number]; known {
				delete(k.at.orders, o.number)
				to.Post(&cx.IO, dish{o.number, strings.ToUpper(o.line)})
			}
			return fsm.Stay
		}}}))
)

func (w *waiter) take(cx *dishCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	n := bytes.IndexByte(in, '\n') + 1
	if n == 0 {
		return fsm.Stay
	}
	*w.number++
	o := dish{*w.number, string(in[:n])}
	if !w.wrong {
		w.at.orders[o.number] = cx.Self()
	}
	if err := w.kitchen.Post(&cx.IO, o); err != nil {
		return cx.Stop(err)
	}
	if w.wrong {
		w.at.orders[o.number] = cx.Self()
	}
	cx.Discard(peer, n)
	return fsm.First + 1
}

func restaurantSpec(wrong bool) Spec {
	return Spec{
		Loops: 2, Dict: []string{"soup\n", "fish\n"}, Without: HangUp | LateEnd,
		Oracles: []Oracle{PerConn("orders", Model[struct{}, string]{
			Input: func(in []byte) (string, int, bool) {
				n := bytes.IndexByte(in, '\n') + 1
				return string(in[:n]), n, n > 0
			},
			Step: func(_ *struct{}, line string) string { return strings.ToUpper(line) },
		})},
		Setup: func(w *World) error {
			at := &restaurant{map[int]reactor.Ref[dish]{}}
			to, err := kitchenKind.Spawn(w.Loop(1), kitchen{at})
			if err == nil {
				_, err = waiterKind.Listen(w.Loop(0), "tcp", ":7000", waiter{at: at, kitchen: to, wrong: wrong, number: new(int)})
			}
			return err
		},
	}
}

// A message that is handled before its sender has gone on is found.
func TestInterleave(t *testing.T) {
	t.Parallel()
	for seed := range uint64(testenv.Pick(2, 10)) {
		found := Find(restaurantSpec(true), seed, Budget{Runs: 1000})
		if found.Failure == nil || found.Failure.Oracle != `model "orders"` {
			t.Errorf("seed %d: %v", seed, found)
		} else if text := found.Explain(); !strings.Contains(text, "faults that struck: interleave\n") || len(found.Trace) > 3 {
			t.Errorf("seed %d: %s", seed, text)
		}
	}
	without := restaurantSpec(true)
	without.Faults = trace.Weights{trace.Interleave: 0}
	for _, spec := range []Spec{restaurantSpec(false), without} {
		if found := Find(spec, 1, Budget{Runs: testenv.Pick(300, 1000)}); found.Failure != nil {
			t.Error(found.Explain())
		}
	}
}

// narrowKind is a courier whose mailbox has room for one letter: writers wait for room.
var narrowKind = reactor.Must(reactor.NewKind("narrow", reactor.Options{Queue: 2, Mailbox: 1}, reactor.Table[courier, letter]{
	{Shutdown: fsm.Stop},
	{Name: "carrying", Idle: fsm.Never, OnMessage: func(c *courier, cx *letterCx, l *letter) reactor.State {
		c.office.Post(&cx.IO, *l)
		return fsm.Stay
	}}}))

// Loops that take turns within handlers of others keep the order of messages, and wait for none
// of each other's locks when mailboxes are full.
func TestInterleaveKeepsOrder(t *testing.T) {
	t.Parallel()
	narrow := lettersSpec(nil)
	narrow.Setup = func(w *World) error {
		p := &post{}
		to, err := officeKind.Spawn(w.Loop(1), office{p})
		if err != nil {
			return err
		}
		ref, err := narrowKind.Spawn(w.Loop(2), courier{to})
		if err == nil {
			_, err = writerKind.Listen(w.Loop(0), "tcp", ":7000", writer{post: p, couriers: []reactor.Ref[letter]{ref}})
		}
		return err
	}
	var before trace.Trace
	for loop := range uint16(3) {
		before = append(before, trace.Event{Op: trace.Interleave, On: loop, A: 500})
	}
	for _, spec := range []Spec{lettersSpec([]int{0}), narrow} {
		struck := 0
		e := newEngine(spec)
		e.judge.Run(nil)
		e.world.Attach(counter{sim.FaultStruck, &struck})
		next := e.random(1, Swarm)
		for n := range testenv.Pick(150, 500) {
			tr := append(slices.Clone(before), next()...)
			if f := e.check(tr, n%8 == 0); f != nil {
				t.Fatalf("%v\n%s", f, tr)
			}
		}
		if struck < 500 {
			t.Errorf("faults struck %d times", struck)
		}
	}
}

// An action that sends to a machine is interrupted by its loop, once for each time that the
// trace says.
func TestInterleaveAction(t *testing.T) {
	var seen []string
	k := reactor.Must(reactor.NewKind("clerk", reactor.Options{Queue: 64}, reactor.Table[struct{}, dish]{
		{Shutdown: fsm.Stop},
		{Name: "open", Idle: fsm.Never, OnMessage: func(_ *struct{}, _ *dishCx, o *dish) reactor.State {
			seen = append(seen, o.line)
			return fsm.Stay
		}}}))
	spec := Spec{Setup: func(w *World) error {
		seen = nil
		to, err := k.Spawn(w.Loop(0), struct{}{})
		w.Action("send", func(int) {
			for _, line := range []string{"a", "b", "c"} {
				to.Send(dish{line: line})
				seen = append(seen, "sent")
			}
		})
		return err
	}}
	for text, want := range map[string]string{
		"act 0":                        "sent sent sent a b c",
		"interleave 0\nact 0":          "a sent sent sent b c",
		"interleave 0 times=2\nact 0":  "a sent b sent sent c",
		"interleave 0 times=9\nact 0":  "a sent b sent c sent",
		"interleave 0 times=9\nsettle": "",
	} {
		tr, err := trace.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		e := newEngine(spec)
		if f := e.check(tr, true); f != nil {
			t.Error(f)
		}
		e.run(tr)
		if got := strings.Join(seen, " "); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
