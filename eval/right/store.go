package right

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// query goes from a connection, on one loop, to the store, on another one.
type query struct {
	from reactor.Ref[answer]
	id   int
	line string
}

type answer struct {
	id   int
	text string
}

// store has one number, which "add N" changes. It returns the new sum.
type store struct{ sum int }

func (s *store) take(cx *reactor.Context[query], q *query) fsm.State {
	sum, reply := storeStep(s.sum, q.line)
	// The connection's mailbox has room, as it waits for one answer at a time. If its queue
	// has none, the answer is lost, and the connection gives up after a while.
	s.sum = sum
	q.from.Post(&cx.IO, answer{q.id, reply})
	return fsm.Stay
}

func storeStep(sum int, line string) (_ int, reply string) {
	var n int
	if rest, found := strings.CutPrefix(line, "add "); found {
		if _, err := fmt.Sscan(rest, &n); err == nil {
			return sum + n, fmt.Sprintln(sum + n)
		}
	}
	return sum, "error\n"
}

// asker is a connection: it passes on one line at a time.
type asker struct {
	store reactor.Ref[query]
	id    int
}

type askerCx = reactor.Context[answer]

const askerPeer reactor.Port = 0

const (
	askerReading = fsm.First + iota
	askerWaiting
)

func newAsker() *reactor.Kind[asker, answer] {
	return reactor.Must(reactor.NewKind("asker", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[asker, answer]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnMessage: (*asker).answered},
			askerReading: {Name: "reading", Wait: askerPeer.Readable().While(askerPeer.Room() | fsm.Sendable),
				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*asker).line, To: fsm.To(askerWaiting)},
			askerWaiting: {Name: "waiting", Within: fsm.After(5*time.Second, fsm.Stop), Shutdown: askerWaiting, To: fsm.To(askerReading)},
		}))
}

func (a *asker) line(cx *askerCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(askerPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	switch err := a.store.Post(&cx.IO, query{cx.Self(), a.id + 1, line}); {
	case errors.Is(err, reactor.ErrFull):
		return fsm.Stay
	case err != nil:
		return cx.Stop(err)
	}
	a.id++
	cx.Discard(askerPeer, n)
	return askerWaiting
}

func (a *asker) answered(cx *askerCx, m *answer) fsm.State {
	if m.id != a.id || cx.State() != askerWaiting {
		return fsm.Stay
	}
	if err := cx.Write(askerPeer, []byte(m.text)); err != nil {
		return cx.Fail(err)
	}
	return askerReading
}

func storeSpec() fuzz.Spec {
	askers := newAsker()
	stores := reactor.Must(reactor.NewKind("store", reactor.Options{Mailbox: 2}, reactor.Table[store, query]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "open", Idle: fsm.Never, OnMessage: (*store).take},
	}))
	return fuzz.Spec{
		Loops: 2,
		Setup: func(w *fuzz.World) error {
			ref, err := stores.Spawn(w.Loop(1), store{})
			if err != nil {
				return err
			}
			_, err = askers.Listen(w.Loop(0), "tcp", ":7000", asker{store: ref})
			return err
		},
		Dict: []string{"add 1\n", "add 20\n", "add", "\n"},
		Oracles: []fuzz.Oracle{fuzz.Linear("one number", fuzz.Model[int, string]{
			Input: inputLine,
			Step: func(sum *int, line string) (reply string) {
				*sum, reply = storeStep(*sum, line)
				return reply
			},
		})},
	}
}
