package reactor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// walker goes to the states that its messages name, and records its OnEnter and OnExit.
type walker struct {
	log   *journal
	lead  map[reactor.State]reactor.State // what OnEnter returns in a state
	begin reactor.State                   // what row Any's OnEnter returns
}

type walk = reactor.Context[reactor.State]

const (
	idle reactor.State = iota + 1
	busy
	done
)

func (w *walker) born(*walk) reactor.State { w.log.add("born"); return w.begin }
func (w *walker) ends(*walk)               { w.log.add("ends") }
func (w *walker) leave(cx *walk)           { w.log.add(fmt.Sprint("-", cx.State())) }
func (w *walker) enter(cx *walk) reactor.State {
	w.log.add(fmt.Sprint("+", cx.State()))
	return w.lead[cx.State()]
}

// onMessage goes to the state that the message names.
func (w *walker) onMessage(_ *walk, to *reactor.State) reactor.State { return *to }

// anyway is row Any's handler, for messages that a row passes on.
func (w *walker) anyway(_ *walk, to *reactor.State) reactor.State {
	w.log.add("any")
	return done
}

func walkers(t *testing.T, ended *ends) *reactor.Kind[walker, reactor.State] {
	t.Helper()
	row := func(name string, to fsm.States) reactor.Row[walker, reactor.State] {
		return reactor.Row[walker, reactor.State]{Name: name, Within: fsm.Never,
			OnEnter: (*walker).enter, OnExit: (*walker).leave, OnMessage: (*walker).onMessage, To: to}
	}
	return kind(t, "walker", reactor.Options{OnEnd: ended.add}, reactor.Table[walker, reactor.State]{
		fsm.Any: {OnEnter: (*walker).born, OnExit: (*walker).ends, OnMessage: (*walker).anyway, To: fsm.To(idle, done)},
		idle:    row("idle", fsm.To(busy)),
		busy:    row("busy", fsm.To(idle)),
		done:    row("done", 0),
	})
}

// kind makes a kind of a table that is right.
func kind[M, Msg any](t testing.TB, name string, o reactor.Options, rows reactor.Table[M, Msg]) *reactor.Kind[M, Msg] {
	t.Helper()
	k, err := reactor.NewKind(name, o, rows)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// send sends a message and waits until it is handled.
func (d *fake) send(ref reactor.Ref[reactor.State], s reactor.State) {
	d.t.Helper()
	if err := ref.Send(s); err != nil {
		d.t.Fatal(err)
	}
	d.Settle()
}

func TestTransitions(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{})
	ref := spawn(t, l, walkers(t, ended), walker{log: log})
	d.Settle()
	log.want(t, "born +1")

	d.send(ref, fsm.Stay)
	log.want(t, "")
	d.send(ref, idle) // its own state is a transition like any other
	log.want(t, "-1 +1")
	d.send(ref, busy)
	log.want(t, "-1 +2")
	d.send(ref, fsm.Pass)
	log.want(t, "any -2 +3")
	ended.none(t)
	d.send(ref, fsm.Stop)
	log.want(t, "-3 ends")
	if err := ended.next(t); err != nil {
		t.Errorf("a plain Stop: got reason %v, want none", err)
	}
	if err := ref.Send(idle); !errors.Is(err, reactor.ErrStale) {
		t.Errorf("Send to a machine that ended: got %v, want ErrStale", err)
	}
}

func TestStartIsChosenByRowAny(t *testing.T) {
	for _, begin := range []reactor.State{done, fsm.Stop} {
		d, log, ended := newFake(t), &journal{}, newEnds()
		l := d.start(reactor.Config{})
		spawn(t, l, walkers(t, ended), walker{log: log, begin: begin})
		d.Settle()
		if begin == done {
			log.want(t, "born +3")
			ended.none(t)
			continue
		}
		log.want(t, "born ends")
		if err := ended.next(t); err != nil {
			t.Errorf("Stop in row Any's OnEnter: got reason %v, want none", err)
		}
	}
}

func TestEnterLeadsOn(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{})
	spawn(t, l, walkers(t, ended), walker{log: log, lead: map[reactor.State]reactor.State{idle: busy}})
	d.Settle()
	log.want(t, "born +1 -1 +2")
}

// chain is a machine whose OnEnter leads to its own state a number of times.
type chain struct{ left int }

func (c *chain) enter(*reactor.Context[reactor.None]) reactor.State {
	if c.left == 0 {
		return fsm.Stay
	}
	c.left--
	return idle
}

func TestEnterChainsAreBounded(t *testing.T) {
	ended := newEnds()
	k := kind(t, "chain", reactor.Options{OnEnd: ended.add}, reactor.Table[chain, reactor.None]{
		fsm.Any: {},
		idle:    {Name: "idle", OnEnter: (*chain).enter, Within: fsm.After(time.Second, fsm.Stop), To: fsm.To(idle)},
	})
	d := newFake(t)
	l := d.start(reactor.Config{})
	spawn(t, l, k, chain{left: 8})
	d.Settle()
	ended.none(t)
	spawn(t, l, k, chain{left: 9})
	d.Settle()
	if err := ended.next(t); !errors.Is(err, reactor.ErrEnterLoop) {
		t.Errorf("OnEnter that leads on nine times: got reason %v, want ErrEnterLoop", err)
	}
}

func TestUndeclaredEdgeEndsTheMachine(t *testing.T) {
	for _, to := range []reactor.State{busy, done + 1, fsm.Last, 200} {
		d, log, ended := newFake(t), &journal{}, newEnds()
		l := d.start(reactor.Config{})
		ref := spawn(t, l, walkers(t, ended), walker{log: log, begin: done})
		d.Settle()
		log.take()
		d.send(ref, to)
		log.want(t, "-3 ends")
		err := ended.next(t)
		if !errors.Is(err, reactor.ErrEdge) || !strings.Contains(fmt.Sprint(err), `"done"`) {
			t.Errorf("a handler that returns state %v: got reason %v, want ErrEdge that names state \"done\"", to, err)
		}
	}
}

// The reason of one machine's transition is not taken for another machine's.
func TestReasonStaysWithItsMachine(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{})
	broken := errors.New("broken")
	fails := kind(t, "fails", reactor.Options{}, reactor.Table[walker, reactor.State]{
		fsm.Any: {},
		idle: {Name: "idle", Within: fsm.Never, Fail: busy, OnMessage: func(_ *walker, cx *walk, _ *reactor.State) reactor.State {
			return cx.Fail(broken)
		}},
		busy: {Name: "busy", Within: fsm.Never, Fail: fsm.Stop, OnMessage: (*walker).onMessage, To: fsm.To(idle),
			OnEnter: func(w *walker, cx *walk) reactor.State { w.log.add(fmt.Sprint("why: ", cx.Cause())); return fsm.Stay }},
	})
	other := spawn(t, l, walkers(t, ended), walker{log: &journal{}})
	ref := spawn(t, l, fails, walker{log: log})
	d.send(ref, fsm.Stay)
	log.want(t, "why: broken")
	d.send(other, fsm.Stop)
	if err := ended.next(t); err != nil {
		t.Errorf("a plain Stop behind another machine's failure: got reason %v, want none", err)
	}
}
