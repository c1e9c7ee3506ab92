package right

import (
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// limited sends lines back, ten a second, and three more at once. When a client has used
// that up, its input waits.
type limited struct {
	tokens int
	since  time.Duration // when the last token came
}

type limitedCx = reactor.Context[reactor.None]

const (
	limitedPeer  reactor.Port = 0
	limitedMost               = 3
	limitedEvery              = 100 * time.Millisecond
)

const (
	limitedServing = fsm.First + iota
	limitedResting
)

func newLimited() *reactor.Kind[limited, reactor.None] {
	return reactor.Must(reactor.NewKind("limited", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[limited, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			limitedServing: {Name: "serving", Wait: limitedPeer.Readable().While(limitedPeer.Room()),
				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*limited).serve, To: fsm.To(limitedResting)},
			limitedResting: {Name: "resting", OnEnter: (*limited).rest, Within: fsm.After(limitedEvery, limitedServing)},
		}))
}

func (l *limited) serve(cx *limitedCx, _ reactor.Ready) fsm.State {
	for l.tokens < limitedMost && cx.Now()-l.since >= limitedEvery {
		l.tokens++
		l.since += limitedEvery
	}
	if l.tokens == limitedMost {
		l.since = cx.Now()
	}
	if l.tokens == 0 {
		return limitedResting
	}
	in, err := cx.Peek(limitedPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	return respond(&cx.IO, limitedPeer, line+"\n", n, func() { l.tokens-- })
}

func (l *limited) rest(cx *limitedCx) fsm.State {
	cx.Within(max(limitedEvery-(cx.Now()-l.since), time.Millisecond))
	return fsm.Stay
}

func limiterSpec() fuzz.Spec {
	kind := newLimited()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", limited{})
			return err
		},
		Dict:     []string{"hello\n", "x\n", "y"},
		Patience: time.Hour,
		Isolated: true,
		Oracles: []fuzz.Oracle{fuzz.PerConn("the same lines", fuzz.Model[struct{}, string]{
			Input: inputLine,
			Step:  func(_ *struct{}, line string) string { return line + "\n" },
			Over:  func(struct{}) bool { return false },
		})},
	}
}
