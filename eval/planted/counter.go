package planted

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// counter counts the lines of a connection, and answers each with its number. It has no
// model: what is wrong shows in what a peer gets that reads late.
type counter struct {
	plant *Plant
	lines int
}

const counterCounting = fsm.First

func newCounter() *Server {
	return &Server{
		Name: "counter", isolated: true, pressure: true, build: buildCounter,
		Files: []string{"counter.go"},
		Dict:  []string{"INCR\n", "INCR twice\n", "IN"},
		Bugs: []Bug{
			{Name: "counter/twice", What: "a line is counted before its answer is refused, and again when there is room"},
			{Name: "counter/answer-lost", What: "an answer that is refused is lost, and the connection goes on"},
		},
	}
}

func buildCounter(p *Plant) func(Room) error {
	k := reactor.Must(reactor.NewKind("counter", reactor.Options{Ports: []string{"peer"}}, reactor.Table[counter, reactor.None]{
		fsm.Any:         {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		counterCounting: {Name: "counting", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*counter).count},
	}))
	return func(r Room) error {
		_, err := k.Listen(r.Loop(0), "tcp", ":7000", counter{plant: p})
		return err
	}
}

func (c *counter) count(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	n := bytes.IndexByte(in, '\n') + 1
	if n == 0 {
		return fsm.Stay
	}
	err = cx.Write(peer, fmt.Appendf(nil, "so far you have sent %d lines\n", c.lines+1))
	full := errors.Is(err, reactor.ErrFull)
	switch {
	case full && c.plant.Wrong("counter/twice", full):
		c.lines++
		return fsm.Stay
	case full && c.plant.Wrong("counter/answer-lost", full):
	case full:
		return fsm.Stay // called again when there is room
	case err != nil:
		return cx.Fail(err)
	}
	c.lines++
	cx.Discard(peer, n)
	return fsm.Stay
}
