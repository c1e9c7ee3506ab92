package fuzz

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stator-go/stator/fuzz/trace"
)

// String is a finding in one line.
func (f *Finding) String() string {
	if f.Failure != nil {
		return f.Failure.Error() + " (" + f.effort() + ")"
	}
	return f.effort()
}

// effort is how far a search came.
func (f *Finding) effort() string {
	s := fmt.Sprintf("%d runs, %d events, %d things seen, seed %#x", f.Runs, f.Events, f.Corpus, f.Seed)
	if f.Done {
		s += "; there is no other trace"
	}
	if len(f.Missing) > 0 {
		s += "; never: " + strings.Join(f.Missing, ", ")
	}
	if f.Undecided > 0 {
		s += fmt.Sprintf("; %d runs undecided", f.Undecided)
	}
	if len(f.Unseen) > 0 {
		s += "; not seen: " + strings.Join(f.Unseen, ", ")
	}
	return s
}

// Explain tells what happened in the run that fails: what is wrong, in a line; event
// by event, in a table; as a Mermaid sequence diagram; and the trace, for Parse.
func (f *Finding) Explain() string {
	if f.Failure == nil {
		return f.String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n", f.Failure.Error(), f.Failure.when(len(f.Trace)))
	if f.Failure.comes != "" {
		b.WriteString(f.Failure.comes + "\n\n")
	}
	f.Failure.apart(&b)
	for _, s := range f.stories() {
		if len(s.trace)+len(s.lines) == 0 {
			continue
		}
		if s.how != "" {
			fmt.Fprintf(&b, "What happens %s:\n\n", s.how)
		}
		table(&b, " ", func(row func(...string)) {
			row(stepHead...)
			for _, s := range f.steps(s) {
				row(s.cells()...)
			}
		})
		b.WriteString("\n")
	}
	if len(f.Trace) > 0 {
		b.WriteString("The same as a diagram (Mermaid):\n\n" + f.Mermaid() + "\nThe trace, and what of it does not matter:\n\n")
	}
	for i, e := range f.Trace {
		if i == mostSteps {
			fmt.Fprintf(&b, "    … %d more\n", len(f.Trace)-i)
			break
		}
		fmt.Fprintln(&b, "   ", e)
		if i < len(f.free) && len(f.free[i]) > 0 {
			fmt.Fprintln(&b, "       ", strings.Join(f.free[i], "; "))
		}
	}
	if f.Failure.Stack != nil {
		fmt.Fprintf(&b, "\nThe stack:\n\n%s", handlerStack(string(f.Failure.Stack)))
	}
	return b.String()
}

// meaning is an event for people.
func (w *World) meaning(e trace.Event) string {
	return strings.TrimSpace(w.says(e) + " " + w.spec.word(e))
}

// says is what an event does, but for the word that it sends.
func (w *World) says(e trace.Event) string {

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
		text = fmt.Sprintf("action %q happens with %d", w.actions[e.On].name, e.A)
		if e.B > 0 {
			text += fmt.Sprintf(", %d times", int(e.B)+1)
		}
	case e.Op == trace.Datagram:
		text += " " + brief([]byte(trace.Dictionary(w.spec.Dict).DatagramWord(e.A)))
	case e.Op == trace.Abrupt && e.B >= trace.AbruptSend:
		text += ": it sends " + brief([]byte(trace.Dictionary(w.spec.Dict).DatagramWord(e.B-trace.AbruptSend)))
	case e.Op == trace.Abrupt:
		text += ": it " + []string{"is reset", "closes", "ends its direction"}[e.B]
	case e.Op == trace.DatagramFails:
		text += " " + []string{"are lost", "come twice", "overtake others"}[e.A%trace.NumDatagramFates]
	case e.Op == trace.AcceptFails:
		text += ": " + acceptErrors[int(e.A)%len(acceptErrors)].Error()
	case e.Op == trace.ConnectFails:
		text += ": " + []string{"it is refused", "no answer comes"}[e.A%2]
	case e.Op == trace.Pace && e.A == always:
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

// counted makes one of what is one, and for ever of what never ends.
var counted = strings.NewReplacer(" 1 times", " once", fmt.Sprint(" ", always, " times"), " each time",
	" 1 bytes", " 1 byte", " 1 turns", " 1 turn", " 1 slots", " 1 slot", " 1 steps", " 1 step", " 1 events", " 1 event", " 1-th next", " next")

// word is what a send sends.
func (s *Spec) word(e trace.Event) string {
	if e.Op != trace.Send {
		return ""
	}
	return brief([]byte(trace.Dictionary(s.Dict).Word(e.A)))
}

// Mermaid draws the run as a sequence diagram, and of two that differ the second one.
// It is empty for a search that found nothing.
func (f *Finding) Mermaid() string {
	stories := f.stories()
	if stories == nil {
		return ""
	}
	steps := f.steps(stories[len(stories)-1])
	var b strings.Builder
	b.WriteString("sequenceDiagram\n    participant machines\n")
	for _, c := range f.w.conns {
		if c.life > 0 {
			fmt.Fprintf(&b, "    participant c%d as connection %d\n", c.number, c.number)
		}
	}
	now := int64(time.Hour)
	for _, s := range steps {
		if s.event {
			continue // what follows from it is shown
		}
		if s.now != now {
			now = s.now
			fmt.Fprintf(&b, "    Note over machines: %s\n", clockTime(now))
		}
		text := plainText(strings.TrimSpace(s.text + " " + s.detail))
		machine, does := strings.CutPrefix(text, "machine ")
		switch {
		case s.move != "":
			fmt.Fprintf(&b, "    Note over machines: %s\n", strings.TrimSuffix(plainText(s.move)+" ("+machine+")", " ()"))
		case s.conn < 0:
			fmt.Fprintf(&b, "    Note over machines: %s\n", text)
		case does && s.text == reads:
			fmt.Fprintf(&b, "    c%d-->>machines: %s\n", s.conn, machine)
		case does:
			fmt.Fprintf(&b, "    machines-->>c%d: %s\n", s.conn, machine)
		case s.text == getsEnd, s.text == isReset:
			fmt.Fprintf(&b, "    machines->>c%d: %s\n", s.conn, text)
		default:
			fmt.Fprintf(&b, "    c%d->>machines: %s\n", s.conn, text)
		}
	}
	return b.String()
}

// plainText is a text without what ends a message of a diagram.
func plainText(s string) string {
	return strings.NewReplacer(";", ",", "#", "no. ", "\n", " ", ":", ".").Replace(s)
}

// file is a trace with its story, as it is kept.
func (f *Finding) file() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", sourceText(f.Failure.Error()))
	for _, e := range f.Trace {
		fmt.Fprintf(&b, "%-40s # %s\n", e, f.w.meaning(e))
	}
	return b.String()
}

// sourceText is a text as it may stand in a comment: in one line, without what is not
// allowed in a source file.
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

// command is what runs a test again.
func command(test string) string {
	parts := strings.Split(test, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.TrimSpace("go test -run '" + strings.Join(parts, "/") + "' " + testPackage())
}
