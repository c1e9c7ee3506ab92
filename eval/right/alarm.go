package right

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// alarmClock rings when its client asked for it, and asks a silent client whether it is
// there.
type alarmClock struct{}

type alarmCx = reactor.Context[reactor.None]

const (
	alarmPeer reactor.Port  = 0
	alarmRing reactor.Timer = 0
)

const (
	alarmServing = fsm.First + iota
	alarmAsking
)

func newAlarmClock() *reactor.Kind[alarmClock, reactor.None] {
	return reactor.Must(reactor.NewKind("alarm", reactor.Options{
		Ports:  []string{"peer"},
		Timers: []reactor.TimerSpec{{Name: "ring", In: fsm.To(alarmServing, alarmAsking), Many: 3}},
	}, reactor.Table[alarmClock, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnTimer: (*alarmClock).ring,
			Wait: alarmPeer.Readable().While(alarmPeer.Room()), Within: fsm.After(time.Hour, fsm.Stop)},
		alarmServing: {Name: "serving", OnReady: (*alarmClock).serve, Idle: fsm.After(30*time.Second, alarmAsking)},
		alarmAsking: {Name: "asking", OnEnter: (*alarmClock).ask, OnReady: (*alarmClock).answered,
			Idle: fsm.After(10*time.Second, fsm.Stop), To: fsm.To(alarmServing)},
	}))
}

func (c *alarmClock) ask(cx *alarmCx) fsm.State {
	return cx.Fail(cx.Write(alarmPeer, []byte("are you there?\n")))
}

// answered leaves what came to be handled in the state serving. It looks for input itself:
// that a port is said to be readable is no answer.
func (c *alarmClock) answered(cx *alarmCx, _ reactor.Ready) fsm.State {
	if _, err := cx.Peek(alarmPeer); err != nil {
		return cx.Fail(err)
	}
	return alarmServing
}

func (c *alarmClock) serve(cx *alarmCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(alarmPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	var id uint32
	var ms int
	reply := "ok\n"
	if _, err := fmt.Sscanf(line, "ring %d in %d", &id, &ms); err == nil {
		if cx.ArmID(alarmRing, id, time.Duration(ms)*time.Millisecond) != nil {
			reply = "too many\n"
		}
	} else if _, err := fmt.Sscanf(line, "quiet %d", &id); err == nil {
		cx.DisarmID(alarmRing, id)
	} else {
		reply = "what?\n"
	}
	return respond(&cx.IO, alarmPeer, reply, n, func() {})
}

func (c *alarmClock) ring(cx *alarmCx, f reactor.Fired) fsm.State {
	err := cx.Write(alarmPeer, fmt.Appendf(nil, "ring %d\n", f.ID))
	if err == reactor.ErrFull {
		err = cx.ArmID(alarmRing, f.ID, time.Second)
	}
	return cx.Fail(err)
}

func alarmSpec() fuzz.Spec {
	kind := newAlarmClock()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", alarmClock{})
			return err
		},
		Dict: []string{"ring 1 in 5\n", "ring 2 in 2000\n", "ring 3 in 0\n", "ring 4 in 60000\n", "quiet 1\n", "\n"},
	}
}
