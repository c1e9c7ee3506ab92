package planted

import (
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// tenant is the machine of a connection: it answers each line by the same. The house keeps a
// count for it, a keeper helps it, and the manager, a machine of all, has a timer for it.
type tenant struct {
	house  *house
	id     uint32
	keeper reactor.Ref[leave]
}

// house is what all tenants share.
type house struct {
	plant   *Plant
	lines   map[uint32]int
	next    uint32
	manager reactor.Ref[visit]
}

// keeper helps a tenant, and ends with it.
type keeper struct{}

// manager has a timer for each tenant.
type manager struct{}

func newLease() *Server {
	return &Server{
		Name: "lease", isolated: true, build: buildLease,
		Files: []string{"lease.go"},
		Dict:  []string{"a\n", "b\n", "quit\n"},
		Bugs: []Bug{
			{Name: "lease/counts-kept", What: "the count of a connection is deleted after quit, and not if the peer ends"},
			{Name: "lease/keeper-stays", What: "the machine that helps a connection ends after quit, and not if the peer ends"},
			{Name: "lease/timer-kept", What: "the timer of a connection is disarmed after quit, and not if the peer ends"},
		},
		model: inputs[bool, string]{"lines", fuzz.Model[bool, string]{
			Input: lfLine,
			Step: func(quit *bool, line string) string {
				if *quit {
					return ""
				}
				*quit = line == "quit\n"
				return line
			},
			New: func() bool { return false },
		}},
	}
}

func buildLease(p *Plant) func(Room) error {
	stay := func(*manager, *reactor.Context[visit], reactor.Fired) fsm.State { return fsm.Stay }
	managers := reactor.Must(reactor.NewKind("manager", reactor.Options{Timers: []reactor.TimerSpec{{Name: "rent", Many: 1 << 16}}}, reactor.Table[manager, visit]{
		fsm.Any:   {Shutdown: fsm.Stop},
		fsm.First: {Name: "open", Idle: fsm.Never, OnMessage: (*manager).note, OnTimer: stay},
	}))
	keepers := reactor.Must(reactor.NewKind("keeper", reactor.Options{}, reactor.Table[keeper, leave]{
		fsm.Any:   {Shutdown: fsm.Stop},
		fsm.First: {Name: "keeping", Idle: fsm.Never, OnMessage: func(*keeper, *reactor.Context[leave], *leave) fsm.State { return fsm.Stop }},
	}))
	tenants := reactor.Must(reactor.NewKind("tenant", reactor.Options{Ports: []string{"peer"}}, reactor.Table[tenant, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnExit: (*tenant).leave,
			OnEnter: func(t *tenant, cx *cx) fsm.State { return t.come(cx, keepers) }},
		fsm.First: {Name: "living", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*tenant).read},
	}))
	return func(r Room) error {
		ref, err := managers.Spawn(r.Loop(0), manager{})
		if err == nil {
			_, err = tenants.Listen(r.Loop(0), "tcp", ":7600", tenant{house: &house{plant: p, lines: make(map[uint32]int), manager: ref}})
		}
		return err
	}
}

func (m *manager) note(cx *reactor.Context[visit], v *visit) fsm.State {
	if v.gone {
		cx.DisarmID(0, v.id)
	} else {
		cx.ArmID(0, v.id, 1000*time.Hour) // there may be no room for more
	}
	return fsm.Stay
}

// come begins to live. Without a free slot there is no keeper.
func (t *tenant) come(cx *cx, keepers *reactor.Kind[keeper, leave]) fsm.State {
	t.id = t.house.next
	t.house.next++
	t.house.lines[t.id] = 0
	t.keeper, _ = keepers.Spawn(&cx.IO, keeper{})
	t.house.manager.Post(&cx.IO, visit{id: t.id})
	return fsm.Stay
}

// leave gives back what the connection has. Most peers do not say quit.
func (t *tenant) leave(cx *cx) {
	h := t.house
	ended := cx.Err(peer) != nil
	if !h.plant.Wrong("lease/counts-kept", ended) || !ended {
		delete(h.lines, t.id)
	}
	if !h.plant.Wrong("lease/keeper-stays", ended) || !ended {
		t.keeper.Post(&cx.IO, leave{})
	}
	if !h.plant.Wrong("lease/timer-kept", ended) || !ended {
		h.manager.Post(&cx.IO, visit{t.id, true})
	}
}

func (t *tenant) read(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	line, n, ok := lfLine(in)
	if !ok {
		return fsm.Stay
	}
	if err := cx.Write(peer, []byte(line)); err != nil {
		return cx.Fail(err)
	}
	t.house.lines[t.id]++
	if cx.Discard(peer, n); line == "quit\n" {
		return fsm.Stop
	}
	return fsm.Stay
}
