package fuzz

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

// letter is a line on its way from a writer to all others: over a courier, and the office
// on another loop.
type letter struct {
	from reactor.Ref[letter]
	line string
}

type (
	letterCx = reactor.Context[letter]
	post     struct{ writers []reactor.Ref[letter] }

	writer struct {
		post     *post
		couriers []reactor.Ref[letter]
		lines    int
	}
	courier struct{ office reactor.Ref[letter] }
	office  struct{ post *post }
)

var (
	writerKind = reactor.Must(reactor.NewKind("writer", reactor.Options{Ports: []string{"peer"}, Queue: 64}, reactor.Table[writer, letter]{
		{Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnEnter: (*writer).come, OnExit: (*writer).leave,
			OnMessage: func(_ *writer, cx *letterCx, l *letter) reactor.State {
				return cx.Fail(full(cx.Write(peer, []byte(l.line))))
			}},
		{Name: "writing", Wait: peer.Readable().While(fsm.Sendable), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*writer).write}}))
	courierKind = reactor.Must(reactor.NewKind("courier", reactor.Options{Queue: 64}, reactor.Table[courier, letter]{
		{Shutdown: fsm.Stop},
		{Name: "carrying", Idle: fsm.Never, OnMessage: func(c *courier, cx *letterCx, l *letter) reactor.State {
			c.office.Post(&cx.IO, *l)
			return fsm.Stay
		}}}))
	officeKind = reactor.Must(reactor.NewKind("office", reactor.Options{Queue: 64}, reactor.Table[office, letter]{
		{Shutdown: fsm.Stop},
		{Name: "open", Idle: fsm.Never, OnMessage: func(o *office, cx *letterCx, l *letter) reactor.State {
			for _, to := range o.post.writers {
				if to != l.from {
					to.Post(&cx.IO, *l)
				}
			}
			return fsm.Stay
		}}}))
)

func (w *writer) come(cx *letterCx) reactor.State {
	w.post.writers = append(w.post.writers, cx.Self())
	return fsm.Stay
}

func (w *writer) leave(cx *letterCx) {
	w.post.writers = slices.DeleteFunc(w.post.writers, func(r reactor.Ref[letter]) bool { return r == cx.Self() })
}

func (w *writer) write(cx *letterCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	n := bytes.IndexByte(in, '\n') + 1
	if n == 0 || w.couriers[w.lines%len(w.couriers)].Post(&cx.IO, letter{cx.Self(), string(in[:n])}) != nil {
		return fsm.Stay
	}
	w.lines++
	cx.Discard(peer, n)
	return fsm.Stay
}

// lettersSpec returns a Spec of an office on loop 1, and a courier on each of the loops. The
// writers, on loop 0, use some of the couriers in turn.
func lettersSpec(ways []int) Spec {
	return Spec{
		Loops: 3, Dict: []string{"a\n", "b\n", "c\n"},
		Oracles: []Oracle{Ordered("lines", firstLine)},
		Setup: func(w *World) error {
			p := &post{}
			to, err := officeKind.Spawn(w.Loop(1), office{p})
			if err != nil {
				return err
			}
			var couriers []reactor.Ref[letter]
			for _, loop := range ways {
				ref, err := courierKind.Spawn(w.Loop(loop), courier{to})
				if err != nil {
					return err
				}
				couriers = append(couriers, ref)
			}
			_, err = writerKind.Listen(w.Loop(0), "tcp", ":7000", writer{post: p, couriers: couriers})
			return err
		},
	}
}

// Lines that take two ways overtake each other, and those that take one do not.
func TestOrdered(t *testing.T) {
	for _, ways := range [][]int{{0, 2}, {0, 1}}[:testenv.Pick(1, 2)] {
		for seed := range uint64(testenv.Pick(1, 2)) {
			found := Find(lettersSpec(ways), seed, Budget{Runs: 1000})
			if f := found.Failure; f == nil || f.Oracle != `order "lines"` || !strings.Contains(f.Text, " behind ") {
				t.Errorf("ways over loops %v, seed %d: %v", ways, seed, found)
			} else if seed == 0 {
				t.Logf("ways over loops %v: %v\n%s", ways, found, found.Trace)
			}
		}
	}
	for _, way := range []int{0, 1, 2} {
		if found := Find(lettersSpec([]int{way}), 1, Budget{Runs: testenv.Pick(100, 500)}); found.Failure != nil {
			t.Errorf("one way, over loop %d: %s", way, found.Explain())
		}
	}
}
