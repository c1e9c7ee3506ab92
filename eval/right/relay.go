package right

import (
	"io"
	"net/netip"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

// relay copies between a client and the first of its backends that accepts.
type relay struct {
	backends []string
	tried    int
}

type relayCx = reactor.Context[reactor.None]

const (
	relayClient reactor.Port = iota
	relayBackend
)

const (
	relayDialing = fsm.First + iota
	relayCopying
)

func newRelay() *reactor.Kind[relay, reactor.None] {
	return reactor.Must(reactor.NewKind("relay", reactor.Options{Ports: []string{"client", "backend"}},
		reactor.Table[relay, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			relayDialing: {Name: "dialing", OnEnter: (*relay).dial, Wait: relayBackend.Opened(), OnReady: (*relay).opened,
				Within: fsm.After(3*time.Second, relayDialing), Fail: relayDialing, To: fsm.To(relayCopying)},
			relayCopying: {Name: "copying", OnReady: (*relay).copy, Idle: fsm.After(time.Minute, fsm.Stop),
				Wait: relayClient.Readable().While(relayBackend.Room()) | relayBackend.Readable().While(relayClient.Room())},
		}))
}

// dial dials the next backend. It is entered again if that fails or takes too long.
func (r *relay) dial(cx *relayCx) fsm.State {
	cx.Close(relayBackend)
	gone := cx.Err(relayClient)
	if r.tried == len(r.backends) || gone != nil && gone != io.EOF {
		return cx.Stop(cx.Cause())
	}
	r.tried++
	return cx.Fail(cx.Dial(relayBackend, "tcp", r.backends[r.tried-1]))
}

func (r *relay) opened(*relayCx, reactor.Ready) fsm.State { return relayCopying }

func (r *relay) copy(cx *relayCx, ready reactor.Ready) fsm.State {
	return copyBoth(&cx.IO, ready, relayClient, relayBackend)
}

// copyBoth copies both ways, until both sides have ended.
func copyBoth(cx *reactor.IO, ready reactor.Ready, a, b reactor.Port) fsm.State {
	for _, way := range [...]struct{ to, from reactor.Port }{{b, a}, {a, b}} {
		if !ready.Has(way.from.Readable()) {
			continue
		}
		_, err := cx.Copy(way.to, way.from)
		if err == io.EOF { // the other way may go on
			err = cx.CloseWrite(way.to)
		}
		if err != nil && err != reactor.ErrWouldBlock {
			return cx.Fail(err)
		}
	}
	if cx.Err(a) == io.EOF && cx.Err(b) == io.EOF {
		return fsm.Stop
	}
	return fsm.Stay
}

// newBackend makes an echo, for proxies to dial.
func newBackend() *reactor.Kind[struct{}, reactor.None] {
	const peer reactor.Port = 0
	return reactor.Must(reactor.NewKind("backend", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[struct{}, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "echoing", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop),
				OnReady: func(_ *struct{}, cx *relayCx, _ reactor.Ready) fsm.State {
					_, err := cx.Copy(peer, peer)
					return cx.Fail(err)
				}},
		}))
}

// unreachable is an address that refuses connections.
var unreachable = netip.MustParseAddrPort("10.0.0.9:9")

func refusesAt(at netip.AddrPort) func(driver.Addr) fuzz.Answer {
	return func(a driver.Addr) fuzz.Answer {
		if a.IP == at {
			return fuzz.Refuses
		}
		return fuzz.Accepts
	}
}

func relaySpec() fuzz.Spec {
	proxy, backend := newRelay(), newBackend()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			if _, err := backend.Listen(w.Loop(0), "tcp", "127.0.0.1:7001", struct{}{}); err != nil {
				return err
			}
			_, err := proxy.Listen(w.Loop(0), "tcp", "127.0.0.1:7000",
				relay{backends: []string{unreachable.String(), "127.0.0.1:7001"}})
			return err
		},
		Answers:  refusesAt(unreachable),
		Dict:     []string{"hello", "\n", string(make([]byte, 9000))},
		Isolated: true,
		Oracles: []fuzz.Oracle{fuzz.PerConn("the same bytes", fuzz.Model[struct{}, string]{
			Input:     func(in []byte) (string, int, bool) { return string(in), len(in), true },
			Step:      func(_ *struct{}, in string) string { return in },
			HalfClose: true,
		})},
	}
}
