package right

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// socks is a proxy as of SOCKS 4: a client names an address and a user, is told whether it
// is connected, and then has a tunnel, each direction of which ends by itself.
type socks struct{ target netip.AddrPort }

type socksCx = reactor.Context[reactor.None]

const (
	socksClient reactor.Port = iota
	socksTarget
)

const (
	socksAsking = fsm.First + iota
	socksDialing
	socksTunnel
	socksRejecting
)

var (
	socksGranted  = []byte{0, 90, 0, 0, 0, 0, 0, 0}
	socksRejected = []byte{0, 91, 0, 0, 0, 0, 0, 0}
)

func newSocks() *reactor.Kind[socks, reactor.None] {
	return reactor.Must(reactor.NewKind("socks", reactor.Options{Ports: []string{"client", "target"}, ReadBuffer: 4096},
		reactor.Table[socks, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			socksAsking: {Name: "asking", Wait: socksClient.Readable(), OnReady: (*socks).ask,
				Within: fsm.After(10*time.Second, fsm.Stop), To: fsm.To(socksDialing, socksRejecting)},
			socksDialing: {Name: "dialing", OnEnter: (*socks).dial, Wait: socksTarget.Opened(), OnReady: (*socks).opened,
				Within: fsm.After(3*time.Second, socksRejecting), Fail: socksRejecting, To: fsm.To(socksTunnel)},
			socksTunnel: {Name: "tunnel", OnReady: (*socks).tunnel, Idle: fsm.After(time.Minute, fsm.Stop),
				Wait: socksClient.Readable().While(socksTarget.Room()) | socksTarget.Readable().While(socksClient.Room())},
			socksRejecting: {Name: "rejecting", OnEnter: (*socks).reject},
		}))
}

// socksRequest returns the address of a request, and the request's length: 0 if it is
// incomplete. The address is not valid if the request is none.
func socksRequest(in []byte) (to netip.AddrPort, n int) {
	if len(in) > 0 && in[0] != 4 || len(in) > 1 && in[1] != 1 {
		return netip.AddrPort{}, min(2, len(in))
	}
	if len(in) < 9 {
		return netip.AddrPort{}, 0
	}
	if n = 8 + bytes.IndexByte(in[8:], 0) + 1; n == 8 { // the user's name ends with a zero
		return netip.AddrPort{}, 0
	}
	ip := netip.AddrFrom4([4]byte(in[4:8]))
	return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(in[2:])), n
}

func (s *socks) ask(cx *socksCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(socksClient)
	if err != nil {
		return cx.Fail(err)
	}
	to, n := socksRequest(in)
	cx.Discard(socksClient, n)
	switch {
	case n == 0:
		return fsm.Stay
	case !to.IsValid():
		return socksRejecting
	}
	s.target = to
	return socksDialing
}

func (s *socks) dial(cx *socksCx) fsm.State {
	return cx.Fail(cx.Dial(socksTarget, "tcp", s.target.String()))
}

func (s *socks) opened(cx *socksCx, _ reactor.Ready) fsm.State {
	if err := cx.Write(socksClient, socksGranted); err != nil {
		return cx.Fail(err)
	}
	return socksTunnel
}

func (s *socks) tunnel(cx *socksCx, ready reactor.Ready) fsm.State {
	return copyBoth(&cx.IO, ready, socksClient, socksTarget)
}

func (s *socks) reject(cx *socksCx) fsm.State {
	if err := cx.Write(socksClient, socksRejected); err != nil {
		return cx.Fail(err)
	}
	return fsm.Stop
}

// socksState is the model's: before the request, in the tunnel, and after a rejection.
type socksState int

const (
	socksBefore socksState = iota
	socksWithin
	socksAfter
)

// socksNext cuts the request, and then single bytes, as the target may say something between
// any two.
func socksNext(s socksState, in []byte, _ bool) (input string, n int, ok bool) {
	n = min(1, len(in))
	if s == socksBefore {
		_, n = socksRequest(in)
	}
	return string(in[:n]), n, n > 0
}

func socksSteps(s socksState, input string, _ fuzz.Moment) []fuzz.Outcome[socksState] {
	rejected := fuzz.Outcome[socksState]{State: socksAfter, Answer: string(socksRejected)}
	switch s {
	case socksAfter:
		return []fuzz.Outcome[socksState]{{State: s}}
	case socksWithin:
		return []fuzz.Outcome[socksState]{{State: s, Answer: input}}
	}
	if to, _ := socksRequest([]byte(input)); !to.IsValid() || to == unreachable {
		return []fuzz.Outcome[socksState]{rejected}
	}
	return []fuzz.Outcome[socksState]{{State: socksWithin, Answer: string(socksGranted)}, rejected}
}

func socksSpec() fuzz.Spec {
	kind := newSocks()
	const echo = "10.0.0.1:80"
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":1080", socks{})
			return err
		},
		Answers: refusesAt(unreachable),
		Backends: []fuzz.Backend{fuzz.Serve(echo, fuzz.Model[bool, string]{
			Input: func(in []byte) (string, int, bool) { return string(in), len(in), true },
			Step:  func(_ *bool, in string) string { return in },
			Over:  func(bool) bool { return false },
		})},
		Dict: []string{"\x04\x01\x00\x50\x0a\x00\x00\x01ann\x00", "\x04\x01\x00\x09\x0a\x00\x00\x09\x00", "\x05\x01", "hello",
			string(make([]byte, 300))},
		Roles:     []fuzz.Role{{Addr: echo, Dict: []string{"!"}}},
		WordsOnly: true,
		Oracles: []fuzz.Oracle{fuzz.PerConn("tunnels", fuzz.Model[socksState, string]{
			Next:  socksNext,
			Steps: socksSteps,
			Push: func(s socksState, _ fuzz.Moment) []fuzz.Outcome[socksState] {
				if s != socksWithin {
					return nil
				}
				return []fuzz.Outcome[socksState]{{State: s, Answer: "!"}}
			},
		})},
	}
}
