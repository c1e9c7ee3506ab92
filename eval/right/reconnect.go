package right

import (
	"io"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// agent keeps a connection to a server. It says hello, pings, and executes the commands
// that come, one a line. When the connection is lost it dials again, later each time.
type agent struct {
	server string
	pause  time.Duration
	done   int
}

type agentCx = reactor.Context[reactor.None]

const (
	agentServer reactor.Port  = 0
	agentPing   reactor.Timer = 0

	agentShortest = 100 * time.Millisecond
	agentLongest  = 10 * time.Second
)

const (
	agentDialing = fsm.First + iota
	agentTalking
	agentFinishing
	agentWaiting
)

func newAgent() *reactor.Kind[agent, reactor.None] {
	return reactor.Must(reactor.NewKind("agent",
		reactor.Options{Ports: []string{"server"}, Timers: []reactor.TimerSpec{{Name: "ping"}}},
		reactor.Table[agent, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Fail: agentWaiting, Stall: fsm.After(10*time.Second, agentWaiting)},
			agentDialing: {Name: "dialing", OnEnter: (*agent).dial, Wait: agentServer.Opened(), OnReady: (*agent).opened,
				Within: fsm.After(5*time.Second, agentWaiting), To: fsm.To(agentTalking)},
			agentTalking: {Name: "talking", OnEnter: (*agent).hello, OnReady: (*agent).command, OnTimer: (*agent).ping,
				Wait: agentServer.Readable().While(agentServer.Room()), Idle: fsm.After(time.Minute, agentFinishing), To: fsm.To(agentFinishing)},
			agentFinishing: {Name: "finishing", Wait: agentServer.Drained(), OnReady: (*agent).finished,
				Within: fsm.After(5*time.Second, agentWaiting), To: fsm.To(agentWaiting)},
			agentWaiting: {Name: "waiting", OnEnter: (*agent).wait, Within: fsm.After(agentLongest, agentDialing)},
		}))
}

func (a *agent) dial(cx *agentCx) fsm.State {
	return cx.Fail(cx.Dial(agentServer, "tcp", a.server))
}

func (a *agent) opened(*agentCx, reactor.Ready) fsm.State { return agentTalking }

func (a *agent) hello(cx *agentCx) fsm.State {
	if err := cx.Arm(agentPing, 20*time.Second); err != nil {
		return cx.Fail(err)
	}
	return cx.Fail(cx.Write(agentServer, []byte("hello\n")))
}

func (a *agent) ping(cx *agentCx, _ reactor.Fired) fsm.State {
	if err := cx.Write(agentServer, []byte("ping\n")); err != nil && err != reactor.ErrFull {
		return cx.Fail(err)
	}
	return cx.Fail(cx.Arm(agentPing, 20*time.Second))
}

func (a *agent) command(cx *agentCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(agentServer)
	if err == io.EOF || err == io.ErrUnexpectedEOF { // the server may still want the replies to its last commands
		return agentFinishing
	}
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	switch err := cx.Write(agentServer, []byte("done "+line+"\n")); err {
	case nil:
		cx.Discard(agentServer, n)
		a.done++
		a.pause = 0
		return fsm.Stay
	case reactor.ErrFull:
		return fsm.Stay // called again when there is room
	default:
		return cx.Fail(err)
	}
}

func (a *agent) finished(*agentCx, reactor.Ready) fsm.State { return agentWaiting }

func (a *agent) wait(cx *agentCx) fsm.State {
	cx.Close(agentServer)
	a.pause = min(max(2*a.pause, agentShortest), agentLongest)
	cx.Within(a.pause)
	return fsm.Stay
}

func reconnectSpec() fuzz.Spec {
	kind := newAgent()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Spawn(w.Loop(0), agent{server: "10.0.0.1:7000"})
			return err
		},
		Dict: []string{"build\n", "test\n", string(make([]byte, 1000)) + "\n"},
	}
}
