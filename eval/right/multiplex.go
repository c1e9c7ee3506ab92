package right

import (
	"errors"
	"io"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// ask goes from a connection to the trunk.
type ask struct {
	from reactor.Ref[string]
	line string
}

// trunk sends the lines of many connections over one, and knows by their order whose the
// replies are.
type trunk struct {
	backend string
	pending []reactor.Ref[string]
	probe   probe.Probe
}

type trunkCx = reactor.Context[ask]

const trunkBackend reactor.Port = 0

const (
	trunkDialing = fsm.First + iota
	trunkTalking
	trunkPausing
)

func newTrunk() *reactor.Kind[trunk, ask] {
	return reactor.Must(reactor.NewKind("trunk", reactor.Options{Ports: []string{"backend"}, Mailbox: 8},
		reactor.Table[trunk, ask]{
			fsm.Any: {Shutdown: fsm.Stop, Fail: trunkPausing, Stall: fsm.After(10*time.Second, trunkPausing), OnMessage: (*trunk).refuse},
			trunkDialing: {Name: "dialing", OnEnter: (*trunk).dial, Wait: trunkBackend.Opened(), OnReady: (*trunk).opened, Defer: true,
				Within: fsm.After(3*time.Second, trunkPausing), To: fsm.To(trunkTalking)},
			trunkTalking: {Name: "talking", Wait: trunkBackend.Readable(), OnReady: (*trunk).replied, OnMessage: (*trunk).send,
				OnExit: (*trunk).lose, Idle: fsm.Never, To: fsm.To(trunkPausing)},
			trunkPausing: {Name: "pausing", OnEnter: (*trunk).hangUp, Within: fsm.After(time.Second, trunkDialing)},
		}))
}

func (k *trunk) dial(cx *trunkCx) fsm.State { return cx.Fail(cx.Dial(trunkBackend, "tcp", k.backend)) }

func (k *trunk) opened(*trunkCx, reactor.Ready) fsm.State { return trunkTalking }

func (k *trunk) hangUp(cx *trunkCx) fsm.State {
	cx.Close(trunkBackend)
	return fsm.Stay
}

func (k *trunk) refuse(cx *trunkCx, a *ask) fsm.State {
	a.from.Post(&cx.IO, "down")
	return fsm.Stay
}

func (k *trunk) send(cx *trunkCx, a *ask) fsm.State {
	switch err := cx.Write(trunkBackend, []byte(a.line+"\n")); {
	case errors.Is(err, reactor.ErrFull):
		a.from.Post(&cx.IO, "busy")
	case err != nil:
		a.from.Post(&cx.IO, "down")
		return cx.Fail(err)
	default:
		k.pending = append(k.pending, a.from)
	}
	return fsm.Stay
}

func (k *trunk) replied(cx *trunkCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(trunkBackend)
	if err == io.EOF {
		return trunkPausing
	}
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	cx.Discard(trunkBackend, n)
	if len(k.pending) == 0 {
		return trunkPausing // a reply to nothing: it is out of step
	}
	k.pending[0].Post(&cx.IO, line) // refused: it has ended
	k.pending = k.pending[1:]
	return fsm.Stay
}

func (k *trunk) lose(cx *trunkCx) {
	k.probe.Sometimes("requests are lost with the backend", len(k.pending) > 0)
	for _, from := range k.pending {
		from.Post(&cx.IO, "lost")
	}
	k.pending = nil
}

// subscriberLine is a connection whose lines go over the trunk, one at a time.
type subscriberLine struct{ trunk reactor.Ref[ask] }

type subscriberCx = reactor.Context[string]

const subscriberPeer reactor.Port = 0

const (
	subscriberReading = fsm.First + iota
	subscriberWaiting
)

func newSubscriberLine() *reactor.Kind[subscriberLine, string] {
	return reactor.Must(reactor.NewKind("subscriber", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[subscriberLine, string]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnMessage: (*subscriberLine).replied},
			subscriberReading: {Name: "reading", Wait: subscriberPeer.Readable().While(subscriberPeer.Room() | fsm.Sendable),
				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*subscriberLine).line, To: fsm.To(subscriberWaiting)},
			subscriberWaiting: {Name: "waiting", Within: fsm.After(time.Minute, fsm.Stop), To: fsm.To(subscriberReading)},
		}))
}

func (s *subscriberLine) line(cx *subscriberCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(subscriberPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	switch err := s.trunk.Post(&cx.IO, ask{cx.Self(), line}); {
	case errors.Is(err, reactor.ErrFull):
		return fsm.Stay // until the trunk has room
	case err != nil:
		return cx.Stop(err)
	}
	cx.Discard(subscriberPeer, n)
	return subscriberWaiting
}

func (s *subscriberLine) replied(cx *subscriberCx, reply *string) fsm.State {
	if err := cx.Write(subscriberPeer, []byte(*reply+"\n")); err != nil {
		return cx.Fail(err)
	}
	return subscriberReading
}

func multiplexSpec() fuzz.Spec {
	trunks, lines, backend := newTrunk(), newSubscriberLine(), newBackend()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			if _, err := backend.Listen(w.Loop(0), "tcp", "127.0.0.1:7001", struct{}{}); err != nil {
				return err
			}
			ref, err := trunks.Spawn(w.Loop(0), trunk{backend: "127.0.0.1:7001", probe: w.Probe()})
			if err != nil {
				return err
			}
			_, err = lines.Listen(w.Loop(0), "tcp", "127.0.0.1:7000", subscriberLine{ref})
			return err
		},
		Dict: []string{"one\n", "two\n", "thr", "ee\n"},
	}
}
