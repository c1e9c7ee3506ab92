package right

import (
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// kept is the replies that the connections of a loop have fetched, each for a while.
type kept struct {
	replies map[string]keptReply
	limit   int
}

type keptReply struct {
	text  string
	until time.Duration
}

func (k *kept) get(key string, now time.Duration) (string, bool) {
	r, ok := k.replies[key]
	return r.text, ok && now < r.until
}

func (k *kept) put(key, text string, until time.Duration) {
	if len(k.replies) >= k.limit {
		clear(k.replies)
	}
	k.replies[key] = keptReply{text, until}
}

// fetcher is a connection of a caching proxy: a line is a key. What is not kept is fetched
// from the origin, over a connection for each request.
type fetcher struct {
	*kept
	origin string
	key    string
	probe  probe.Probe
}

type fetcherCx = reactor.Context[reactor.None]

const (
	fetcherClient reactor.Port = iota
	fetcherOrigin
)

const (
	fetcherReading = fsm.First + iota
	fetcherDialing
	fetcherFetching
	fetcherFailing
)

const (
	fetcherDials = 2 * time.Second  // how long connecting may take
	fetcherKeeps = 10 * time.Second // how long a reply is kept
)

func newFetcher() *reactor.Kind[fetcher, reactor.None] {
	return reactor.Must(reactor.NewKind("fetcher", reactor.Options{Ports: []string{"client", "origin"}, ReadBuffer: 1024},
		reactor.Table[fetcher, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fetcherReading: {Name: "reading", Wait: fetcherClient.Readable().While(fetcherClient.Room()), OnReady: (*fetcher).request,
				Idle: fsm.After(time.Minute, fsm.Stop), To: fsm.To(fetcherDialing)},
			fetcherDialing: {Name: "dialing", OnEnter: (*fetcher).dial, Wait: fetcherOrigin.Opened(), OnReady: (*fetcher).opened,
				Within: fsm.After(fetcherDials, fetcherFailing), Fail: fetcherFailing, To: fsm.To(fetcherFetching)},
			fetcherFetching: {Name: "fetching", OnEnter: (*fetcher).ask, Wait: fetcherOrigin.Readable(), OnReady: (*fetcher).reply,
				Within: fsm.After(2*time.Second, fetcherFailing), Fail: fetcherFailing, To: fsm.To(fetcherReading, fetcherFailing)},
			fetcherFailing: {Name: "failing", OnEnter: (*fetcher).fail, To: fsm.To(fetcherReading)},
		}))
}

func (f *fetcher) request(cx *fetcherCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(fetcherClient)
	key, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	if text, ok := f.get(key, cx.Now()); ok {
		f.probe.Sometimes("a reply is kept", true)
		return respond(&cx.IO, fetcherClient, text, n, func() {})
	}
	cx.Discard(fetcherClient, n)
	f.key = key
	return fetcherDialing
}

func (f *fetcher) dial(cx *fetcherCx) fsm.State {
	return cx.Fail(cx.Dial(fetcherOrigin, "tcp", f.origin))
}

func (f *fetcher) opened(*fetcherCx, reactor.Ready) fsm.State { return fetcherFetching }

func (f *fetcher) ask(cx *fetcherCx) fsm.State {
	return cx.Fail(cx.Write(fetcherOrigin, []byte(f.key+"\n")))
}

// reply passes on the origin's line if it is one for the key; the end before that is an error.
func (f *fetcher) reply(cx *fetcherCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(fetcherOrigin)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	if line != "= "+f.key {
		return fetcherFailing
	}
	if err := cx.Write(fetcherClient, []byte(line+"\n")); err != nil {
		return fetcherFailing
	}
	f.put(f.key, line+"\n", cx.Now()+fetcherKeeps)
	cx.Close(fetcherOrigin)
	return fetcherReading
}

func (f *fetcher) fail(cx *fetcherCx) fsm.State {
	cx.Close(fetcherOrigin)
	if err := cx.Write(fetcherClient, []byte("unavailable\n")); err != nil {
		return cx.Fail(err)
	}
	return fetcherReading
}

func fetchSpec() fuzz.Spec {
	kind := newFetcher()
	const origin = "10.0.0.1:80"
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			all := &kept{map[string]keptReply{}, 100}
			_, err := kind.Listen(w.Loop(0), "tcp", ":3128", fetcher{kept: all, origin: origin, probe: w.Probe()})
			return err
		},
		Backends: []fuzz.Backend{fuzz.Serve(origin, fuzz.Model[bool, string]{
			Input: inputLine,
			Step: func(over *bool, key string) string {
				*over = true
				return "= " + key + "\n"
			},
			Over: func(over bool) bool { return over },
		})},
		Dict:     []string{"alpha\n", "beta\n", "gam", "ma\n"},
		Roles:    []fuzz.Role{{Addr: origin, Dict: []string{"= beta\n", "no such page\n"}}},
		Without:  fuzz.LostOutput, // an origin that replies before it was asked is not asked any more
		Patience: 5 * time.Second,
		Oracles: []fuzz.Oracle{
			fuzz.PerConn("pages", fuzz.Model[struct{}, string]{
				Input: inputLine,
				Steps: func(s struct{}, key string, _ fuzz.Moment) []fuzz.Outcome[struct{}] {
					return []fuzz.Outcome[struct{}]{{State: s, Answer: "= " + key + "\n"}, {State: s, Answer: "unavailable\n"}}
				},
			}),
			fuzz.Conns("one fetch at a time", fetchesTwice),
		},
	}
}

// fetchesTwice finds a key that is fetched although a reply is kept: another fetch began less
// than fetcherKeeps ago, and its client had the reply before the attempt to connect.
func fetchesTwice(conns []fuzz.Conn, _ time.Duration) string {
	for _, kept := range conns {
		key := strings.TrimSuffix(fuzz.Text(kept.Got), "\n")
		if !kept.Dialled || key == "" {
			continue
		}
		had := time.Duration(0)
		for _, c := range conns {
			if first, _ := came(c.Got, "= "+key); !c.Dialled && c.Machine == kept.Machine && first >= kept.Begin {
				had = first
			}
		}
		for _, c := range conns {
			again := c.Dialled && fuzz.Text(c.Got) == key+"\n"
			if again && had > 0 && c.Begin > had+fetcherDials && c.Begin < kept.Begin+fetcherKeeps-c.Slack {
				return "a reply that is kept is fetched"
			}
		}
	}
	return ""
}
