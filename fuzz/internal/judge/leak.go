package judge

import (
	"runtime"
	"time"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/reactor"
)

// The check for leaks: in a run that repeats a conversation many times, what machines hold
// does not grow with the number of connections. It is measured after 1/64, 1/16, 1/4 and
// all of the rounds. What leaks grows in each of these spans, and more in the last one than
// in the one before, although a slice or a map grows by leaps: between a quarter and all of
// the rounds there are two doublings. What is bounded, such as a cache, stops growing.

const (
	leastRounds = 256     // of a Repeat, so that it is checked
	leastHeap   = 6 << 10 // by which the heap grows: without a leak it does by less than 1 KiB
	spans       = 4
)

// held is what there is after some rounds.
type held struct {
	sim.Holdings
	heap  int // bytes, without what the simulation records
	lives int // connections so far
	at    time.Time
}

// leaks has the samples of the Repeat under way.
type leaks struct {
	samples []held
	strict  bool // a failure is to show in each further run as well
	sure    bool // a leak was found, and only its trace is made shorter
	again   bool // the run is one more of a trace, which has been judged
	open    bool // a peer had its connection open when a sample was due: nothing is known
}

// judgeRound takes a sample if one is due, and judges with the last one.
func (j *Judge) judgeRound(o *sim.Observation) {
	l := &j.leaks
	if j.cfg.Without&CheckLeaks != 0 || l.again || o.Limit < leastRounds {
		return
	}
	if o.N == 1 {
		l.samples, l.open = l.samples[:0], false
	}
	if l.open || len(l.samples) == spans || o.N != o.Limit>>(2*(spans-1-len(l.samples))) {
		return
	}
	for i := range j.cfg.Conns {
		l.open = l.open || j.w.Conn(i).Open()
	}
	if l.open {
		return
	}
	l.samples = append(l.samples, j.holds())
	if len(l.samples) == spans {
		j.judgeLeaks()
	}
}

// Strict makes the check for leaks accuse only what leaks so much that each further run of
// the trace will show it, too.
func (j *Judge) Strict() { j.leaks.strict = true }

// Sure makes the check for leaks trust its samples, as a leak was found in several runs.
func (j *Judge) Sure() { j.leaks.sure = true }

func (j *Judge) holds() held {
	return held{j.w.Holdings(), heap() - j.w.Recorded(), j.w.Lives(), time.Now()}
}

// heap returns how many bytes of the Go heap are in use. The second collection frees what
// finalizers and pools kept in the first.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// judgeLeaks judges the samples of a Repeat.
func (j *Judge) judgeLeaks() {
	s := j.leaks.samples
	last := s[spans-1]
	var most reactor.AnyKind
	for k, n := range last.Machines {
		if most == nil || n > last.Machines[most] || n == last.Machines[most] && k.Name() < most.Name() {
			most = k
		}
	}
	if most != nil {
		name := "machines of kind " + most.Name()
		if j.judgeGrowth(name, func(h *held) int { return h.Machines[most] }, 0) {
			return
		}
		if last.Alive > last.Slots/16*15 {
			j.failLeak(name, "%s grow with the number of connections: they have %d of %d slots after %d connections",
				name, last.Machines[most], last.Slots, last.lives)
			return
		}
	}
	if last.Timers > last.Slots/16*15 {
		j.failLeak("named timers", "named timers grow with the number of connections: %d run after %d connections", last.Timers, last.lives)
		return
	}
	_ = j.judgeGrowth("machines", func(h *held) int { return h.Alive }, 0) ||
		j.judgeGrowth("named timers", func(h *held) int { return h.Timers }, 0) ||
		j.judgeGrowth("bytes of Config.Buffers", func(h *held) int { return h.Held }, 0) ||
		j.judgeGrowth("bytes of heap", func(h *held) int { return h.heap }, leastHeap)
}

// judgeGrowth fails the run if a quantity grows with the number of connections, by more than
// least in all but the first rounds, and reports whether it does.
func (j *Judge) judgeGrowth(name string, of func(*held) int, least int) bool {
	s := j.leaks.samples
	grown := func(i int) int { return of(&s[i]) - of(&s[i-1]) }
	a, b, c := grown(1), grown(2), grown(3)
	if j.leaks.strict {
		least *= 2
	}
	if b < 1 || b < c/32 || c < b || c <= least {
		return false
	}
	if least == 0 && b < a || least > 0 && !j.leaks.sure && j.growsAnyway(c) {
		return false
	}
	first, last := &s[2], &s[3]
	j.failLeak(name, "%s grow with the number of connections, by %.3g each: %d after %d connections, %d after %d",
		name, float64(c)/float64(max(1, last.lives-first.lives)), of(first), first.lives, of(last), last.lives)
	return true
}

// growsAnyway reports whether the heap also grows while no run is under way: then something
// else in the process uses memory.
func (j *Judge) growsAnyway(by int) bool {
	s := j.leaks.samples
	before := heap()
	time.Sleep(min(time.Second, s[3].at.Sub(s[2].at)))
	return heap()-before > by/8
}

func (j *Judge) failLeak(what, format string, args ...any) {
	j.Fail(Leak, format+"; all connections are closed (Spec.Without: fuzz.Leaks if this is wanted)", args...)
	j.failure.Kind = what
}
