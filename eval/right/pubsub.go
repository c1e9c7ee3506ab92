package right

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// order goes from a connection to the broker: to subscribe, or to publish.
type order struct {
	from reactor.Ref[string]
	text string // empty: subscribe
}

// broker sends what is published to all subscribers. A slow one misses some of it.
type broker struct {
	subscribers []reactor.Ref[string]
	missed      int
}

func (b *broker) take(cx *reactor.Context[order], o *order) fsm.State {
	if o.text == "" {
		if !slices.Contains(b.subscribers, o.from) {
			b.subscribers = append(b.subscribers, o.from)
		}
		return fsm.Stay
	}
	b.subscribers = slices.DeleteFunc(b.subscribers, func(to reactor.Ref[string]) bool {
		err := to.Post(&cx.IO, o.text)
		if errors.Is(err, reactor.ErrFull) {
			b.missed++
			return false
		}
		return err != nil // it has ended
	})
	return fsm.Stay
}

// publisher is a connection: each line is published, and an empty line subscribes.
type publisher struct{ broker reactor.Ref[order] }

type publisherCx = reactor.Context[string]

const publisherPeer reactor.Port = 0

func (p *publisher) line(cx *publisherCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(publisherPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	switch err := p.broker.Post(&cx.IO, order{cx.Self(), strings.TrimSpace(line)}); {
	case errors.Is(err, reactor.ErrFull):
		return fsm.Stay // until the broker has room
	case err != nil:
		return cx.Stop(err)
	}
	cx.Discard(publisherPeer, n)
	return fsm.Stay
}

func (p *publisher) hear(cx *publisherCx, text *string) fsm.State {
	return cx.Fail(cx.Write(publisherPeer, []byte(*text+"\n"))) // one that reads too slowly is ended
}

func pubsubSpec() fuzz.Spec {
	brokers := reactor.Must(reactor.NewKind("broker", reactor.Options{Mailbox: 16},
		reactor.Table[broker, order]{
			fsm.Any: {Shutdown: fsm.Stop},
			{Name: "open", Idle: fsm.Never, OnMessage: (*broker).take},
		}))
	publishers := reactor.Must(reactor.NewKind("publisher", reactor.Options{Ports: []string{"peer"}, Mailbox: 8},
		reactor.Table[publisher, string]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			{Name: "open", Wait: publisherPeer.Readable().While(publisherPeer.Room() | fsm.Sendable),
				Idle: fsm.After(time.Hour, fsm.Stop), OnReady: (*publisher).line, OnMessage: (*publisher).hear},
		}))
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			ref, err := brokers.Spawn(w.Loop(0), broker{})
			if err != nil {
				return err
			}
			_, err = publishers.Listen(w.Loop(0), "tcp", ":7000", publisher{ref})
			return err
		},
		Dict:    []string{"\n", "news\n", "weather\n"},
		Without: fuzz.Segmentation, // how many messages a slow subscriber misses depends on it
	}
}
