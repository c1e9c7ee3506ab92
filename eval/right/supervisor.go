package right

import (
	"errors"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// crew is the workers that a supervisor keeps alive. Those that send jobs find them here.
type crew struct{ refs [3]reactor.Ref[job] }

type job int

const (
	work job = iota
	crash
	leave
)

// crewman does jobs, and may crash at one.
type crewman struct{ jobs int }

func (c *crewman) do(cx *reactor.Context[job], j *job) fsm.State {
	c.jobs++
	switch *j {
	case crash:
		return cx.Stop(errors.New("crashed"))
	case leave:
		return fsm.Stop
	}
	return fsm.Stay
}

func newCrewman() *reactor.Kind[crewman, job] {
	return reactor.Must(reactor.NewKind("crewman", reactor.Options{Mailbox: 4},
		reactor.Table[crewman, job]{
			fsm.Any:   {Shutdown: fsm.Stop},
			fsm.First: {Name: "working", Idle: fsm.Never, OnMessage: (*crewman).do},
		}))
}

// supervisor starts each worker again that ends, after a pause.
type supervisor struct {
	kind  *reactor.Kind[crewman, job]
	crew  *crew
	up    [3]bool
	probe probe.Probe
}

type supervisorCx = reactor.Context[reactor.None]

const (
	supervisorStarting = fsm.First + iota
	supervisorWatching
	supervisorPausing
)

func newSupervisor() *reactor.Kind[supervisor, reactor.None] {
	return reactor.Must(reactor.NewKind("supervisor", reactor.Options{},
		reactor.Table[supervisor, reactor.None]{
			fsm.Any:            {Shutdown: fsm.Stop, OnDown: (*supervisor).down},
			supervisorStarting: {Name: "starting", OnEnter: (*supervisor).start, Within: fsm.After(time.Second, fsm.Stop), To: fsm.To(supervisorWatching, supervisorPausing)},
			supervisorWatching: {Name: "watching", Idle: fsm.Never, To: fsm.To(supervisorPausing)},
			supervisorPausing:  {Name: "pausing", Within: fsm.After(time.Second, supervisorStarting)},
		}))
}

func (s *supervisor) start(cx *supervisorCx) fsm.State {
	for i := range s.up {
		if s.up[i] {
			continue
		}
		ref, err := s.kind.Spawn(&cx.IO, crewman{})
		if err != nil {
			return supervisorPausing // no slot is free: again later
		}
		if cx.Monitor(ref.Token()) != nil {
			ref.Post(&cx.IO, leave)
			return supervisorPausing
		}
		s.crew.refs[i], s.up[i] = ref, true
	}
	return supervisorWatching
}

func (s *supervisor) down(cx *supervisorCx, d reactor.Down) fsm.State {
	for i, ref := range s.crew.refs {
		if ref.Token() == d.Who {
			s.probe.Always("a worker that ends was up", s.up[i])
			s.probe.Sometimes("a worker crashes", d.Reason != nil)
			s.up[i] = false
		}
	}
	if cx.State() == supervisorWatching {
		return supervisorPausing
	}
	return fsm.Stay
}

func supervisorSpec() fuzz.Spec {
	boss, man := newSupervisor(), newCrewman()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			all := new(crew)
			w.Action("job", func(arg int) { all.refs[arg%3].Send(job(arg / 3 % 3)) })
			_, err := boss.Spawn(w.Loop(0), supervisor{kind: man, crew: all, probe: w.Probe()})
			return err
		},
	}
}
