package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz/trace"
)

// step is a row of the table of a run: an event of the trace, or something that followed
// from it; see fold for those that stand for several.
type step struct {
	event  bool // else it followed
	number int  // of the event; 0: it is none of the trace that is shown
	line

	times  int   // that it happened, one after the other
	last   int   // number of the last event that it stands for
	until  int64 // when the last of them happened
	rounds int   // of the cycle of steps that begins with it; 0: none does
	over   int64 // when that cycle is over
	ends   bool  // it is behind a cycle, and counts the rounds but for the first
	left   bool  // it stands for rows that are left out
}

func newStep(number int, l line) step {
	return step{number: number, line: l, times: 1, last: number, until: l.now}
}

// stepHead names the columns of a step.
var stepHead = []string{"#", "time", "conn", "what", "state", "deadlines", "detail"}

// cells returns a step, column by column.
func (s step) cells() []string {
	number, conn, text, at := "", "", "  "+s.title(), clockTime(s.now)
	if s.event || s.ends {
		text = s.title()
	}
	if s.number > 0 {
		number = fmt.Sprint(s.number)
	}
	if s.last > s.number {
		number = fmt.Sprintf("%d to %d", s.number, s.last)
	}
	if s.until > s.now {
		at += " to " + clockTime(s.until)
	}
	if s.conn >= 0 {
		conn = fmt.Sprint(s.conn)
	}
	return []string{number, at, conn, text, s.move, s.then, oneLine(s.detail)}
}

// title returns the text of a step, with how often it happened.
func (s step) title() string {
	if s.times > 1 {
		return strings.TrimSpace(fmt.Sprintf("%s ×%s", s.text, Thousands(uint64(s.times))))
	}
	return s.text
}

// rows returns the steps of a story as a table shows them.
func (a *Account) rows(s story) []step { return shorten(fold(a.steps(s))) }

// steps returns the events of a story, each with what followed.
func (a *Account) steps(s story) (all []step) {
	lines := s.lines
	for i := 0; i <= min(s.end, len(s.Trace)); i++ { // at 0 is what Setup did
		if i > 0 {
			l := a.words.event(s.Trace[i-1])
			if i <= len(s.begins) {
				l.now = s.begins[i-1]
			}
			event := newStep(s.From[i-1], l)
			event.event = true
			all = append(all, event)
		}
		for ; len(lines) > 0 && lines[0].event <= i; lines = lines[1:] {
			l := lines[0]
			if len(s.lines)-len(lines) == s.marked {
				l.detail, l.single = strings.TrimSpace(l.detail+" "+s.mark), ""
			}
			all = append(all, newStep(0, l))
		}
	}
	return all
}

// event returns an event of a trace as a line.
func (w *wording) event(e trace.Event) line {
	l := line{now: int64(time.Hour), conn: -1, text: w.says(e), detail: w.word(e)}
	if e.Op.Target() == trace.OnConn && int(e.On) < w.conns {
		l.conn = int(e.On)
		l.text = strings.TrimSpace(strings.TrimPrefix(l.text, fmt.Sprint("connection ", l.conn, " ")))
	}
	return l
}

// mostSteps is how many rows a table has.
const mostSteps = 120

// shorten leaves out the middle of a long run: the beginning and the end show most.
func shorten(all []step) []step {
	left := len(all) - mostSteps
	if left <= 0 {
		return all
	}
	const head = mostSteps / 4
	gap := newStep(0, line{now: all[head].now, conn: -1, text: fmt.Sprintf("… %d rows left out …", left)})
	gap.left = true
	return slices.Concat(all[:head], []step{gap}, all[head+left:])
}

// handlerStack returns the part of a panic's stack that is the user's: from the panic to
// the call of the handler. It returns the whole stack if there is no such part.
func handlerStack(stack string) string {
	lines := strings.SplitAfter(stack, "\n")
	from := slices.IndexFunc(lines, func(s string) bool { return strings.HasPrefix(s, "panic(") })
	if from < 0 || from+2 > len(lines) {
		return stack
	}
	own := lines[from+2:]
	to := slices.IndexFunc(own, func(s string) bool { return strings.HasPrefix(s, "github.com/stator-go/stator/reactor.") })
	if to <= 0 {
		return stack
	}
	return strings.Join(own[:to], "")
}
