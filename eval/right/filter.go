package right

import (
	"bytes"
	"errors"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// filter reads one pipe and writes another one, as a program of a shell does.
type filter struct{ out reactor.Descriptor }

type filterCx = reactor.Context[reactor.None]

const (
	filterIn reactor.Port = iota
	filterOut
)

func newFilter() *reactor.Kind[filter, reactor.None] {
	return reactor.Must(reactor.NewKind("filter", reactor.Options{Ports: []string{"in", "out"}, WriteBuffer: 8192},
		reactor.Table[filter, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(time.Minute, fsm.Stop)},
			fsm.First: {Name: "filtering", OnEnter: (*filter).begin, OnReady: (*filter).pass,
				Wait: filterIn.Readable().While(filterOut.Room()), Idle: fsm.Never},
		}))
}

func (f *filter) begin(cx *filterCx) fsm.State { return cx.Fail(cx.Adopt(filterOut, f.out)) }

func (f *filter) pass(cx *filterCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(filterIn)
	if err != nil {
		return cx.Fail(err)
	}
	in = in[:min(len(in), 1024)]
	switch err := cx.Write(filterOut, bytes.ToUpper(in)); {
	case errors.Is(err, reactor.ErrFull):
		return fsm.Stay // called again when there is room
	case err != nil:
		return cx.Fail(err)
	}
	cx.Discard(filterIn, len(in))
	return fsm.Stay
}

func filterSpec() fuzz.Spec {
	kind := newFilter()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			in, err := w.ReadPipe()
			if err != nil {
				return err
			}
			out, err := w.WritePipe()
			if err != nil {
				return err
			}
			_, err = kind.Adopt(w.Loop(0), in, filter{out})
			return err
		},
		Dict: []string{"hello\n", string(make([]byte, 5000))},
	}
}
