package right

import (
	"io"
	"net/netip"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// subscriber keeps a subscription at the first of its servers, names or addresses, that
// accepts it. It is at the second one, say, only while the first one is not to be had when
// it dials.
type subscriber struct {
	servers []string
	at      int // the server that it dials
	feed    string
	probe   probe.Probe
}

type subscriberToCx = reactor.Context[reactor.None]

const subscriberServer reactor.Port = 0

const (
	subscriberDialing = fsm.First + iota
	subscriberAsking
	subscriberTaking
	subscriberNext
	subscriberPausing
)

func newSubscriber() *reactor.Kind[subscriber, reactor.None] {
	return reactor.Must(reactor.NewKind("subscriber", reactor.Options{Ports: []string{"server"}, ReadBuffer: 1024},
		reactor.Table[subscriber, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, subscriberNext), Fail: subscriberNext},
			subscriberDialing: {Name: "dialing", OnEnter: (*subscriber).dial, Wait: subscriberServer.Opened(), OnReady: (*subscriber).opened,
				Within: fsm.After(4*time.Second, subscriberNext), To: fsm.To(subscriberAsking)},
			subscriberAsking: {Name: "asking", OnEnter: (*subscriber).ask, Wait: subscriberServer.Readable(), OnReady: (*subscriber).asked,
				Within: fsm.After(2*time.Second, subscriberNext), To: fsm.To(subscriberTaking, subscriberNext)},
			subscriberTaking: {Name: "taking", Wait: subscriberServer.Readable(), OnReady: (*subscriber).take,
				Idle: fsm.After(time.Minute, subscriberPausing), To: fsm.To(subscriberPausing)},
			subscriberNext: {Name: "next", OnEnter: (*subscriber).next, Within: fsm.After(time.Second, subscriberDialing),
				To: fsm.To(subscriberDialing, subscriberPausing)},
			subscriberPausing: {Name: "pausing", OnEnter: (*subscriber).pause, Within: fsm.After(5*time.Second, subscriberDialing)},
		}))
}

func (s *subscriber) dial(cx *subscriberToCx) fsm.State {
	return cx.Fail(cx.Dial(subscriberServer, "tcp", s.servers[s.at]))
}

func (s *subscriber) opened(*subscriberToCx, reactor.Ready) fsm.State { return subscriberAsking }

func (s *subscriber) ask(cx *subscriberToCx) fsm.State {
	return cx.Fail(cx.Write(subscriberServer, []byte("subscribe "+s.feed+"\n")))
}

func (s *subscriber) asked(cx *subscriberToCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(subscriberServer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	cx.Discard(subscriberServer, n)
	if line != "ok" {
		return subscriberNext
	}
	s.probe.Sometimes("the last server is used", s.at == len(s.servers)-1)
	return subscriberTaking
}

func (s *subscriber) take(cx *subscriberToCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(subscriberServer)
	if err == io.EOF {
		return subscriberPausing
	}
	_, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	cx.Discard(subscriberServer, n)
	return fsm.Stay
}

// next tries the next server at once, or, after the last one, the first one after a pause.
func (s *subscriber) next(cx *subscriberToCx) fsm.State {
	cx.Close(subscriberServer)
	if s.at++; s.at < len(s.servers) {
		return subscriberDialing
	}
	return subscriberPausing
}

func (s *subscriber) pause(cx *subscriberToCx) fsm.State {
	cx.Close(subscriberServer)
	s.at = 0
	return fsm.Stay
}

// unsubscribed finds that no server was dialled for longer than all attempts may take.
func unsubscribed(conns []fuzz.Conn, now time.Duration) string {
	last, slack := time.Hour, time.Duration(0)
	for _, c := range conns {
		if c.Whole {
			return ""
		}
		last, slack = max(last, c.Begin, c.Ended), max(slack, c.Slack)
	}
	if now > last+slack+time.Minute {
		return "no server is dialled any more"
	}
	return ""
}

func fallbackSpec() fuzz.Spec {
	kind := newSubscriber()
	const second, last = "10.0.2.2:5000", "10.0.2.9:5000"
	accepts := fuzz.Model[struct{}, string]{Input: inputLine, Step: func(*struct{}, string) string { return "ok\n" }}
	asks := fuzz.Model[struct{}, string]{Greeting: "subscribe news\n", Input: inputLine, Step: func(*struct{}, string) string { return "" }}
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Spawn(w.Loop(0), subscriber{feed: "news", probe: w.Probe(),
				servers: []string{"gone.test:5000", "feeds.test:5000", last}})
			return err
		},
		Names:    map[string][]string{"feeds.test": {unreachable.Addr().String(), "10.0.2.2"}},
		Answers:  refusesAt(netip.AddrPortFrom(unreachable.Addr(), 5000)),
		Backends: []fuzz.Backend{fuzz.Serve(second, accepts), fuzz.Serve(last, accepts)},
		Without:  fuzz.LostOutput,               // a server that says no before it is asked is not asked any more
		Faults:   trace.Weights{trace.Leave: 0}, // after a shutdown nothing is dialled any more
		Dict:     []string{"item\n", "ok\n", "no\n", "half"},
		Oracles: []fuzz.Oracle{
			fuzz.PerConn("the second server", asks).At(second),
			fuzz.PerConn("the last server", asks).At(last),
			fuzz.Conns("subscriptions", unsubscribed),
		},
	}
}
