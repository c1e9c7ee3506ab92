package right

import (
	"fmt"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// prober asks a server of datagrams for a name, one at a time. It sends a question again that
// has no answer in time, a few times, and takes no answer but that to its question.
type prober struct {
	server string
	id     int
	name   string
	sent   int // how often
	probe  probe.Probe
}

type proberCx = reactor.Context[string]

const (
	proberServer reactor.Port = 0
	proberMost                = 3
	proberAgain               = 500 * time.Millisecond
)

const (
	proberDialing = fsm.First + iota
	proberIdle
	proberAsking
	proberPausing
)

func newProber() *reactor.Kind[prober, string] {
	return reactor.Must(reactor.NewKind("prober", reactor.Options{Ports: []string{"server"}, Mailbox: 4},
		reactor.Table[prober, string]{
			fsm.Any: {Shutdown: fsm.Stop, Fail: proberPausing, OnMessage: (*prober).ask},
			proberDialing: {Name: "dialing", OnEnter: (*prober).dial, Wait: proberServer.Opened(), OnReady: (*prober).opened,
				Defer: true, Within: fsm.After(time.Second, proberPausing), To: fsm.To(proberIdle)},
			proberIdle: {Name: "idle", Wait: proberServer.Readable(), OnReady: (*prober).hear, Idle: fsm.Never, To: fsm.To(proberAsking)},
			proberAsking: {Name: "asking", OnEnter: (*prober).send, Wait: proberServer.Readable(), OnReady: (*prober).hear,
				Defer: true, Within: fsm.After(proberAgain, proberAsking), To: fsm.To(proberIdle)},
			proberPausing: {Name: "pausing", OnEnter: (*prober).pause, Defer: true, Within: fsm.After(time.Second, proberDialing)},
		}))
}

func (p *prober) dial(cx *proberCx) fsm.State { return cx.Fail(cx.Dial(proberServer, "udp", p.server)) }

func (p *prober) opened(*proberCx, reactor.Ready) fsm.State { return proberIdle }

func (p *prober) pause(cx *proberCx) fsm.State {
	cx.Close(proberServer)
	return fsm.Stay
}

func (p *prober) ask(_ *proberCx, name *string) fsm.State {
	p.id++
	p.name, p.sent = *name, 0
	return proberAsking
}

// send is entered again when there was no answer in time.
func (p *prober) send(cx *proberCx) fsm.State {
	p.probe.Sometimes("a question is sent again", p.sent > 0)
	if p.sent == proberMost {
		return proberIdle // it has no answer
	}
	p.sent++
	cx.Write(proberServer, fmt.Appendf(nil, "? %d %s", p.id, p.name)) // what is lost is sent again
	return fsm.Stay
}

func (p *prober) hear(cx *proberCx, _ reactor.Ready) fsm.State {
	var b [512]byte
	n, err := cx.Read(proberServer, b[:])
	if err != nil {
		return cx.Fail(err)
	}
	if cx.State() != proberAsking || !strings.HasPrefix(string(b[:n]), fmt.Sprintf("= %d ", p.id)) {
		return fsm.Stay // an answer that is late, or not for us
	}
	p.probe.Sometimes("a question is answered", true)
	return proberIdle
}

// wrongQuestions checks that no question comes more often than it is sent, and may be doubled
// on its way, and that the name of a question stays the same.
func wrongQuestions(_, got []string) string {
	times, names := map[int]int{}, map[int]string{}
	for _, q := range got {
		var id int
		var name string
		if n, err := fmt.Sscanf(q, "? %d %s", &id, &name); n != 2 || err != nil || name == "" {
			return fmt.Sprintf("%q is no question", q)
		}
		if times[id]++; times[id] > 2*proberMost {
			return fmt.Sprintf("question %d comes %d times", id, times[id])
		}
		if names[id] != "" && names[id] != name {
			return fmt.Sprintf("question %d asks for %s and for %s", id, names[id], name)
		}
		names[id] = name
	}
	return ""
}

func retrySpec() fuzz.Spec {
	kind := newProber()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			ref, err := kind.Spawn(w.Loop(0), prober{server: "10.0.0.53:53", probe: w.Probe()})
			if err != nil {
				return err
			}
			w.Action("ask", func(arg int) { ref.Send([]string{"ann", "bob", "carol"}[arg%3]) })
			return nil
		},
		Dict:    []string{"= 1 yes", "= 2 yes", "= 3 no", "what"},
		Oracles: []fuzz.Oracle{fuzz.Datagrams("questions", wrongQuestions)},
	}
}
