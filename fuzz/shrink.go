package fuzz

import "github.com/stator-go/stator/fuzz/trace"

// mostRuns is how many runs shrinking may take.
const mostRuns = 3000

// shrinker looks for a smaller trace that fails in the same way. Each sublist of a
// trace is a trace, so events are left out first, many at once; then what is left is
// made plainer.
type shrinker struct {
	w     *World
	best  trace.Trace
	f     *Failure
	judge func(trace.Trace) *Failure // what runs a trace
	runs  int
}

func (w *World) shrink(tr trace.Trace, f *Failure) *Finding {
	s := &shrinker{w: w, best: tr, f: f, judge: w.shallow}
	chatters := w.chatters
	if chatters {
		w.hears = nagging
	}
	culprit := w.culprit
	switch {
	case f.Oracle == string(oracleSame):
		return w.shrinkLoose(tr, f)
	case culprit != nil && s.try(culprit):
	case !s.try(tr): // it fails when it is compared
		if s.judge = w.deep; !s.try(tr) {
			return w.shrinkLoose(tr, f)
		}
	case f.At < len(tr):
		s.try(tr[:f.At:f.At]) // what comes after it
	}
	s.minimize()
	free := s.free()
	w.hears = chattering
	if chatters && s.times() == 0 { // it was cut off too soon
		s.best, free = tr, nil
	}
	if s.times() < looks {
		return w.shrinkLoose(tr, f)
	}
	s.best, w.journal = trace.Dictionary(w.spec.Dict).Lasting(s.best), &journal{}
	s.f = s.judge(s.best)
	return &Finding{Failure: s.f, Trace: s.best, free: free, w: w}
}

func (w *World) shallow(tr trace.Trace) *Failure { return w.check(tr, false) }
func (w *World) deep(tr trace.Trace) *Failure    { return w.check(tr, true) }

// looks is how often a trace must fail to count as one that always does.
const looks = 3

// times is how many of so many looks show the failure.
func (s *shrinker) times() (n int) {
	for range looks {
		if s.judge(s.best).same(s.f) {
			n++
		}
	}
	return n
}

// minimize leaves out and makes plainer until nothing gets smaller.
func (s *shrinker) minimize() {
	for before := -1; before != s.size() && s.runs < mostRuns; {
		before = s.size()
		s.leaveOut()
		s.merge()
		s.renumber()
		s.plainer()
	}
}

// size is what shrinking makes smaller.
func (s *shrinker) size() (n int) {
	for _, e := range s.best {
		n += 1<<20 + int(e.On) + int(e.A) + int(e.B)
		if e.Hold {
			n += 1 << 10
		}
		if e.Op != trace.Settle {
			n++
		}
	}
	return n
}

// try takes a trace if it fails in the same way.
func (s *shrinker) try(tr trace.Trace) bool {
	if s.runs >= mostRuns {
		return false
	}
	s.runs++
	f := s.judge(tr)
	if !f.same(s.f) {
		return false
	}
	s.best, s.f = tr, f
	return true
}

func (s *shrinker) leaveOut() {
	for size := len(s.best); size > 0; size /= 2 {
		for at := 0; at < len(s.best); {
			rest := append(trace.Trace{}, s.best[:at]...)
			if rest = append(rest, s.best[min(len(s.best), at+size):]...); !s.try(rest) {
				at += size
			}
		}
	}
}

// merge tries one send for two of the same word.
func (s *shrinker) merge() {
	for at := 0; at+1 < len(s.best); at++ {
		for at+1 < len(s.best) {
			a, b := s.best[at], s.best[at+1]
			if a.Op != trace.Send || b.Op != trace.Send || a.On != b.On || a.A != b.A {
				break
			}
			tr := append(trace.Trace{}, s.best[:at+1]...)
			tr[at].B += b.B + 1
			if !s.try(append(tr, s.best[at+2:]...)) {
				break
			}
		}
	}
}

// renumber tries connections of lower numbers, each with all that happens to it.
func (s *shrinker) renumber() {
	onAny := func(e trace.Event) bool { return e.Op.Target() == trace.OnConn }
	for at, e := range s.best {
		for to := uint16(0); onAny(e) && to < e.On; to++ {
			tr := append(trace.Trace{}, s.best...)
			for i := at; i < len(tr); i++ {
				if onAny(tr[i]) && tr[i].On == e.On {
					tr[i].On = to
				}
			}
			if s.try(tr) {
				break
			}
		}
	}
}

// plainer tries smaller arguments for each event.
func (s *shrinker) plainer() {
	for at := range s.best {
		s.change(at, func(e *trace.Event) { e.Hold = false })
		s.change(at, func(e *trace.Event) { e.On = 0 })
		for _, arg := range []func(*trace.Event) *uint16{
			func(e *trace.Event) *uint16 { return &e.A },
			func(e *trace.Event) *uint16 { return &e.B },
		} {
			s.change(at, func(e *trace.Event) { *arg(e) = 0 })
			for s.change(at, func(e *trace.Event) { *arg(e) /= 2 }) {
			}
			s.change(at, func(e *trace.Event) { *arg(e) -= min(*arg(e), 1) })
		}
	}
}

func (s *shrinker) change(at int, f func(*trace.Event)) bool {
	e := s.best[at]
	if f(&e); e == s.best[at] {
		return false
	}
	tr := append(trace.Trace{}, s.best...)
	tr[at] = e
	return s.try(tr)
}
