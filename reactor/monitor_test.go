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

// mourner does what it is ordered to, and journals the ends that it is told.
type mourner struct{ log *journal }

type (
	order   func(cx *mournCx) reactor.State
	mournCx = reactor.Context[order]
)

func (g *mourner) obey(cx *mournCx, do *order) reactor.State { return (*do)(cx) }

func (g *mourner) down(_ *mournCx, d reactor.Down) reactor.State {
	g.log.add(fmt.Sprint(reactor.Token(d.Who), " ", d.Reason))
	return fsm.Stay
}

func mourners(t testing.TB) *reactor.Kind[mourner, order] {
	return kind(t, "mourner", reactor.Options{}, reactor.Table[mourner, order]{
		fsm.Any: {OnMessage: (*mourner).obey, OnDown: (*mourner).down},
		idle:    {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	})
}

// obeys has a machine do something, and waits until the loop rests.
func obeys(t testing.TB, d *fake, ref reactor.Ref[order], do order) {
	t.Helper()
	if err := ref.Send(do); err != nil {
		t.Fatal(err)
	}
	d.settle()
}

// monitors has a machine monitor another one.
func monitors(t testing.TB, d *fake, by reactor.Ref[order], of reactor.Token) (err error) {
	t.Helper()
	obeys(t, d, by, func(cx *mournCx) reactor.State {
		err = cx.Monitor(of)
		return fsm.Stay
	})
	return err
}

func ending(why error) order {
	return func(cx *mournCx) reactor.State { return cx.Stop(why) }
}

func TestMonitorTellsTheReason(t *testing.T) {
	d, log, k := newFake(t), &journal{}, mourners(t)
	l := d.start(reactor.Config{Slots: 8})
	watcher := spawn(t, l, k, mourner{log: log})
	broken := errors.New("broken")
	for want, end := range map[string]order{
		"broken": ending(broken),
		"<nil>":  ending(nil),
		`reactor: mourner: panic in state "idle": no`: func(*mournCx) reactor.State { panic("no") },
	} {
		watched := spawn(t, l, k, mourner{log: log})
		for range 2 { // the second wish is the first
			if err := monitors(t, d, watcher, watched.Token()); err != nil {
				t.Fatal(err)
			}
		}
		log.want(t, "")
		obeys(t, d, watched, end)
		log.want(t, fmt.Sprint(watched.Token(), " ", want))
		if err := monitors(t, d, watcher, watched.Token()); err != nil {
			t.Fatal(err)
		}
		log.want(t, fmt.Sprint(watched.Token(), " stale"))
	}
}

func TestMonitorRefuses(t *testing.T) {
	d, log, k := newFake(t), &journal{}, mourners(t)
	l := d.start(reactor.Config{ID: 9, Slots: 8, Monitors: 1})
	a, b, c := spawn(t, l, k, mourner{log: log}), spawn(t, l, k, mourner{log: log}), spawn(t, l, k, mourner{log: log})
	if err := monitors(t, d, a, b.Token()); err != nil {
		t.Fatal(err)
	}
	if err := monitors(t, d, a, c.Token()); !errors.Is(err, reactor.ErrFull) {
		t.Errorf("one more than Config.Monitors: %v", err)
	}
	obeys(t, d, b, ending(nil))
	if err := monitors(t, d, a, c.Token()); err != nil {
		t.Errorf("after an end that was told: %v", err)
	}
	if err := monitors(t, d, a, reactor.Token(1)<<32|8<<24); !errors.Is(err, reactor.ErrForeign) {
		t.Errorf("another loop's token: %v", err)
	}
	var err error
	deaf := kind(t, "deaf", reactor.Options{}, reactor.Table[mourner, order]{
		fsm.Any: {OnMessage: (*mourner).obey},
		idle:    {Name: "idle", Within: fsm.Never, OnDown: (*mourner).down, To: fsm.To(busy)},
		busy:    {Name: "busy", Within: fsm.Never, To: fsm.To(idle)},
	})
	obeys(t, d, spawn(t, l, deaf, mourner{}), func(cx *mournCx) reactor.State {
		err = cx.Monitor(a.Token())
		return fsm.Stay
	})
	if err == nil {
		t.Error("a kind with a state that has no OnDown handler may monitor")
	}
}

// A panic in an OnDown handler ends its machine; the ends behind are told all the same.
func TestMonitorBehindAPanic(t *testing.T) {
	d, log, k := newFake(t), &journal{}, mourners(t)
	l := d.start(reactor.Config{Slots: 8})
	rash := kind(t, "rash", reactor.Options{}, reactor.Table[mourner, order]{
		fsm.Any: {OnMessage: (*mourner).obey, OnDown: func(*mourner, *mournCx, reactor.Down) reactor.State { panic("no") }},
		idle:    {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	})
	watched, calm := spawn(t, l, k, mourner{log: log}), spawn(t, l, k, mourner{log: log})
	first, second := spawn(t, l, rash, mourner{}), spawn(t, l, rash, mourner{})
	for _, by := range []reactor.Ref[order]{first, calm, second} {
		if err := monitors(t, d, by, watched.Token()); err != nil {
			t.Fatal(err)
		}
	}
	if err := monitors(t, d, calm, second.Token()); err != nil {
		t.Fatal(err)
	}
	obeys(t, d, watched, ending(nil))
	log.want(t, fmt.Sprint(watched.Token(), " <nil> ", second.Token(), ` reactor: rash: panic in state "idle": no`))
}

// Random wishes and ends, several of them in one turn, beside a list of the wishes.
func TestMonitorModel(t *testing.T) {
	const machines, rounds = 12, 400
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			d, k, rnd := newFake(t), mourners(t), rand.New(rand.NewPCG(seed, 0))
			l := d.start(reactor.Config{Slots: 2 * machines, Monitors: machines * machines})
			type alive struct {
				reactor.Ref[order]
				log *journal
			}
			type wish struct{ by, of reactor.Token }
			var all []alive
			wishes := map[wish]bool{}
			for range rounds {
				for len(all) < machines {
					log := &journal{}
					all = append(all, alive{spawn(t, l, k, mourner{log: log}), log})
				}
				for range rnd.IntN(8) {
					a, b := all[rnd.IntN(machines)], all[rnd.IntN(machines)]
					if err := monitors(t, d, a.Ref, b.Token()); err != nil {
						t.Fatal(err)
					}
					wishes[wish{a.Token(), b.Token()}] = true
				}
				rnd.Shuffle(machines, func(i, j int) { all[i], all[j] = all[j], all[i] })
				n := rnd.IntN(4)
				d.mu.Lock()
				d.frozen = true // until all have been told to end
				d.mu.Unlock()
				for _, m := range all[:n] {
					if err := m.Send(ending(nil)); err != nil {
						t.Fatal(err)
					}
				}
				d.mu.Lock()
				d.frozen = false
				d.cond.Broadcast()
				d.mu.Unlock()
				d.settle()
				for _, m := range all[n:] {
					var want []string
					for _, gone := range all[:n] {
						if wishes[wish{m.Token(), gone.Token()}] {
							want = append(want, fmt.Sprint(gone.Token(), " <nil>"))
						}
					}
					m.log.mu.Lock()
					got := slices.Sorted(slices.Values(m.log.lines))
					m.log.lines = nil
					m.log.mu.Unlock()
					if slices.Sort(want); !slices.Equal(got, want) {
						t.Fatalf("%v was told %q, want %q", m.Token(), got, want)
					}
				}
				all = all[n:]
			}
		})
	}
}
