package sim

// probeSink makes observations of what handlers report to a probe.Probe.
type probeSink struct{ w *World }

func (p probeSink) Always(name string, holds bool)   { p.emit(Always, name, holds, 0) }
func (p probeSink) Sometimes(name string, seen bool) { p.emit(Sometimes, name, seen, 0) }
func (p probeSink) Mark(name string, value int)      { p.emit(Mark, name, false, value) }

func (p probeSink) emit(what What, name string, ok bool, n int) {
	o := p.w.observation(what)
	o.Name, o.OK, o.N = name, ok, n
	p.w.emit(o)
}
