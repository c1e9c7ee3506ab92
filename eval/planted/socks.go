package planted

import (
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// socks is a SOCKS5 proxy: it reads a greeting and a request for an address, and then
// relays both directions until both have ended. No model knows what comes from upstream,
// so this server has none.
type socks struct {
	plant *Plant
	to    netip.AddrPort
	ends  [2]bool // of the client's direction, and upstream's
}

const (
	client   reactor.Port = 0
	upstream reactor.Port = 1
)

const (
	socksGreeting = fsm.First + iota
	socksRequest
	socksDialling
	socksRelaying
	socksRefused
)

func newSocks() *Server {
	return &Server{
		Name: "socks", build: buildSocks,
		Files: []string{"socks.go"},
		Dict:  []string{"\x05\x01\x00", "\x05\x02\x00\x02", "\x05\x01\x00\x01\x0a\x00\x00\x01\x00\x50", "\x05\x01\x00\x03\x04name\x00\x50", "hello"},
		Bugs: []Bug{
			{Name: "socks/one-end-kills", What: "one direction's end ends the other one"},
			{Name: "socks/greeting-split", What: "a greeting's methods are those that came, not those that it counts"},
			{Name: "socks/half-address", What: "the length of a name is read before it has come"},
			{Name: "socks/patient-dial", What: "nothing bounds the time that a connection upstream takes"},
			{Name: "socks/refused-waits", What: "after a refusal the client is waited for, without a bound"},
			{Name: "socks/ended-waits", What: "when both directions have ended, the client's silence is waited for"},
		},
	}
}

func buildSocks(p *Plant) func(Room) error {
	dial, refused := fsm.After(5*time.Second, fsm.Stop), fsm.After(time.Second, fsm.Stop)
	switch p.Bug {
	case "socks/patient-dial":
		dial = fsm.Never
	case "socks/refused-waits":
		refused = fsm.Never
	}
	handshake := fsm.After(10*time.Second, fsm.Stop)
	k := reactor.Must(reactor.NewKind("socks", reactor.Options{Ports: []string{"client", "upstream"}, WriteBuffer: 4 << 10}, reactor.Table[socks, reactor.None]{
		fsm.Any:       {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		socksGreeting: {Name: "greeting", Wait: client.Readable(), Within: handshake, OnReady: (*socks).greeting, To: fsm.To(socksRequest)},
		socksRequest:  {Name: "request", Wait: client.Readable(), Within: handshake, OnReady: (*socks).request, To: fsm.To(socksDialling)},
		socksDialling: {Name: "dialling", Wait: upstream.Opened(), Within: dial, Fail: socksRefused, OnEnter: (*socks).dial, OnReady: (*socks).opened,
			To: fsm.To(socksRelaying)},
		socksRelaying: {Name: "relaying", Wait: client.Readable().While(upstream.Room()) | upstream.Readable().While(client.Room()),
			Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*socks).relay, OnExit: (*socks).over},
		socksRefused: {Name: "refused", Wait: client.Drained(), Within: refused, OnEnter: (*socks).refuse, OnReady: (*socks).refused},
	}))
	return func(r Room) error {
		_, err := k.Listen(r.Loop(0), "tcp", ":1080", socks{plant: p})
		return err
	}
}

// greeting is a version, a number of methods, and the methods.
func (s *socks) greeting(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(client)
	if err != nil {
		return cx.Fail(err)
	}
	if len(in) < 2 {
		return fsm.Stay
	}
	n := 2 + int(in[1])
	if part := len(in) < n; s.plant.Wrong("socks/greeting-split", part) {
		n = min(n, len(in))
	}
	switch {
	case in[0] != 5:
		return fsm.Stop
	case len(in) < n:
		return fsm.Stay
	}
	cx.Discard(client, n)
	if err := cx.Write(client, []byte{5, 0}); err != nil {
		return cx.Fail(err)
	}
	return socksRequest
}

// request is a version, a command, a zero, and an address.
func (s *socks) request(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(client)
	if err != nil {
		return cx.Fail(err)
	}
	least := 5
	if half := len(in) == 4; s.plant.Wrong("socks/half-address", half) {
		least = 4
	}
	if len(in) < least {
		return fsm.Stay
	}
	n := 4 + 4 + 2
	if in[3] == 3 {
		n = 4 + 1 + int(in[4]) + 2
	}
	switch {
	case in[0] != 5 || in[1] != 1 || in[3] != 1 && in[3] != 3:
		return fsm.Stop
	case len(in) < n:
		return fsm.Stay
	}
	s.to = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1}), uint16(in[n-2])<<8|uint16(in[n-1]))
	cx.Discard(client, n)
	return socksDialling
}

func (s *socks) dial(cx *cx) fsm.State {
	s.plant.Wrong("socks/patient-dial", true)
	return cx.Fail(cx.Dial(upstream, "tcp", s.to.String()))
}

func (s *socks) opened(cx *cx, _ reactor.Ready) fsm.State {
	if err := cx.Write(client, []byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
		return cx.Fail(err)
	}
	return socksRelaying
}

// refuse tells the client that its request failed.
func (s *socks) refuse(cx *cx) fsm.State {
	err := cx.Write(client, []byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
	if err != nil {
		return fsm.Stop
	}
	return fsm.Stay
}

func (s *socks) refused(*cx, reactor.Ready) fsm.State {
	if s.plant.Wrong("socks/refused-waits", true) {
		return fsm.Stay
	}
	return fsm.Stop
}

func (s *socks) relay(cx *cx, r reactor.Ready) fsm.State {
	for from, to := range []reactor.Port{upstream, client} {
		from := reactor.Port(from)
		if !r.Has(from.Readable()) || s.ends[from] {
			continue
		}
		if err := s.move(cx, to, from); err != nil {
			return cx.Fail(err)
		}
		if s.ends[from] && s.plant.Wrong("socks/one-end-kills", !s.ends[to]) {
			return fsm.Stop
		}
	}
	if s.ends[client] && s.ends[upstream] {
		return swap(s.plant, "socks/ended-waits", fsm.Stay, fsm.Stop)
	}
	return fsm.Stay
}

// move copies the available bytes, and the end behind them.
func (s *socks) move(cx *cx, to, from reactor.Port) error {
	_, err := cx.Copy(to, from)
	switch {
	case errors.Is(err, io.EOF):
		s.ends[from] = true
		return cx.CloseWrite(to)
	case errors.Is(err, reactor.ErrWouldBlock), errors.Is(err, reactor.ErrFull):
		return nil
	}
	return err
}

// over checks a relay that ends.
func (s *socks) over(cx *cx) {
	claim(cx.Cause() != nil || s.ends[client] && s.ends[upstream], "a relay ends for a reason, or when both directions have ended: %v", s.ends)
}
