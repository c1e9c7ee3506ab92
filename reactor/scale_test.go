package reactor_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// One machine may have as many timers and monitors as the loop allows: no call looks at
// all of them.

// crowd is how many timers or monitors one machine has in these tests.
const crowd = 40_000

// crowdLimit bounds a pass over a crowd. A pass takes some milliseconds. If each call
// looked at all others, it would take 10 s and more.
const crowdLimit = 3 * time.Second

// within fails the test if f takes longer than crowdLimit.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > crowdLimit {
		t.Errorf("%s: got %v, want %v at most", what, took, crowdLimit)
	}
}

func crowdKind(t testing.TB) *reactor.Kind[watcher, order] {
	return kind(t, "crowd",
		reactor.Options{Queue: crowd, Timers: []reactor.TimerSpec{{Name: "stay", Many: crowd}, {Name: "across", Many: crowd, In: fsm.To(idle, busy)}}},
		reactor.Table[watcher, order]{
			fsm.Any: {OnMessage: (*watcher).onMessage, OnDown: (*watcher).down,
				OnTimer: func(*watcher, *watchCx, reactor.Fired) reactor.State { return fsm.Stay }},
			idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop, To: fsm.To(idle, busy)},
			busy: {Name: "busy", Within: fsm.Never, Shutdown: fsm.Stop, To: fsm.To(idle, busy)},
		})
}

func TestManyTimersOfOneMachine(t *testing.T) {
	const stay, across reactor.Timer = 0, 1
	d := newFake(t)
	l := d.start(reactor.Config{Slots: 2, Timers: 2 * crowd})
	ref := spawn(t, l, crowdKind(t), watcher{log: &journal{}})
	each := func(what string, call func(cx *watchCx, id uint32) error) {
		t.Helper()
		within(t, what, func() {
			does(t, d, ref, func(cx *watchCx) reactor.State {
				for id := range uint32(crowd) {
					if err := call(cx, id); err != nil {
						t.Error(err)
						break
					}
				}
				return fsm.Stay
			})
		})
	}
	goes := func(to reactor.State) {
		t.Helper()
		within(t, "100 transitions", func() {
			for range 100 {
				does(t, d, ref, func(*watchCx) reactor.State { return to })
			}
		})
	}
	armAll := func(timer reactor.Timer, after time.Duration) {
		t.Helper()
		each("ArmID", func(cx *watchCx, id uint32) error { return cx.ArmID(timer, id, after) })
	}
	armAll(stay, time.Hour)
	armAll(across, time.Hour)
	armAll(stay, 2*time.Hour)
	does(t, d, ref, func(cx *watchCx) reactor.State {
		if err := cx.ArmID(stay, crowd, time.Hour); !errors.Is(err, reactor.ErrFull) {
			t.Errorf("one more than Many: got %v, want ErrFull", err)
		}
		return fsm.Stay
	})
	each("DisarmID", func(cx *watchCx, id uint32) error { cx.DisarmID(stay, id^1); return nil })
	armAll(stay, 2*time.Hour)
	goes(idle)
	goes(busy) // "stay" ends, "across" goes on
	armAll(stay, time.Hour)
	within(t, "firing", func() { d.Advance(time.Hour) })
	if n := stats(t, l).Timers; n != 2*crowd {
		t.Errorf("got %d timers that fired, want %d", n, 2*crowd)
	}
	armAll(stay, time.Hour)
	armAll(across, time.Hour)
	within(t, "the machine's end", func() { does(t, d, ref, ending(nil)) })
	if at, ok := d.SleepsUntil(); ok {
		t.Errorf("got a loop that wakes at %v, want one that sleeps on", at)
	}
}

