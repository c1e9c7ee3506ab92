package right

import (
	"fmt"
	"sync"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// machine that gives out numbers, over two loops that share an address.
type (
	ticketer  struct{ *roll }
	ticketsCx = reactor.Context[reactor.None]
)

// roll is shared by the loops.
type roll struct {
	mu   sync.Mutex
	next int
}

const ticketsPeer reactor.Port = 0

func newTicketer() *reactor.Kind[ticketer, reactor.None] {
	return reactor.Must(reactor.NewKind("ticketer", reactor.Options{Ports: []string{"peer"}, ReusePort: true},
		reactor.Table[ticketer, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "serving", Wait: ticketsPeer.Readable().While(ticketsPeer.Room()),
				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*ticketer).serve},
		}))
}

func (c *ticketer) serve(cx *ticketsCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(ticketsPeer)
	_, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return respond(&cx.IO, ticketsPeer, fmt.Sprintln(c.next), n, func() { c.next++ })
}

func ticketsSpec() fuzz.Spec {
	kind := newTicketer()
	return fuzz.Spec{
		Loops: 2,
		Setup: func(w *fuzz.World) error {
			shared := new(roll)
			for i := range w.Loops() {
				if _, err := kind.Listen(w.Loop(i), "tcp", ":7000", ticketer{shared}); err != nil {
					return err
				}
			}
			return nil
		},
		Dict: []string{"next\n", "\n\n"},
		Oracles: []fuzz.Oracle{fuzz.Linear("tickets", fuzz.Model[int, string]{
			Input: inputLine,
			Step:  func(next *int, _ string) string { *next++; return fmt.Sprintln(*next - 1) },
		})},
	}
}
