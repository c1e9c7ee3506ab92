package planted

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/stator-go/stator/reactor"
)

// Plant names the bug that is planted in a server, and counts the runs in which it was
// reached and triggered. The zero Plant plants none. It must not be used by several
// goroutines at once.
type Plant struct {
	Bug string // empty: none

	Runs, Reached, Triggered int  // numbers of runs
	reached, triggered       bool // in this run

	callers map[string]bool // functions from which the bug was triggered; nil: they are not kept
}

// begin starts a run.
func (p *Plant) begin() {
	p.Runs++
	p.reached, p.triggered = false, false
	p.mutates()
}

// Wrong reports whether the server must do the wrong thing, as this bug is planted. The
// call counts the bug as reached, and as triggered if differs: the wrong thing differs
// from the right one here.
func (p *Plant) Wrong(bug string, differs bool) bool {
	if p.Bug != bug {
		return false
	}
	if !p.reached {
		p.reached = true
		p.Reached++
	}
	if differs && !p.triggered {
		p.triggered = true
		p.Triggered++
	}
	if differs && p.callers != nil {
		p.keepCallers()
	}
	return true
}

// keepCallers notes the names of the functions that lead to the bug, as reports have them.
func (p *Plant) keepCallers() {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if _, name, own := strings.Cut(f.Function, "eval/planted."); own {
			p.callers["planted."+name] = true
		}
	}
}

// swap returns wrong if the bug is planted, else right.
func swap[T comparable](p *Plant, bug string, wrong, right T) T {
	if p.Wrong(bug, wrong != right) {
		return wrong
	}
	return right
}

// claim panics unless a claim of a server holds.
func claim(holds bool, format string, args ...any) {
	if !holds {
		panic("claim: " + fmt.Sprintf(format, args...))
	}
}

// ownFault describes the fault of its own that ended a machine. It is empty if the
// machine ended for another reason.
func ownFault(reason error) string {
	var crash *reactor.PanicError
	switch {
	case errors.As(reason, &crash):
		return fmt.Sprintf("panic in state %q: %v", crash.State, crash.Value)
	case errors.Is(reason, reactor.ErrEdge), errors.Is(reason, reactor.ErrSpin), errors.Is(reason, reactor.ErrEnterLoop):
		return reason.Error()
	}
	return ""
}

// silence measures how long a peer has been silent. It starts anew with each new byte,
// and not if the same input is looked at again.
type silence struct {
	since time.Duration
	left  int // bytes that were looked at but not consumed
}

// ends starts the silence anew if there is more input than before.
func (s *silence) ends(cx *cx, in int) {
	if in > s.left {
		s.since = cx.Now()
	}
	s.left = in
}
