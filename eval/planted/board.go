package planted

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// board shows each line that a connection sends to all connections. It has no model.
type board struct {
	plant   *Plant
	members *[]reactor.Ref[string]
}

type boardCx = reactor.Context[string]

const boardOpen = fsm.First

const boardMost = 64 // bytes of a line

func newBoard() *Server {
	return &Server{
		Name: "board", pressure: true, build: buildBoard,
		Files: []string{"board.go"},
		Dict:  []string{"hello\n", "how are you\n", "half", "\n"},
		Bugs: []Bug{
			{Name: "board/line-lost", What: "a connection that does not read stays, although a line for it was refused"},
		},
	}
}

func buildBoard(p *Plant) func(Room) error {
	k := reactor.Must(reactor.NewKind("board", reactor.Options{Ports: []string{"peer"}, Mailbox: 256}, reactor.Table[board, string]{
		fsm.Any:   {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		boardOpen: {Name: "open", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnEnter: (*board).join, OnReady: (*board).say, OnMessage: (*board).hear},
	}))
	return func(r Room) error {
		_, err := k.Listen(r.Loop(0), "tcp", ":7000", board{plant: p, members: new([]reactor.Ref[string])})
		return err
	}
}

func (b *board) join(cx *boardCx) fsm.State {
	*b.members = append(*b.members, cx.Self())
	return fsm.Stay
}

func (b *board) say(cx *boardCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	n := bytes.IndexByte(in[:min(len(in), boardMost)], '\n') + 1
	switch {
	case n == 0 && len(in) >= boardMost:
		n = boardMost
	case n == 0:
		return fsm.Stay
	}
	line := string(in[:n])
	cx.Discard(peer, n)
	*b.members = slices.DeleteFunc(*b.members, func(m reactor.Ref[string]) bool { return m.Post(&cx.IO, line) != nil })
	return fsm.Stay
}

func (b *board) hear(cx *boardCx, line *string) fsm.State {
	err := cx.Write(peer, []byte(*line))
	if full := errors.Is(err, reactor.ErrFull); full && b.plant.Wrong("board/line-lost", full) {
		return fsm.Stay
	}
	return cx.Fail(err) // who does not read has to come again
}
