package right

import (
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// shipper passes on what a client sends to a collector, which says nothing.
type shipper struct{ collector string }

type shipperCx = reactor.Context[reactor.None]

const (
	shipperClient reactor.Port = iota
	shipperCollector
)

func newShipper() *reactor.Kind[shipper, reactor.None] {
	return reactor.Must(reactor.NewKind("shipper", reactor.Options{Ports: []string{"client", "collector"}},
		reactor.Table[shipper, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "shipping", OnEnter: (*shipper).dial, OnReady: (*shipper).ship, // what is written before it is open waits
				Wait: shipperClient.Readable().While(shipperCollector.Room()), Idle: fsm.After(time.Minute, fsm.Stop)},
		}))
}

func (s *shipper) dial(cx *shipperCx) fsm.State {
	return cx.Fail(cx.Dial(shipperCollector, "tcp", s.collector))
}

func (s *shipper) ship(cx *shipperCx, _ reactor.Ready) fsm.State {
	_, err := cx.Copy(shipperCollector, shipperClient)
	return cx.Fail(err) // at the end of input what was copied is still sent
}

func shipperSpec() fuzz.Spec {
	kind := newShipper()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", shipper{"127.0.0.1:514"})
			return err
		},
		Dict:     []string{"a line of a log\n", string(make([]byte, 9000))},
		Isolated: true,
		Oracles: []fuzz.Oracle{fuzz.PerConn("silence", fuzz.Model[struct{}, string]{
			Input: func(in []byte) (string, int, bool) { return string(in), len(in), true },
			Step:  func(*struct{}, string) string { return "" },
		})},
	}
}
