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
// looked at all others, it would take several seconds on the fastest machines.
const crowdLimit = time.Second

// within fails the test if f takes longer than crowdLimit.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > crowdLimit {
		t.Errorf("%s took %v, want at most %v", what, took, crowdLimit)
	}
}

func crowdKind(t testing.TB) *reactor.Kind[mourner, order] {
	return kind(t, "crowd",
		reactor.Options{Queue: crowd, Timers: []reactor.TimerSpec{{Name: "stay", Many: crowd}, {Name: "across", Many: crowd, In: fsm.To(idle, busy)}}},
		reactor.Table[mourner, order]{
			fsm.Any: {OnMessage: (*mourner).obey, OnDown: (*mourner).down,
				OnTimer: func(*mourner, *mournCx, reactor.Fired) reactor.State { return fsm.Stay }},
			idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop, To: fsm.To(idle, busy)},
			busy: {Name: "busy", Within: fsm.Never, Shutdown: fsm.Stop, To: fsm.To(idle, busy)},
		})
}

func TestManyTimersOfOneMachine(t *testing.T) {
	const stay, across reactor.Timer = 0, 1
	d := newFake(t)
	l := d.start(reactor.Config{Slots: 2, Timers: 2 * crowd})
	ref := spawn(t, l, crowdKind(t), mourner{log: &journal{}})
	each := func(what string, call func(cx *mournCx, id uint32) error) {
		t.Helper()
		within(t, what, func() {
			obeys(t, d, ref, func(cx *mournCx) reactor.State {
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
				obeys(t, d, ref, func(*mournCx) reactor.State { return to })
			}
		})
	}
	armAll := func(timer reactor.Timer, after time.Duration) {
		t.Helper()
		each("ArmID", func(cx *mournCx, id uint32) error { return cx.ArmID(timer, id, after) })
	}
	armAll(stay, time.Hour)
	armAll(across, time.Hour)
	armAll(stay, 2*time.Hour)
	obeys(t, d, ref, func(cx *mournCx) reactor.State {
		if err := cx.ArmID(stay, crowd, time.Hour); !errors.Is(err, reactor.ErrFull) {
			t.Errorf("one more than Many: %v", err)
		}
		return fsm.Stay
	})
	each("DisarmID", func(cx *mournCx, id uint32) error { cx.DisarmID(stay, id^1); return nil })
	armAll(stay, 2*time.Hour)
	goes(idle)
	goes(busy) // "stay" ends, "across" goes on
	armAll(stay, time.Hour)
	within(t, "firing", func() { d.advance(time.Hour) })
	if n := stats(t, l).Timers; n != 2*crowd {
		t.Errorf("%d timers fired, want %d", n, 2*crowd)
	}
	armAll(stay, time.Hour)
	armAll(across, time.Hour)
	within(t, "the machine's end", func() { obeys(t, d, ref, ending(nil)) })
	if at, ok := d.sleepsUntil(); ok {
		t.Errorf("the loop would wake at %v, for no timer", at)
	}
}

func TestManyMonitorsOfOneMachine(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{Slots: crowd + 2, Monitors: 2 * crowd})
	k := crowdKind(t)
	watcher, other := spawn(t, l, k, mourner{log: log}), spawn(t, l, k, mourner{log: &journal{}})
	all := make([]reactor.Ref[order], crowd)
	obeys(t, d, watcher, func(cx *mournCx) reactor.State {
		for i := range all {
			all[i] = spawn(t, cx, k, mourner{log: &journal{}})
		}
		return fsm.Stay
	})
	monitorAll := func(what string, by reactor.Ref[order]) {
		t.Helper()
		within(t, what, func() {
			obeys(t, d, by, func(cx *mournCx) reactor.State {
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
	monitorAll("Monitor", watcher)
	monitorAll("Monitor of what is monitored", watcher)
	monitorAll("Monitor by another machine", other)
	within(t, "the end of a watcher", func() { obeys(t, d, other, ending(nil)) })
	within(t, "the end of the watched", func() {
		d.atOnce(func() {
			for _, ref := range all {
				if err := ref.Send(ending(nil)); err != nil {
					t.Fatal(err)
				}
			}
		})
	})
	if n := stats(t, l).Downs; n != crowd {
		t.Errorf("the watcher was told of %d ends, want %d", n, crowd)
	}
	monitorAll("Monitor of what has ended", watcher)
}

// Random calls of ArmID and DisarmID, and transitions, beside a map of the timers that run.
func TestTimerModel(t *testing.T) {
	const most, ids = 5, 8
	const stay, across reactor.Timer = 0, 1
	table := reactor.Table[mourner, order]{
		fsm.Any: {OnMessage: (*mourner).obey, OnTimer: func(m *mourner, _ *mournCx, f reactor.Fired) reactor.State {
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
			ref := spawn(t, l, k, mourner{log: log})
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
					obeys(t, d, ref, func(cx *mournCx) reactor.State {
						err := cx.ArmID(a.timer, a.id, time.Hour)
						if full := !running && count == most; errors.Is(err, reactor.ErrFull) != full {
							t.Errorf("seed %d: with %d timers, ArmID: %v", seed, count, err)
						}
						return fsm.Stay
					})
					if running || count < most {
						runs[a] = state
					}
				case what < 8:
					obeys(t, d, ref, func(cx *mournCx) reactor.State { cx.DisarmID(a.timer, a.id); return fsm.Stay })
					delete(runs, a)
				default:
					state = reactor.State(1 + rng.IntN(3))
					obeys(t, d, ref, func(*mournCx) reactor.State { return state })
					for k, armed := range runs {
						if k.timer == across && state == 3 || k.timer == stay && state != armed {
							delete(runs, k)
						}
					}
				}
			}
			d.advance(time.Hour)
			var want []string
			for k := range runs {
				want = append(want, fmt.Sprint(k.timer, k.id))
			}
			log.mu.Lock()
			got := slices.Sorted(slices.Values(log.lines))
			log.mu.Unlock()
			if slices.Sort(want); !slices.Equal(got, want) {
				t.Fatalf("seed %d: fired %q, want %q", seed, got, want)
			}
			obeys(t, d, ref, ending(nil))
		}
	}
}
