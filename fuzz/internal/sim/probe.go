package sim

import "fmt"

// probeSink makes observations of what handlers report to a probe.Probe.
type probeSink struct{ w *World }

func (p probeSink) Sometimes(name string, seen bool) { p.emit(Sometimes, name, seen, 0, nil) }
func (p probeSink) Mark(name string, value int)      { p.emit(Mark, name, false, value, nil) }

func (p probeSink) Always(name string, holds bool, format string, values []int) {
	var detail error
	if !holds && format != "" {
		all := make([]any, len(values))
		for i, v := range values {
			all[i] = v
		}
		detail = fmt.Errorf(format, all...)
	}
	p.emit(Always, name, holds, 0, detail)
}

func (p probeSink) emit(what What, name string, ok bool, n int, detail error) {
	o := p.w.observation(what)
	o.Name, o.OK, o.N, o.Err = name, ok, n, detail
	p.w.emit(o)
}
