package planted

import (
	"errors"
	"fmt"
	"time"

	"github.com/stator-go/stator/reactor"
)

// Plant says which bug is planted in a server, and counts the runs in which it was
// reached and triggered. The zero Plant is of the right server.
type Plant struct {
	Bug string // empty: none

	Runs, Reached, Triggered int  // numbers of runs
	reached, triggered       bool // in this run
}

// begin begins a run.
func (p *Plant) begin() {
	p.Runs++
	p.reached, p.triggered = false, false
	p.mutates()
}

// Wrong tells whether the server is to do the wrong thing: this bug is planted.
// Who asks has reached it; differs is whether the wrong thing is another one than the
// right thing here.
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
	return true
}

// swap is wrong in the place of right, where that bug is planted.
func swap[T comparable](p *Plant, bug string, wrong, right T) T {
	if p.Wrong(bug, wrong != right) {
		return wrong
	}
	return right
}

// claim panics unless what a server claims holds.
func claim(holds bool, format string, args ...any) {
	if !holds {
		panic("claim: " + fmt.Sprintf(format, args...))
	}
}

// ownFault is what a machine that ended did wrong, empty when it did not.
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

// silence is what a server claims of who it ends for it: it begins when a byte was
// read, and not when it was looked at again.
type silence struct {
	since time.Duration
	left  int // bytes that were looked at and not consumed
}

// ends ends the silence, if there is more input than before.
func (s *silence) ends(cx *cx, in int) {
	if in > s.left {
		s.since = cx.Now()
	}
	s.left = in
}
