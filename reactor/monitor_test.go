package reactor_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// watcher runs the orders that it gets as messages, and records the ends of machines
// that it monitors.
type watcher struct{ log *journal }

type (
	order   func(cx *watchCx) reactor.State
	watchCx = reactor.Context[order]
)

func (g *watcher) onMessage(cx *watchCx, do *order) reactor.State { return (*do)(cx) }

func (g *watcher) down(_ *watchCx, d reactor.Down) reactor.State {
	g.log.add(fmt.Sprint(reactor.Token(d.Who), " ", d.Reason))
	return fsm.Stay
}

func watchers(t testing.TB) *reactor.Kind[watcher, order] {
	return kind(t, "watcher", reactor.Options{}, reactor.Table[watcher, order]{
		fsm.Any: {OnMessage: (*watcher).onMessage, OnDown: (*watcher).down},
		idle:    {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	})
}

// does sends an order and waits until it is done.
func does(t testing.TB, d *fake, ref reactor.Ref[order], do order) {
	t.Helper()
	if err := ref.Send(do); err != nil {
		t.Fatal(err)
	}
	d.Settle()
}

// monitors makes a machine monitor another one.
func monitors(t testing.TB, d *fake, by reactor.Ref[order], of reactor.Token) (err error) {
	t.Helper()
	does(t, d, by, func(cx *watchCx) reactor.State {
		err = cx.Monitor(of)
		return fsm.Stay
	})
	return err
}

// ending is an order to stop.
func ending(why error) order {
	return func(cx *watchCx) reactor.State { return cx.Stop(why) }
}

// A monitor gets the reason of an end: once, or as stale if it asked too late.
func TestMonitorTellsTheReason(t *testing.T) {
	d, log, k := newFake(t), &journal{}, watchers(t)
	l := d.start(reactor.Config{Slots: 8})
	by := spawn(t, l, k, watcher{log: log})
	broken := errors.New("broken")
	for want, end := range map[string]order{
		"broken": ending(broken),
		"<nil>":  ending(nil),
		`reactor: watcher: panic in state "idle": no`: func(*watchCx) reactor.State { panic("no") },
	} {
		watched := spawn(t, l, k, watcher{log: log})
		for range 2 { // the second Monitor changes nothing
			if err := monitors(t, d, by, watched.Token()); err != nil {
				t.Fatal(err)
			}
		}
		log.want(t, "")
		does(t, d, watched, end)
		log.want(t, fmt.Sprint(watched.Token(), " ", want))
		if err := monitors(t, d, by, watched.Token()); err != nil {
			t.Fatal(err)
		}
		log.want(t, fmt.Sprint(watched.Token(), " stale"))
	}
}

func TestMonitorRefuses(t *testing.T) {
	d, log, k := newFake(t), &journal{}, watchers(t)
	l := d.start(reactor.Config{ID: 9, Slots: 8, Monitors: 1})
	a, b, c := spawn(t, l, k, watcher{log: log}), spawn(t, l, k, watcher{log: log}), spawn(t, l, k, watcher{log: log})
	if err := monitors(t, d, a, b.Token()); err != nil {
		t.Fatal(err)
	}
	if err := monitors(t, d, a, c.Token()); !errors.Is(err, reactor.ErrFull) {
		t.Errorf("Monitor beyond Config.Monitors: got %v, want ErrFull", err)
	}
	does(t, d, b, ending(nil))
	if err := monitors(t, d, a, c.Token()); err != nil {
		t.Errorf("Monitor after a monitored machine has ended: got %v, want no error", err)
	}
	if err := monitors(t, d, a, reactor.Token(1)<<32|8<<24); !errors.Is(err, reactor.ErrForeign) {
		t.Errorf("Monitor of another loop's token: got %v, want ErrForeign", err)
	}
	var err error
	deaf := kind(t, "deaf", reactor.Options{}, reactor.Table[watcher, order]{
		fsm.Any: {OnMessage: (*watcher).onMessage},
		idle:    {Name: "idle", Within: fsm.Never, OnDown: (*watcher).down, To: fsm.To(busy)},
		busy:    {Name: "busy", Within: fsm.Never, To: fsm.To(idle)},
	})
	does(t, d, spawn(t, l, deaf, watcher{}), func(cx *watchCx) reactor.State {
		err = cx.Monitor(a.Token())
		return fsm.Stay
	})
	if err == nil {
		t.Error("Monitor of a kind that has a state without OnDown: got no error, want one")
	}
}

// A panic in an OnDown handler ends its machine. The others that monitor get their
// calls.
func TestMonitorBehindAPanic(t *testing.T) {
	d, log, k := newFake(t), &journal{}, watchers(t)
	l := d.start(reactor.Config{Slots: 8})
	rash := kind(t, "rash", reactor.Options{}, reactor.Table[watcher, order]{
		fsm.Any: {OnMessage: (*watcher).onMessage, OnDown: func(*watcher, *watchCx, reactor.Down) reactor.State { panic("no") }},
		idle:    {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	})
	watched, calm := spawn(t, l, k, watcher{log: log}), spawn(t, l, k, watcher{log: log})
	first, second := spawn(t, l, rash, watcher{}), spawn(t, l, rash, watcher{})
	for _, by := range []reactor.Ref[order]{first, calm, second} {
		if err := monitors(t, d, by, watched.Token()); err != nil {
			t.Fatal(err)
		}
	}
	if err := monitors(t, d, calm, second.Token()); err != nil {
		t.Fatal(err)
	}
	does(t, d, watched, ending(nil))
	log.want(t, fmt.Sprint(watched.Token(), " <nil> ", second.Token(), ` reactor: rash: panic in state "idle": no`))
}

// Monitors and ends at random, several in one turn, are compared with a list of the
// monitors.
func TestMonitorModel(t *testing.T) {
	const machines, rounds = 12, 400
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			d, k, rnd := newFake(t), watchers(t), rand.New(rand.NewPCG(seed, 0))
			l := d.start(reactor.Config{Slots: 2 * machines, Monitors: machines * machines})
			type alive struct {
				reactor.Ref[order]
				log *journal
			}
			type watch struct{ by, of reactor.Token }
			var all []alive
			watches := map[watch]bool{}
			for range rounds {
				for len(all) < machines {
					log := &journal{}
					all = append(all, alive{spawn(t, l, k, watcher{log: log}), log})
				}
				for range rnd.IntN(8) {
					a, b := all[rnd.IntN(machines)], all[rnd.IntN(machines)]
					if err := monitors(t, d, a.Ref, b.Token()); err != nil {
						t.Fatal(err)
					}
					watches[watch{a.Token(), b.Token()}] = true
				}
				rnd.Shuffle(machines, func(i, j int) { all[i], all[j] = all[j], all[i] })
				n := rnd.IntN(4)
				d.AtOnce(func() {
					for _, m := range all[:n] {
						if err := m.Send(ending(nil)); err != nil {
							t.Fatal(err)
						}
					}
				})
				for _, m := range all[n:] {
					var want []string
					for _, gone := range all[:n] {
						if watches[watch{m.Token(), gone.Token()}] {
							want = append(want, fmt.Sprint(gone.Token(), " <nil>"))
						}
					}
					got := slices.Sorted(slices.Values(m.log.drain()))
					if slices.Sort(want); !slices.Equal(got, want) {
						t.Fatalf("%v: got ends %q, want %q", m.Token(), got, want)
					}
				}
				all = all[n:]
			}
		})
	}
}
