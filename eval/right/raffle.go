package right

import (
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// drum has the numbers of a raffle that are not drawn: bit n for number n.
type drum struct {
	in   uint
	seed uint32
}

// raffle draws numbers for all its connections: "draw" gives one that is in the drum, any of
// them, "back N" puts one back, and "count" returns how many there are.
type raffle struct{ *drum }

type raffleCx = reactor.Context[reactor.None]

const (
	rafflePeer reactor.Port = 0
	raffleAll  uint         = 0b11110
)

func newRaffle() *reactor.Kind[raffle, reactor.None] {
	return reactor.Must(reactor.NewKind("raffle", reactor.Options{Ports: []string{"peer"}, WriteBuffer: 4096},
		reactor.Table[raffle, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "serving", Wait: rafflePeer.Readable().While(rafflePeer.Room()), OnReady: (*raffle).serve,
				Idle: fsm.After(time.Minute, fsm.Stop)},
		}))
}

func (r *raffle) serve(cx *raffleCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(rafflePeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	if back, ok := raffleNumber(line); ok && r.in&back == 0 {
		return respond(&cx.IO, rafflePeer, "thanks\n", n, func() { r.in |= back })
	}
	switch {
	case line == "count":
		return respond(&cx.IO, rafflePeer, fmt.Sprintf("%d are left\n", bits.OnesCount(r.in)), n, func() {})
	case line == "draw" && r.in == 0:
		return respond(&cx.IO, rafflePeer, "none\n", n, func() {})
	case line == "draw":
		number := r.any()
		return respond(&cx.IO, rafflePeer, fmt.Sprintf("number %d\n", number), n, func() { r.in &^= 1 << number })
	}
	return respond(&cx.IO, rafflePeer, "error\n", n, func() {})
}

// any returns a number that is in the drum.
func (d *drum) any() int {
	d.seed = d.seed*1664525 + 1013904223
	in := d.in
	for range int(d.seed>>16) % bits.OnesCount(in) {
		in &= in - 1
	}
	return bits.TrailingZeros(in)
}

func raffleNumber(line string) (bit uint, ok bool) {
	s, ok := strings.CutPrefix(line, "back ")
	if len(s) != 1 {
		return 0, false
	}
	bit = 1 << (s[0] - '0')
	return bit, ok && bit&raffleAll != 0
}

// raffleSteps allows each number that is in the drum.
func raffleSteps(in uint, line string, _ fuzz.Moment) (all []fuzz.Outcome[uint]) {
	answer := "error\n"
	if back, ok := raffleNumber(line); ok && in&back == 0 {
		in, answer = in|back, "thanks\n"
	} else if line == "count" {
		answer = fmt.Sprintf("%d are left\n", bits.OnesCount(in))
	} else if line == "draw" && in == 0 {
		answer = "none\n"
	} else if line == "draw" {
		for n := 1; raffleAll>>n > 0; n++ {
			if in>>n&1 == 1 {
				all = append(all, fuzz.Outcome[uint]{State: in &^ (1 << n), Answer: fmt.Sprintf("number %d\n", n)})
			}
		}
		return all
	}
	return []fuzz.Outcome[uint]{{State: in, Answer: answer}}
}

func raffleSpec() fuzz.Spec {
	kind := newRaffle()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", raffle{&drum{in: raffleAll, seed: 1}})
			return err
		},
		Dict: []string{"draw\n", "back 1\n", "back 2\n", "back 3\n", "count\n", "dr", "aw\ndraw\n"},
		Oracles: []fuzz.Oracle{fuzz.Linear("one drum", fuzz.Model[uint, string]{
			New:   func() uint { return raffleAll },
			Input: inputLine,
			Steps: raffleSteps,
		})},
	}
}