func TestManyMonitorsOfOneMachine(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{Slots: crowd + 2, Monitors: 2 * crowd})
	k := crowdKind(t)
	first, other := spawn(t, l, k, watcher{log: log}), spawn(t, l, k, watcher{log: &journal{}})
	all := make([]reactor.Ref[order], crowd)
	does(t, d, first, func(cx *watchCx) reactor.State {
		for i := range all {
			all[i] = spawn(t, cx, k, watcher{log: &journal{}})
		}
		return fsm.Stay
	})
	monitorAll := func(what string, by reactor.Ref[order]) {
		t.Helper()
		within(t, what, func() {
			does(t, d, by, func(cx *watchCx) reactor.State {
				for _, ref := range all {
					if err := cx.Monitor(ref.Token()); err != nil {
						t.Error(err)
						break
					}
				}
				return fsm.Stay
			})
		})
	}
	monitorAll("Monitor", first)
	monitorAll("Monitor of what is monitored", first)
	monitorAll("Monitor by another machine", other)
	within(t, "the end of a watcher", func() { does(t, d, other, ending(nil)) })
	within(t, "the end of the watched", func() {
		d.AtOnce(func() {
			for _, ref := range all {
				if err := ref.Send(ending(nil)); err != nil {
					t.Fatal(err)
				}
			}
		})
	})
	if n := stats(t, l).Downs; n != crowd {
		t.Errorf("got %d ends reported to the watcher, want %d", n, crowd)
	}
	monitorAll("Monitor of what has ended", first)
}

// Random calls of ArmID and DisarmID, and transitions, beside a map of the timers that run.
func TestTimerModel(t *testing.T) {
	const most, ids = 5, 8
	const stay, across reactor.Timer = 0, 1
	table := reactor.Table[watcher, order]{
		fsm.Any: {OnMessage: (*watcher).onMessage, OnTimer: func(m *watcher, _ *watchCx, f reactor.Fired) reactor.State {
			m.log.add(fmt.Sprint(f.Timer, f.ID))
			return fsm.Stay
		}},
		1: {Name: "1", Within: fsm.Never, Shutdown: fsm.Stop},
		2: {Name: "2", Within: fsm.Never, Shutdown: fsm.Stop},
		3: {Name: "3", Within: fsm.Never, Shutdown: fsm.Stop},
	}
	for s := 1; s < len(table); s++ {
		table[s].To = fsm.To(1, 2, 3)
	}
	k := kind(t, "model", reactor.Options{Timers: []reactor.TimerSpec{stay: {Name: "stay", Many: most},
		across: {Name: "across", Many: most, In: fsm.To(1, 2)}}}, table)

	type key struct {
		timer reactor.Timer
		id    uint32
	}
	for seed := range uint64(20) {
		rng, d := rand.New(rand.NewPCG(seed, 0)), newFake(t)
		l := d.start(reactor.Config{Slots: 2, Timers: 4 * most})
		for range 30 {
			log, runs := &journal{}, map[key]reactor.State{} // with the states in which they were started
			ref := spawn(t, l, k, watcher{log: log})
			state := reactor.State(1)
			for range rng.IntN(60) {
				a := key{reactor.Timer(rng.IntN(2)), uint32(rng.IntN(ids))}
				count := 0
				for other := range runs {
					if other.timer == a.timer {
						count++
					}
				}
				_, running := runs[a]
				switch what := rng.IntN(10); {
				case what < 6:
					does(t, d, ref, func(cx *watchCx) reactor.State {
						err := cx.ArmID(a.timer, a.id, time.Hour)
						if full := !running && count == most; errors.Is(err, reactor.ErrFull) != full {
							t.Errorf("seed %d: ArmID with %d timers: got %v, want ErrFull: %v", seed, count, err, full)
						}
						return fsm.Stay
					})
					if running || count < most {
						runs[a] = state
					}
				case what < 8:
					does(t, d, ref, func(cx *watchCx) reactor.State { cx.DisarmID(a.timer, a.id); return fsm.Stay })
					delete(runs, a)
				default:
					state = reactor.State(1 + rng.IntN(3))
					does(t, d, ref, func(*watchCx) reactor.State { return state })
					for k, armed := range runs {
						if k.timer == across && state == 3 || k.timer == stay && state != armed {
							delete(runs, k)
						}
					}
				}
			}
			does(t, d, ref, func(cx *watchCx) reactor.State {
				if got := cx.Stats().TimersArmed; got != len(runs) {
					t.Errorf("seed %d: %d timers run: want %d", seed, got, len(runs))
				}
				return fsm.Stay
			})
			d.Advance(time.Hour)
			var want []string
			for k := range runs {
				want = append(want, fmt.Sprint(k.timer, k.id))
			}
			log.mu.Lock()
			got := slices.Sorted(slices.Values(log.lines))
			log.mu.Unlock()
			if slices.Sort(want); !slices.Equal(got, want) {
				t.Fatalf("seed %d: got timers %q, want %q", seed, got, want)
			}
			does(t, d, ref, ending(nil))
		}
	}
}
