package planted

import (
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// echo sends back its input, without an output buffer: bytes that the kernel does not
// take stay in the input.
type echo struct {
	plant  *Plant
	shared *[]byte // echo/one-buffer
}

const peer reactor.Port = 0

type cx = reactor.Context[reactor.None]

const (
	echoReading = fsm.First + iota
	echoBlocked // the kernel has no room
)

func newEcho() *Server {
	return &Server{
		Name: "echo", isolated: true, pressure: true, build: buildEcho,
		Files: []string{"echo.go"},
		Dict:  []string{"hello", "\n", "a longer word than the others are"},
		Bugs: []Bug{
			{Name: "echo/short-write", What: "a short write is taken as complete"},
			{Name: "echo/end-ignored", What: "the end of input is taken for a lack of it, and nothing bounds silence"},
			{Name: "echo/circles", What: "without room it enters its state again, instead of waiting"},
			{Name: "echo/one-buffer", What: "what was not sent is kept in one buffer for all connections"},
		},
		model: inputs[struct{}, string]{"the same bytes", fuzz.Model[struct{}, string]{
			New:   func() (s struct{}) { return s },
			Input: func(in []byte) (string, int, bool) { return string(in), len(in), true },
			Step:  func(_ *struct{}, in string) string { return in },
		}},
	}
}

func buildEcho(p *Plant) func(Room) error {
	silence := fsm.After(time.Minute, fsm.Stop)
	if p.Bug == "echo/end-ignored" {
		silence = fsm.Never
	}
	k := reactor.Must(reactor.NewKind("echo", reactor.Options{Ports: []string{"peer"}}, reactor.Table[echo, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		echoReading: {Name: "reading", Wait: peer.Readable(), Idle: silence, OnReady: (*echo).read,
			To: fsm.To(echoReading, echoBlocked)},
		echoBlocked: {Name: "blocked", Wait: peer.Writable(), Within: fsm.After(10*time.Second, fsm.Stop), OnReady: (*echo).room,
			To: fsm.To(echoReading)},
	}))
	return func(r Room) error {
		_, err := k.Listen(r.Loop(0), "tcp", ":7000", echo{plant: p, shared: new([]byte)})
		return err
	}
}

func (e *echo) read(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		if e.plant.Wrong("echo/end-ignored", err != reactor.ErrWouldBlock) {
			return fsm.Stay
		}
		return cx.Fail(err)
	}
	n, err := cx.WriteSome(peer, in)
	if err != nil && err != reactor.ErrWouldBlock {
		return cx.Fail(err)
	}
	if e.plant.Wrong("echo/short-write", n < len(in)) {
		n = len(in)
	}
	if e.plant.Wrong("echo/one-buffer", n < len(in)) && n < len(in) {
		*e.shared = append((*e.shared)[:0], in[n:]...)
		n = len(in)
		cx.Discard(peer, n)
		return echoBlocked
	}
	cx.Discard(peer, n)
	if n == len(in) {
		return fsm.Stay
	}
	return swap(e.plant, "echo/circles", echoReading, echoBlocked)
}

func (e *echo) room(cx *cx, _ reactor.Ready) fsm.State {
	if e.plant.Bug == "echo/one-buffer" {
		n, err := cx.WriteSome(peer, *e.shared)
		if *e.shared = (*e.shared)[n:]; len(*e.shared) > 0 {
			return cx.Fail(err)
		}
	}
	return echoReading
}
