package right

import (
	"io"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// pool is the backends of a load balancer, which its connections take in turn.
type pool struct {
	backends []string
	next     int
}

func (p *pool) take() string {
	p.next++
	return p.backends[p.next%len(p.backends)]
}

// balanced is a connection of the load balancer. It tries each backend once.
type balanced struct {
	*pool
	tried int
}

type balancedCx = reactor.Context[reactor.None]

const (
	balancedClient reactor.Port = iota
	balancedBackend
)

const (
	balancedDialing = fsm.First + iota
	balancedCopying
)

const balancedTry = 2 * time.Second // how long a backend may take to accept

func newBalanced() *reactor.Kind[balanced, reactor.None] {
	return reactor.Must(reactor.NewKind("balanced", reactor.Options{Ports: []string{"client", "backend"}, WriteBuffer: 16 << 10},
		reactor.Table[balanced, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			balancedDialing: {Name: "dialing", OnEnter: (*balanced).dial, Wait: balancedBackend.Opened(), OnReady: (*balanced).opened,
				Within: fsm.After(balancedTry, balancedDialing), Fail: balancedDialing, To: fsm.To(balancedCopying)},
			balancedCopying: {Name: "copying", OnReady: (*balanced).copy, Idle: fsm.After(time.Minute, fsm.Stop),
				Wait: balancedClient.Readable().While(balancedBackend.Room()) | balancedBackend.Readable().While(balancedClient.Room())},
		}))
}

// dial is entered again when a backend has refused, or has not answered in time.
func (b *balanced) dial(cx *balancedCx) fsm.State {
	cx.Close(balancedBackend)
	if err := cx.Err(balancedClient); err != nil && err != io.EOF {
		return cx.Stop(err)
	}
	if b.tried == len(b.backends) {
		return cx.Stop(cx.Cause())
	}
	b.tried++
	return cx.Fail(cx.Dial(balancedBackend, "tcp", b.take()))
}

func (b *balanced) opened(*balancedCx, reactor.Ready) fsm.State { return balancedCopying }

func (b *balanced) copy(cx *balancedCx, ready reactor.Ready) fsm.State {
	return copyBoth(&cx.IO, ready, balancedClient, balancedBackend)
}

// unserved finds a client that has waited for longer than all backends together may take, and
// has none.
func unserved(conns []fuzz.Conn, now time.Duration) string {
	has := map[int]int{}
	for _, c := range conns {
		if c.Dialled && !c.Refused && c.Ended == 0 {
			has[c.Machine]++
		}
	}
	for _, c := range conns {
		if c.Dialled || !c.Whole || c.HalfClosed > 0 { // a backend gets the client's end
			continue
		}
		if has[c.Machine] == 0 && now > c.Begin+3*balancedTry+c.Slack {
			return "a client has no backend, and is not told"
		}
		if has[c.Machine] > 1 {
			return "a client has two backends"
		}
	}
	return ""
}

func balanceSpec() fuzz.Spec {
	kind := newBalanced()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			all := &pool{backends: []string{"10.0.0.1:80", unreachable.String(), "10.0.0.2:80"}}
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", balanced{pool: all})
			return err
		},
		Answers: refusesAt(unreachable),
		Dict:    []string{"a request\n", "\n", string(make([]byte, 9000))},
		Roles: []fuzz.Role{
			{Addr: "10.0.0.1:80", Dict: []string{"a reply\n"}},
			{Addr: "10.0.0.2:80", Dict: []string{"another reply\n", string(make([]byte, 20_000))}},
		},
		Oracles: []fuzz.Oracle{
			fuzz.Relay("first", ":7000", "10.0.0.1:80"),
			fuzz.Relay("second", ":7000", "10.0.0.2:80"),
			fuzz.Conns("one backend each", unserved),
		},
	}
}
