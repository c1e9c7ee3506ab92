package right

import (
	"errors"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// sniffer is a proxy that looks at the first record of a client, as at the name in the hello
// of TLS, and passes it on, with all that follows, to the host of that name. It adds no byte.
type sniffer struct{ name string }

type snifferCx = reactor.Context[reactor.None]

const (
	snifferClient reactor.Port = iota
	snifferHost
)

const (
	snifferPeeking = fsm.First + iota
	snifferDialing
	snifferPassing
)

const snifferHello = 22 // the first byte of a hello: then its length, and as many bytes of a name

var errNoHello = errors.New("no hello")

func newSniffer() *reactor.Kind[sniffer, reactor.None] {
	return reactor.Must(reactor.NewKind("sniffer", reactor.Options{Ports: []string{"client", "host"}, ReadBuffer: 1024},
		reactor.Table[sniffer, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			snifferPeeking: {Name: "peeking", Wait: snifferClient.Readable(), OnReady: (*sniffer).peek,
				Within: fsm.After(5*time.Second, fsm.Stop), To: fsm.To(snifferDialing)},
			snifferDialing: {Name: "dialing", OnEnter: (*sniffer).dial, Wait: snifferHost.Opened(), OnReady: (*sniffer).opened,
				Within: fsm.After(10*time.Second, fsm.Stop), To: fsm.To(snifferPassing)},
			snifferPassing: {Name: "passing", OnReady: (*sniffer).pass, Idle: fsm.After(time.Minute, fsm.Stop),
				Wait: snifferClient.Readable().While(snifferHost.Room()) | snifferHost.Readable().While(snifferClient.Room())},
		}))
}

// peek leaves the hello where it is, for the host.
func (s *sniffer) peek(cx *snifferCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(snifferClient)
	if err != nil {
		return cx.Fail(err)
	}
	if in[0] != snifferHello {
		return cx.Stop(errNoHello)
	}
	if len(in) < 2 || len(in) < 2+int(in[1]) {
		return fsm.Stay
	}
	s.name = string(in[2 : 2+in[1]])
	return snifferDialing
}

func (s *sniffer) dial(cx *snifferCx) fsm.State {
	return cx.Fail(cx.Dial(snifferHost, "tcp", s.name+":443"))
}

func (s *sniffer) opened(*snifferCx, reactor.Ready) fsm.State { return snifferPassing }

func (s *sniffer) pass(cx *snifferCx, ready reactor.Ready) fsm.State {
	return copyBoth(&cx.IO, ready, snifferClient, snifferHost)
}

func sniffSpec() fuzz.Spec {
	kind := newSniffer()
	const front = "127.0.0.1:443" // at any host it would be the hosts' address, too
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", front, sniffer{})
			return err
		},
		Names: map[string][]string{"a.test": {"10.0.1.1"}, "b.test": {"2001:db8::2", "10.0.1.2"}},
		Dict:  []string{"\x16\x06a.test", "\x16\x06b.test", "\x16\x06c.test", "data", string(make([]byte, 2000))},
		Roles: []fuzz.Role{
			{Addr: "10.0.1.1:443", Dict: []string{"I am a"}},
			{Addr: "10.0.1.2:443", Dict: []string{"I am b"}},
		},
		Oracles: []fuzz.Oracle{
			fuzz.Relay("a", front, "10.0.1.1:443"),
			fuzz.Relay("b by IPv4", front, "10.0.1.2:443"),
			fuzz.Relay("b by IPv6", front, "[2001:db8::2]:443"),
		},
	}
}
