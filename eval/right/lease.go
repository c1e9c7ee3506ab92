package right

import (
	"fmt"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// tenant is a connection that lives as long as its lease: "lease SECONDS" begins one, or
// renews it, "left" says whether there is one, and "release" gives it up.
type tenant struct{ term time.Duration }

type tenantCx = reactor.Context[reactor.None]

const (
	tenantPeer    reactor.Port = 0
	tenantLongest              = 9 * time.Second
	tenantBare                 = 4 * time.Second // how long a connection may be without a lease
)

const (
	tenantAsking = fsm.First + iota
	tenantHolding
)

func newTenant() *reactor.Kind[tenant, reactor.None] {
	wait := tenantPeer.Readable().While(tenantPeer.Room())
	return reactor.Must(reactor.NewKind("tenant", reactor.Options{Ports: []string{"peer"}, ReadBuffer: 2048},
		reactor.Table[tenant, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			tenantAsking: {Name: "asking", Wait: wait, OnReady: (*tenant).serve,
				Within: fsm.After(tenantBare, fsm.Stop), To: fsm.To(tenantHolding)},
			// A renewal is a transition to the same state: its time begins anew.
			tenantHolding: {Name: "holding", OnEnter: (*tenant).hold, Wait: wait, OnReady: (*tenant).serve,
				Within: fsm.After(tenantLongest, fsm.Stop), To: fsm.To(tenantHolding)},
		}))
}

func (t *tenant) hold(cx *tenantCx) fsm.State {
	cx.Within(t.term)
	return fsm.Stay
}

func (t *tenant) serve(cx *tenantCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(tenantPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	if term, ok := leaseTerm(line); ok {
		next := respond(&cx.IO, tenantPeer, "leased\n", n, func() { t.term = term })
		if next == fsm.Stay && t.term == term {
			return tenantHolding
		}
		return next
	}
	switch {
	case line == "left" && cx.State() == tenantHolding:
		return respond(&cx.IO, tenantPeer, "some\n", n, func() {})
	case line == "left":
		return respond(&cx.IO, tenantPeer, "none\n", n, func() {})
	case line == "release":
		return fsm.Stop
	}
	return respond(&cx.IO, tenantPeer, "error\n", n, func() {})
}

func leaseTerm(line string) (term time.Duration, ok bool) {
	var seconds int
	s, ok := strings.CutPrefix(line, "lease ")
	if _, err := fmt.Sscan(s, &seconds); !ok || err != nil {
		return 0, false
	}
	term = time.Duration(seconds) * time.Second
	return term, term > 0 && term <= tenantLongest
}

// leaseState is the model's: when the connection must end, and whether there is a lease.
type leaseState struct {
	until      time.Duration
	held, over bool
}

func leaseSteps(s leaseState, line string, at fuzz.Moment) []fuzz.Outcome[leaseState] {
	answer := "error\n"
	term, lease := leaseTerm(line)
	switch {
	case s.over:
		answer = ""
	case lease:
		s.until, s.held, answer = at.Time+term, true, "leased\n"
	case line == "left" && s.held:
		answer = "some\n"
	case line == "left":
		answer = "none\n"
	case line == "release":
		s.over, answer = true, ""
	}
	return []fuzz.Outcome[leaseState]{{State: s, Answer: answer}}
}

func leaseSpec() fuzz.Spec {
	kind := newTenant()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", tenant{})
			return err
		},
		Dict:     []string{"lease 2\n", "lease 9\n", "lease 10\n", "left\n", "release\n", "left"},
		Isolated: true,
		Oracles: []fuzz.Oracle{fuzz.PerConn("leases", fuzz.Model[leaseState, string]{
			Input: inputLine,
			Steps: leaseSteps,
			Over:  func(s leaseState) bool { return s.over },
			Ends: func(s leaseState, at fuzz.Moment) time.Duration {
				if s.until == 0 {
					return at.Begin + tenantBare
				}
				return s.until
			},
		})},
	}
}
