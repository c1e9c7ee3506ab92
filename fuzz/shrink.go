package fuzz

// mostRuns is how many runs shrinking may take.
const mostRuns = 3000

// shrinker looks for a smaller trace that fails in the same way. Each sublist of a
// trace is a trace, so events are left out first, many at once; then what is left is
// made plainer.
type shrinker struct {
	w    *World
	best Trace
	f    *Failure
	deep bool
	runs int
}

func (w *World) shrink(tr Trace, f *Failure) *Finding {
	s := &shrinker{w: w, best: tr, f: f}
	if w.chatters {
		w.hears = nagging
	}
	culprit := w.culprit
	switch {
	case culprit != nil && s.try(culprit):
	case !s.try(tr): // it fails when it is compared
		s.deep = true
	case f.At < len(tr):
		s.try(tr[:f.At:f.At]) // what comes after it
	}
	for before := -1; before != s.size() && s.runs < mostRuns; {
		before = s.size()
		s.leaveOut()
		s.merge()
		s.renumber()
		s.plainer()
	}
	free := s.free()
	w.hears, w.journal = chattering, &journal{}
	if s.f = w.check(s.best, s.deep); s.f == nil { // it was cut off too soon
		w.journal = &journal{}
		s.best, s.f, free = tr, w.check(tr, s.deep), nil
	}
	return &Finding{Failure: s.f, Trace: s.best, free: free, w: w}
}

// size is what shrinking makes smaller.
func (s *shrinker) size() (n int) {
	for _, e := range s.best {
		n += 1<<20 + int(e.On) + int(e.A) + int(e.B)
		if e.Hold {
			n += 1 << 10
		}
		if e.Op != opNone {
			n++
		}
	}
	return n
}

// try takes a trace if it fails in the same way.
func (s *shrinker) try(tr Trace) bool {
	if s.runs >= mostRuns {
		return false
	}
	s.runs++
	f := s.w.check(tr, s.deep)
	if !f.same(s.f) {
		return false
	}
	s.best, s.f = tr, f
	return true
}

func (s *shrinker) leaveOut() {
	for size := len(s.best); size > 0; size /= 2 {
		for at := 0; at < len(s.best); {
			rest := append(Trace{}, s.best[:at]...)
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
			if a.Op != opSend || b.Op != opSend || a.On != b.On || a.A != b.A {
				break
			}
			tr := append(Trace{}, s.best[:at+1]...)
			tr[at].B += b.B + 1
			if !s.try(append(tr, s.best[at+2:]...)) {
				break
			}
		}
	}
}

// renumber tries connections of lower numbers, each with all that happens to it.
func (s *shrinker) renumber() {
	onAny := func(e Event) bool { return ops[e.Op%opCount].on == onConn }
	for at, e := range s.best {
		for to := uint16(0); onAny(e) && to < e.On; to++ {
			tr := append(Trace{}, s.best...)
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
		s.change(at, func(e *Event) { e.Hold = false })
		s.change(at, func(e *Event) { e.On = 0 })
		for _, arg := range []func(*Event) *uint16{
			func(e *Event) *uint16 { return &e.A },
			func(e *Event) *uint16 { return &e.B },
		} {
			s.change(at, func(e *Event) { *arg(e) = 0 })
			for s.change(at, func(e *Event) { *arg(e) /= 2 }) {
			}
			s.change(at, func(e *Event) { *arg(e) -= min(*arg(e), 1) })
		}
	}
}

func (s *shrinker) change(at int, f func(*Event)) bool {
	e := s.best[at]
	if f(&e); e == s.best[at] {
		return false
	}
	tr := append(Trace{}, s.best...)
	tr[at] = e
	return s.try(tr)
}
