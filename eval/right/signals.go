package right

import (
	"fmt"
	"syscall"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/sig"
)

// settings are what connections read, and SIGINT changes.
type settings struct {
	version  int
	listener *reactor.Listener
}

// warden takes the process's signals: SIGINT loads the settings anew, SIGTERM ends the
// listener, and then the warden.
type warden struct {
	*settings
	probe probe.Probe
}

type wardenCx = reactor.Context[reactor.None]

func (h *warden) begin(cx *wardenCx) fsm.State {
	return cx.Fail(cx.Notify(sig.Of(syscall.SIGINT, syscall.SIGTERM)))
}

func (h *warden) signal(cx *wardenCx, set sig.Set) fsm.State {
	if set.Has(syscall.SIGINT) {
		h.version++
	}
	h.probe.Sometimes("both at once", set == sig.Of(syscall.SIGINT, syscall.SIGTERM))
	if set.Has(syscall.SIGTERM) {
		if err := h.listener.Close(&cx.IO); err != nil {
			return cx.Stop(err)
		}
		return fsm.Stop
	}
	return fsm.Stay
}

// versioner is a connection: each line is answered with the version of the settings.
type versioner struct{ *settings }

const versionerPeer reactor.Port = 0

func (v *versioner) serve(cx *wardenCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(versionerPeer)
	_, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	return respond(&cx.IO, versionerPeer, fmt.Sprintln(v.version), n, func() {})
}

func signalsSpec() fuzz.Spec {
	wardens := reactor.Must(reactor.NewKind("warden", reactor.Options{}, reactor.Table[warden, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "waiting", Idle: fsm.Never, OnEnter: (*warden).begin, OnSignal: (*warden).signal},
	}))
	conns := reactor.Must(reactor.NewKind("versioner", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[versioner, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			{Name: "serving", Wait: versionerPeer.Readable().While(versionerPeer.Room()),
				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*versioner).serve},
		}))
	return fuzz.Spec{
		Setup: func(w *fuzz.World) (err error) {
			shared := new(settings)
			if shared.listener, err = conns.Listen(w.Loop(0), "tcp", ":7000", versioner{shared}); err != nil {
				return err
			}
			w.Action("kill", func(arg int) {
				w.Signal(0, []sig.Set{sig.Of(syscall.SIGINT), sig.Of(syscall.SIGTERM), sig.Of(syscall.SIGINT, syscall.SIGTERM)}[arg%3])
			})
			_, err = wardens.Spawn(w.Loop(0), warden{shared, w.Probe()})
			return err
		},
		Dict: []string{"version\n"},
	}
}
