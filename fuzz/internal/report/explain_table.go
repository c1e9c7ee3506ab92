package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz/trace"
)

// step is a row of the table of a run: an event of the trace, or something that followed
// from it.
type step struct {
	event  bool // else it followed
	number int  // of the event; 0: it is none of the trace that is shown
	line
}

// stepHead names the columns of a step.
var stepHead = []string{"#", "time", "conn", "what", "state", "deadlines", "detail"}

// cells returns a step, column by column.
func (s step) cells() []string {
	number, conn, text := "", "", "  "+s.text
	if s.event {
		text = s.text
	}
	if s.number > 0 {
		number = fmt.Sprint(s.number)
	}
	if s.conn >= 0 {
		conn = fmt.Sprint(s.conn)
	}
	return []string{number, clockTime(s.now), conn, text, s.move, s.then, oneLine(s.detail)}
}

// steps returns the events of a story, each with what followed.
func (a *Account) steps(s story) (all []step) {
	lines := s.lines
	for i := 0; i <= min(s.end, len(s.Trace)); i++ { // at 0 is what Setup did
		if i > 0 {
			l := a.words.event(s.Trace[i-1])
			if i <= len(s.begins) {
				l.now = s.begins[i-1]
			}
			all = append(all, step{true, s.From[i-1], l})
		}
		for ; len(lines) > 0 && lines[0].event <= i; lines = lines[1:] {
			l := lines[0]
			if len(s.lines)-len(lines) == s.marked {
				l.detail = strings.TrimSpace(l.detail + " " + s.mark)
			}
			all = append(all, step{line: l})
		}
	}
	return shorten(all)
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
	gap := step{line: line{now: all[head].now, conn: -1, text: fmt.Sprintf("… %d rows left out …", left)}}
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
