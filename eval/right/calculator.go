package right

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// calculator has requests of one line, which clients may send without waiting for replies.
// It handles all that have come in one call.
type calculator struct{ sum int }

type calculatorCx = reactor.Context[reactor.None]

const calculatorPeer reactor.Port = 0

func newCalculator() *reactor.Kind[calculator, reactor.None] {
	return reactor.Must(reactor.NewKind("calculator",
		reactor.Options{Ports: []string{"peer"}, ReadBuffer: 4096, WriteBuffer: 8192},
		reactor.Table[calculator, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "serving", Wait: calculatorPeer.Readable().While(calculatorPeer.Room()),
				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*calculator).serve},
		}))
}

func (c *calculator) serve(cx *calculatorCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(calculatorPeer)
	if err != nil {
		return cx.Fail(err)
	}
	used := 0
	defer func() { cx.Discard(calculatorPeer, used) }()
	for line := range bytes.Lines(in) {
		if line[len(line)-1] != '\n' {
			break // the rest has yet to come
		}
		sum, reply, over := calculate(c.sum, string(line[:len(line)-1]))
		if over {
			used += len(line)
			return fsm.Stop
		}
		err := cx.Write(calculatorPeer, []byte(reply))
		if errors.Is(err, reactor.ErrFull) {
			return fsm.Stay // this line is shown again when there is room
		}
		if err != nil {
			return cx.Fail(err)
		}
		c.sum = sum
		used += len(line)
	}
	return fsm.Stay
}

// calculate returns the new sum, the reply to a line, and whether the connection is over.
func calculate(sum int, line string) (_ int, reply string, over bool) {
	var n int
	switch {
	case line == "quit":
		return sum, "", true
	case line == "sum":
		return sum, fmt.Sprintln(sum), false
	}
	if _, err := fmt.Sscanf(line, "add %d", &n); err != nil {
		return sum, "error\n", false
	}
	return sum + n, "ok\n", false
}

func calculatorSpec() fuzz.Spec {
	kind := newCalculator()
	type state struct {
		sum  int
		over bool
	}
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", calculator{})
			return err
		},
		Dict:     []string{"add 5\n", "sum\n", "add ", "7\n", "quit\n", "sum\nadd 1\nsum\n", string(make([]byte, 4100))},
		Isolated: true,
		Oracles: []fuzz.Oracle{fuzz.PerConn("sums", fuzz.Model[state, string]{
			Input: inputLine,
			Step: func(s *state, line string) (reply string) {
				if !s.over {
					s.sum, reply, s.over = calculate(s.sum, line)
				}
				return reply
			},
			Over:      func(s state) bool { return s.over },
			HalfClose: true,
		})},
	}
}
