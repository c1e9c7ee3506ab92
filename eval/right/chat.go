package right

import (
	"errors"
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// said goes to the room. An empty line is a newcomer's.
type said struct {
	by   reactor.Ref[string]
	line string
}

// hall is the room of a chat. It numbers its members, and says who leaves.
type hall struct {
	members []member
	last    int
}

type member struct {
	ref    reactor.Ref[string]
	number int
}

func (h *hall) hear(cx *reactor.Context[said], m *said) fsm.State {
	if m.line == "" {
		switch err := cx.Monitor(m.by.Token()); {
		case errors.Is(err, reactor.ErrStale):
			return fsm.Stay // it left while its message was on the way
		case err != nil:
			m.by.Post(&cx.IO, "the room is full")
			return fsm.Stay
		}
		h.last++
		h.members = append(h.members, member{m.by, h.last})
		h.tell(cx, fmt.Sprintf("%d is here", h.last))
		return fsm.Stay
	}
	for _, who := range h.members {
		if who.ref == m.by {
			h.tell(cx, fmt.Sprintf("%d: %s", who.number, m.line))
			break
		}
	}
	return fsm.Stay
}

func (h *hall) tell(cx *reactor.Context[said], line string) {
	for _, to := range h.members {
		to.ref.Post(&cx.IO, line) // one that is too slow misses it; one that has ended is about to be left out
	}
}

func (h *hall) left(cx *reactor.Context[said], d reactor.Down) fsm.State {
	for i, who := range h.members {
		if who.ref.Token() == d.Who {
			h.members = append(h.members[:i], h.members[i+1:]...)
			h.tell(cx, fmt.Sprintf("%d left", who.number))
			break
		}
	}
	return fsm.Stay
}

// chatter is a connection of the chat.
type chatter struct{ hall reactor.Ref[said] }

type chatterCx = reactor.Context[string]

const chatterPeer reactor.Port = 0

func (c *chatter) enter(cx *chatterCx) fsm.State {
	return cx.Fail(c.hall.Post(&cx.IO, said{by: cx.Self()})) // refused: the client may dial again
}

func (c *chatter) talk(cx *chatterCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(chatterPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	if line != "" {
		switch err := c.hall.Post(&cx.IO, said{cx.Self(), line}); {
		case errors.Is(err, reactor.ErrFull):
			return fsm.Stay // until the room can take it
		case err != nil:
			return cx.Stop(err)
		}
	}
	cx.Discard(chatterPeer, n)
	return fsm.Stay
}

func (c *chatter) hear(cx *chatterCx, line *string) fsm.State {
	return cx.Fail(cx.Write(chatterPeer, []byte(*line+"\n")))
}

func chatSpec() fuzz.Spec {
	halls := reactor.Must(reactor.NewKind("hall", reactor.Options{Mailbox: 16}, reactor.Table[hall, said]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "open", Idle: fsm.Never, OnMessage: (*hall).hear, OnDown: (*hall).left},
	}))
	chatters := reactor.Must(reactor.NewKind("chatter", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[chatter, string]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnEnter: (*chatter).enter},
			{Name: "talking", Wait: chatterPeer.Readable().While(chatterPeer.Room() | fsm.Sendable),
				Idle: fsm.After(time.Hour, fsm.Stop), OnReady: (*chatter).talk, OnMessage: (*chatter).hear},
		}))
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			ref, err := halls.Spawn(w.Loop(0), hall{})
			if err != nil {
				return err
			}
			_, err = chatters.Listen(w.Loop(0), "tcp", ":7000", chatter{ref})
			return err
		},
		Dict: []string{"hello\n", "how are you?\n", "\n", "half"},
	}
}
