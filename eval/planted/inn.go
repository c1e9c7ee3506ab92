package planted

import (
	"bytes"
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// guest is the machine of a connection: it numbers its lines. The inn keeps a record of each
// guest, a porter for each, and a timer at the desk. Its bugs show only after many guests or
// lines: a soak finds them.
type guest struct {
	inn    *inn
	id     uint32
	lines  int
	porter reactor.Ref[leave]
}

// inn is what all guests share.
type inn struct {
	plant  *Plant
	guests map[uint32]int
	log    []uint32
	next   uint32
	desk   reactor.Ref[visit]
}

// visit tells the desk that a guest has come or gone.
type visit struct {
	id   uint32
	gone bool
}

// leave tells a porter that its guest has gone.
type leave struct{}

type (
	desk   struct{ plant *Plant }
	porter struct{}
)

const curfew = 1000 * time.Hour

func newInn() *Server {
	return &Server{
		Name: "inn", isolated: true, build: buildInn,
		Files: []string{"inn.go"},
		Dict:  []string{"hello\n", "and\n", "QUIT\n"},
		Bugs: []Bug{
			{Name: "inn/guests-kept", What: "what is known of a connection stays in a map when it has ended"},
			{Name: "inn/log-kept", What: "a log of all lines is kept in memory"},
			{Name: "inn/porter-stays", What: "the machine that helps a connection does not end with it"},
			{Name: "inn/timer-kept", What: "the timer of a connection, at another machine, is not disarmed"},
			{Name: "inn/number-wraps", What: "lines are numbered with 16 bits"},
		},
		model: inputs[innModel, string]{"numbered lines", fuzz.Model[innModel, string]{
			Input: lfLine,
			Step: func(s *innModel, line string) string {
				if s.over {
					return ""
				}
				s.lines++
				s.over = line == "QUIT\n"
				return innReply(s.lines, line)
			},
			New: func() (s innModel) { return s },
		}},
	}
}

type innModel struct {
	lines int
	over  bool
}

func innReply(n int, line string) string { return fmt.Sprintf("%d %s", n, line) }

// lfLine returns the first line of in, with its end.
func lfLine(in []byte) (line string, n int, ok bool) {
	n = bytes.IndexByte(in, '\n') + 1
	return string(in[:n]), n, n > 0
}

func buildInn(p *Plant) func(Room) error {
	desks := reactor.Must(reactor.NewKind("desk", reactor.Options{Timers: []reactor.TimerSpec{{Name: "curfew", Many: 1 << 16}}},
		reactor.Table[desk, visit]{
			fsm.Any: {Shutdown: fsm.Stop},
			fsm.First: {Name: "open", Idle: fsm.Never, OnMessage: (*desk).note,
				OnTimer: func(*desk, *reactor.Context[visit], reactor.Fired) fsm.State { return fsm.Stay }},
		}))
	porters := reactor.Must(reactor.NewKind("porter", reactor.Options{}, reactor.Table[porter, leave]{
		fsm.Any: {Shutdown: fsm.Stop},
		fsm.First: {Name: "helping", Idle: fsm.Never,
			OnMessage: func(*porter, *reactor.Context[leave], *leave) fsm.State { return fsm.Stop }},
	}))
	guests := reactor.Must(reactor.NewKind("guest", reactor.Options{Ports: []string{"peer"}}, reactor.Table[guest, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnExit: (*guest).leave,
			OnEnter: func(g *guest, cx *cx) fsm.State { return g.come(cx, porters) }},
		fsm.First: {Name: "talking", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*guest).read},
	}))
	return func(r Room) error {
		ref, err := desks.Spawn(r.Loop(0), desk{p})
		if err == nil {
			_, err = guests.Listen(r.Loop(0), "tcp", ":7000", guest{inn: &inn{plant: p, guests: make(map[uint32]int), desk: ref}})
		}
		return err
	}
}

// note keeps a timer for each guest. There may be no room for more of them.
func (d *desk) note(cx *reactor.Context[visit], v *visit) fsm.State {
	if !v.gone {
		cx.ArmID(0, v.id, curfew)
	} else if !d.plant.Wrong("inn/timer-kept", true) {
		cx.DisarmID(0, v.id)
	}
	return fsm.Stay
}

// come registers a guest. Without a free slot it has no porter.
func (g *guest) come(cx *cx, porters *reactor.Kind[porter, leave]) fsm.State {
	g.id = g.inn.next
	g.inn.next++
	g.inn.guests[g.id] = 0
	g.porter, _ = porters.Spawn(&cx.IO, porter{})
	g.inn.desk.Post(&cx.IO, visit{id: g.id})
	return fsm.Stay
}

func (g *guest) leave(cx *cx) {
	if !g.inn.plant.Wrong("inn/guests-kept", true) {
		delete(g.inn.guests, g.id)
	}
	if !g.inn.plant.Wrong("inn/porter-stays", true) {
		g.porter.Post(&cx.IO, leave{})
	}
	g.inn.desk.Post(&cx.IO, visit{g.id, true})
}

func (g *guest) read(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	line, n, ok := lfLine(in)
	if !ok {
		return fsm.Stay
	}
	number := g.lines + 1
	if g.inn.plant.Wrong("inn/number-wraps", number > 0xffff) {
		number &= 0xffff
	}
	if err = cx.Write(peer, []byte(innReply(number, line))); err != nil {
		return cx.Fail(err)
	}
	g.lines = number
	g.inn.guests[g.id] = number
	if g.inn.plant.Wrong("inn/log-kept", true) {
		g.inn.log = append(g.inn.log, g.id)
	}
	if cx.Discard(peer, n); line == "QUIT\n" {
		return fsm.Stop
	}
	return fsm.Stay
}
