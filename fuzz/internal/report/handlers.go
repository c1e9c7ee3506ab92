package report

import (
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/reactor"
)

// handler is a handler of a machine that ran: where in the source a reader looks next.
type handler struct {
	who, state string
	event      reactor.Event
	function   string
	at         string // file and line
}

// call is when a handler was called, again and again perhaps.
type call struct {
	handler
	line int // of the Journal, that followed first
}

const mostHandlers = 8 // that a report names

// runs notes the call of a handler.
func (j *Journal) runs(o *sim.Observation) {
	k := o.Machine.Kind
	f := k.Handler(o.From, o.Machine.Cause)
	if f == nil {
		return
	}
	h := handler{who: nameOf(o.Machine), state: k.StateName(o.From), event: o.Machine.Cause}
	h.function, h.at = sourceOf(f)
	if n := len(j.calls); n < mostLines && (n == 0 || j.calls[n-1].handler != h) {
		j.calls = append(j.calls, call{h, len(j.lines)})
	}
}

// sourceOf returns the name of a function, without its package's path, and where it begins.
func sourceOf(f any) (name, at string) {
	fn := runtime.FuncForPC(reflect.ValueOf(f).Pointer())
	if fn == nil {
		return "", ""
	}
	name = fn.Name()
	name = strings.ReplaceAll(name[strings.LastIndexByte(name, '/')+1:], "[...]", "")
	file, line := fn.FileLine(fn.Entry())
	return name, fmt.Sprint(filepath.Base(file), ":", line)
}

// handlers returns the last handlers that ran in a story, the last one first.
func (s *story) handlers() (last []handler) {
	for _, c := range slices.Backward(s.calls) {
		if c.line <= len(s.lines) && !slices.Contains(last, c.handler) {
			last = append(last, c.handler)
		}
		if len(last) == mostHandlers {
			break
		}
	}
	return last
}

// tellHandlers writes which handlers ran in the run that fails.
func (a *Account) tellHandlers(b *strings.Builder) {
	if len(a.stories) == 0 {
		return
	}
	last := a.stories[len(a.stories)-1].handlers()
	if len(last) == 0 {
		return
	}
	b.WriteString("The handlers that ran, the last one first:\n\n")
	table(b, "    ", func(row func(...string)) {
		for _, h := range last {
			row(h.who, h.state, string(h.event), h.function, h.at)
		}
	})
	b.WriteString("\n")
}
