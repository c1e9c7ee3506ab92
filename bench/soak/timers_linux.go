package main

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Timers by the thousand on one machine: some are cancelled, some are armed anew.

const (
	timersOfMachine = 1000
	alarm           = reactor.Timer(0)
)

// alarms checks that each timer fires once, if it was not cancelled, and not early.
type alarms struct {
	due  map[uint32]time.Duration
	t    *tally
	said chan<- error
}

func newAlarms(t *tally) *reactor.Kind[alarms, reactor.None] {
	opt := reactor.Options{Timers: []reactor.TimerSpec{{Name: "alarm", Many: timersOfMachine}}, OnEnd: t.ends()}
	return reactor.Must(reactor.NewKind("alarms", opt, reactor.Table[alarms, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "waiting", Within: fsm.After(patience, fsm.Stop), OnEnter: (*alarms).arm, OnTimer: (*alarms).fired},
	}))
}

func (a *alarms) arm(cx *plainCx) fsm.State {
	set := func(id uint32) error {
		d := time.Duration(1 + rand.Int64N(int64(200*time.Millisecond)))
		a.due[id] = cx.Now() + d
		return cx.ArmID(alarm, id, d)
	}
	for id := range uint32(timersOfMachine) {
		if err := set(id); err != nil {
			return cx.Fail(err)
		}
	}
	for id := uint32(0); id < timersOfMachine; id += 3 {
		if id%2 == 0 {
			cx.DisarmID(alarm, id)
			delete(a.due, id)
		} else if err := set(id); err != nil {
			return cx.Fail(err)
		}
	}
	return fsm.Stay
}

func (a *alarms) fired(cx *plainCx, f reactor.Fired) fsm.State {
	due, armed := a.due[f.ID]
	late := cx.Now() - due
	switch {
	case !armed:
		a.t.fail(errors.New("a timer fired that was cancelled, or had fired"))
	case late < 0:
		a.t.fail(errors.New("a timer fired early"))
	}
	a.t.took(late)
	a.t.count(0)
	if delete(a.due, f.ID); len(a.due) > 0 {
		return fsm.Stay
	}
	a.said <- nil
	return fsm.Stop
}

// timers makes machines with timers. The latency in the table is how late they were.
func timers(s *server) (load, error) {
	k := newAlarms(s.tally)
	return func(w *worker) error {
		said := make(chan error, 1)
		if _, err := k.Spawn(s.loops[w.id%2], alarms{map[uint32]time.Duration{}, s.tally, said}); err != nil {
			return err
		}
		select {
		case err := <-said:
			return err
		case <-time.After(patience):
			return errors.New("not all timers fired")
		}
	}, nil
}
