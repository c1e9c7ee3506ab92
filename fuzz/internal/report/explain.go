package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/shrink"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// Explain returns what happened in the run: what is wrong, in a line; event by event, in
// a table; as a Mermaid sequence diagram; and the trace.
func (a *Account) Explain() string {
	var b strings.Builder
	if a.Failure == nil {
		fmt.Fprintf(&b, "a run of %d events passes\n\n", len(a.Trace))
	} else {
		fmt.Fprintf(&b, "%s\n%s\n\n", a.Failure.Error(), when(a.Failure, len(a.Trace)))
	}
	if names := a.faults(); names != "" {
		b.WriteString("faults that struck: " + names + "\n\n")
	}
	if a.comes != "" {
		b.WriteString(a.comes + "\n\n")
	}
	a.difference(&b)
	for _, s := range a.stories {
		a.tell(&b, s)
	}
	a.tellHandlers(&b)
	if len(a.Trace) > 0 {
		title := "The trace"
		if slices.ContainsFunc(a.free, func(f shrink.Freedom) bool { return f.Swaps || len(f.Args) > 0 }) {
			title = "The trace, and what of it does not matter"
		}
		b.WriteString("The same as a diagram (Mermaid):\n\n" + a.Mermaid() + "\n" + title + ":\n\n")
	}
	for i, e := range a.Trace {
		if i == mostSteps {
			fmt.Fprintf(&b, "    … %d more\n", len(a.Trace)-i)
			break
		}
		fmt.Fprintln(&b, "   ", e)
		if i < len(a.free) {
			a.tellFree(&b, i)
		}
	}
	if a.Failure != nil && a.Failure.Stack != nil {
		fmt.Fprintf(&b, "\nThe stack:\n\n%s", handlerStack(string(a.Failure.Stack)))
	}
	return b.String()
}

// tell writes a story as a table.
func (a *Account) tell(b *strings.Builder, s story) {
	if len(s.Trace)+len(s.lines) == 0 {
		return
	}
	if s.How != "" {
		fmt.Fprintf(b, "What happens %s:\n\n", s.How)
	}
	table(b, " ", func(row func(...string)) {
		row(stepHead...)
		for _, s := range a.rows(s) {
			row(s.cells()...)
		}
	})
	b.WriteString("\n")
}

// tellFree writes what of an event does not matter.
func (a *Account) tellFree(b *strings.Builder, at int) {
	var all []string
	if args := a.free[at].Args; len(args) > 0 {
		all = append(all, "any value of "+strings.Join(args, ", of "))
	}
	if a.free[at].Swaps {
		all = append(all, fmt.Sprintf("before or after event %d", at+2))
	}
	if len(all) > 0 {
		fmt.Fprintln(b, "       ", strings.Join(all, "; "))
	}
}

// when returns the moment of a failure in a run of so many events.
func when(f *judge.Failure, events int) string {
	switch {
	case f.Oracle == judge.Setup:
		return "before the first event"
	case f.Time == 0:
		return fmt.Sprintf("in a run of %d events", events)
	case f.During != "":
		return fmt.Sprintf("after event %d of %d, as %s, at %s", f.At, events, f.During, clockTime(int64(f.Time)))
	}
	return fmt.Sprintf("after event %d of %d, at %s", f.At, events, clockTime(int64(f.Time)))
}

// meaning returns an event in words.
func (w *wording) meaning(e trace.Event) string {
	return strings.TrimSpace(w.says(e) + " " + w.word(e))
}

// says returns what an event does, without the word that it sends.
func (w *wording) says(e trace.Event) string {
	o := &sentences[e.Op%trace.NumOps]
	if strings.Contains(o.least, "A") {
		e.A = max(e.A, 1)
	}
	if strings.Contains(o.least, "B") {
		e.B = max(e.B, 1)
	}
	text := counted.Replace(strings.NewReplacer("ON", fmt.Sprint(e.On), "AA", fmt.Sprint(e.A), "BB", fmt.Sprint(e.B)).Replace(o.text))
	switch {
	case e.Op == trace.Act && int(e.On) < len(w.actions):
		text = fmt.Sprintf("action %q happens with %d", w.actions[e.On], e.A)
		if e.B > 0 {
			text += fmt.Sprintf(", %d times", int(e.B)+1)
		}
	case e.Op == trace.Datagram:
		text += " " + judge.Brief([]byte(w.dict.DatagramWord(e.A)))
	case e.Op == trace.Abrupt && e.B >= trace.AbruptSend:
		text += ": it sends " + judge.Brief([]byte(w.dict.DatagramWord(e.B-trace.AbruptSend)))
	case e.Op == trace.Abrupt:
		text += ": it " + []string{"is reset", "closes", "half-closes"}[e.B]
	case e.Op == trace.DatagramFails:
		text += " " + []string{"are lost", "come twice", "overtake others"}[e.A%trace.NumDatagramFates]
	case e.Op == trace.AcceptFails:
		text += ": " + sim.AcceptError(e.A).Error()
	case e.Op == trace.ConnectFails:
		text += ": " + []string{"it is refused", "no answer comes"}[e.A%2]
	case e.Op == trace.LookUpFails:
		text += ": " + []string{"no such host", "a timeout", "the server misbehaves"}[e.A%trace.NumLookUpFates]
	case e.Op == trace.AnswerWaits && e.A == trace.MaxArg:
		text = fmt.Sprintf("the server of connection %d, or of the next one, does not reply until faults cease", e.On)
	case e.Op == trace.Pace && e.A == trace.MaxArg:
		text = fmt.Sprintf("connection %d reads at once", e.On)
	case e.Op == trace.Pace && (e.A == 0 || e.B == 0):
		text = fmt.Sprintf("connection %d does not read", e.On)
	case e.Op == trace.Advance, e.Op == trace.Jump:
		text += " by " + e.Span().String()
	case e.Op == trace.Send && e.B > 0:
		text += fmt.Sprintf(" %d times", int(e.B)+1)
	}
	return text
}

// counted uses the singular after 1, and "each time" for a number of times that no run
// reaches.
var counted = strings.NewReplacer(" 1 times", " once", fmt.Sprint(" ", trace.MaxArg, " times"), " each time",
	" 1 bytes", " 1 byte", " 1 turns", " 1 turn", " 1 slots", " 1 slot", " 1 steps", " 1 step", " 1 events", " 1 event", " 1-th next", " next")

// word returns what a send sends.
func (w *wording) word(e trace.Event) string {
	if e.Op != trace.Send {
		return ""
	}
	return judge.Brief([]byte(w.dict.Word(e.A)))
}

// File returns the trace as it is kept: with what is wrong, and what each event does.
func (a *Account) File() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", sourceText(a.Failure.Error()))
	for _, e := range a.Trace {
		fmt.Fprintf(&b, "%-40s # %s\n", e, a.words.meaning(e))
	}
	return b.String()
}

// sourceText returns a text for a comment: in one line, without what is not allowed in a
// source file.
func sourceText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\uFEFF', r == utf8.RuneError:
			return '?'
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
}
