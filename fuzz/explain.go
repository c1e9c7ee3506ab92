package fuzz

import (
	"fmt"
	"strings"
	"time"
)

// String is a finding in one line.
func (f *Finding) String() string {
	s := fmt.Sprintf("%d runs, %d events, %d things seen, seed %#x", f.Runs, f.Events, f.Corpus, f.Seed)
	if f.Failure != nil {
		s = f.Failure.Error() + " (" + s + ")"
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

// Explain tells what happened in the run that fails: in a line, event by event, and
// as a Mermaid sequence diagram.
func (f *Finding) Explain() string {
	if f.Failure == nil {
		return f.String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nafter %d events, at %s\n\n", f.Failure.Error(), f.Failure.At, clockTime(int64(f.Failure.Time)))
	at := 0
	for i, e := range f.Trace {
		fmt.Fprintf(&b, "%3d  %-36s %s\n", i+1, e, f.w.spec.meaning(e))
		if i < len(f.free) && len(f.free[i]) > 0 {
			fmt.Fprintf(&b, "     %s\n", strings.Join(f.free[i], "; "))
		}
		for ; f.w.journal != nil && at < len(f.w.journal.lines) && f.w.journal.lines[at].event <= i+1; at++ {
			fmt.Fprintf(&b, "       %s\n", f.w.journal.lines[at])
		}
	}
	b.WriteString("\n" + f.Mermaid())
	if f.Failure.Stack != nil {
		fmt.Fprintf(&b, "\n%s", f.Failure.Stack)
	}
	return b.String()
}

func (l line) String() string {
	who := "world"
	if l.conn >= 0 {
		who = fmt.Sprint("connection ", l.conn)
	}
	return fmt.Sprintf("%8s  %s: %s", clockTime(l.now), who, l.text)
}

// meaning is an event for people.
func (s *Spec) meaning(e Event) string {
	o := &ops[e.Op%opCount]
	text := strings.NewReplacer("ON", fmt.Sprint(e.On), "AA", fmt.Sprint(e.A), "BB", fmt.Sprint(e.B)).Replace(o.say)
	switch {
	case e.Op == opSend && int(e.A)%(len(s.Dict)+256) < len(s.Dict):
		text += " " + brief([]byte(s.Dict[int(e.A)%(len(s.Dict)+256)]))
	case e.Op == opSend:
		text += fmt.Sprintf(" %q", []byte{byte(int(e.A)%(len(s.Dict)+256) - len(s.Dict))})
	case e.Op == opLetter:
		text += " " + brief([]byte(s.letter(e.A)))
	case e.Op == opAbrupt && e.B >= abruptWords:
		text += ": it sends " + brief([]byte(s.letter(e.B-abruptWords)))
	case e.Op == opAbrupt:
		text += ": it " + []string{"is reset", "closes", "ends its direction"}[e.B]
	case e.Op == opAdvance, e.Op == opJump:
		text += " by " + e.span().String()
	}
	if (e.Op == opSend || e.Op == opAct) && e.B > 0 {
		text += fmt.Sprintf(", %d times", e.B+1)
	}
	return text
}

// Mermaid draws the run as a sequence diagram; empty without a journal.
func (f *Finding) Mermaid() string {
	if f.w == nil || f.w.journal == nil || len(f.w.journal.lines) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("sequenceDiagram\n    participant machines\n")
	for _, c := range f.w.conns {
		if c.life > 0 {
			fmt.Fprintf(&b, "    participant c%d as connection %d\n", c.number, c.number)
		}
	}
	now := int64(time.Hour)
	for _, l := range f.w.journal.lines {
		if l.event > len(f.Trace) {
			break
		}
		if l.now != now {
			now = l.now
			fmt.Fprintf(&b, "    Note over machines: %s\n", clockTime(now))
		}
		text := plainText(l.text)
		machine, does := strings.CutPrefix(text, "machine ")
		switch {
		case l.conn < 0 || strings.Contains(text, " → "):
			fmt.Fprintf(&b, "    Note over machines: %s\n", text)
		case does:
			fmt.Fprintf(&b, "    machines-->>c%d: %s\n", l.conn, machine)
		default:
			fmt.Fprintf(&b, "    c%d->>machines: %s\n", l.conn, text)
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
	fmt.Fprintf(&b, "# %s\n", strings.ReplaceAll(f.Failure.Error(), "\n", " "))
	for _, e := range f.Trace {
		fmt.Fprintf(&b, "%-40s # %s\n", e, f.w.spec.meaning(e))
	}
	return b.String()
}
