package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Mermaid returns the run as a sequence diagram; of two that differ, the second one.
func (a *Account) Mermaid() string {
	steps := a.steps(a.stories[len(a.stories)-1])
	steps = slices.DeleteFunc(steps, func(s step) bool { return s.event }) // what follows from it is shown
	d := diagram{now: int64(time.Hour), indent: "    "}
	d.WriteString("sequenceDiagram\n    participant machines\n")
	for c := range a.words.conns {
		if slices.ContainsFunc(steps, func(s step) bool { return s.conn == c }) {
			d.linef("participant c%d as connection %d", c, c)
		}
	}
	for _, s := range shorten(fold(steps)) {
		d.step(s)
	}
	d.endCycle()
	return d.String()
}

// diagram is a sequence diagram that is being written.
type diagram struct {
	strings.Builder
	now     int64 // of the last note of a time
	indent  string
	inCycle bool
}

func (d *diagram) linef(format string, args ...any) {
	fmt.Fprintf(d, d.indent+format+"\n", args...)
}

// step writes a step, and begins or ends a cycle of them.
func (d *diagram) step(s step) {
	if s.ends && d.inCycle {
		d.endCycle()
		d.now = s.until
		return
	}
	if s.left {
		d.endCycle()
	}
	if s.now != d.now {
		d.now = s.now
		d.linef("Note over machines: %s", clockTime(s.now))
	}
	if s.rounds > 0 {
		d.beginCycle(s)
	}
	text := plainText(strings.TrimSpace(s.title() + " " + s.detail))
	machine, does := strings.CutPrefix(text, "machine ")
	switch {
	case s.move != "":
		d.linef("Note over machines: %s", strings.TrimSuffix(plainText(s.move)+" ("+machine+")", " ()"))
	case s.conn < 0:
		d.linef("Note over machines: %s", text)
	case does && s.text == reads:
		d.linef("c%d-->>machines: %s", s.conn, machine)
	case does:
		d.linef("machines-->>c%d: %s", s.conn, machine)
	case s.text == getsEnd, s.text == isReset:
		d.linef("machines->>c%d: %s", s.conn, text)
	default:
		d.linef("c%d->>machines: %s", s.conn, text)
	}
	if s.until > s.now {
		d.now = s.until
		d.linef("Note over machines: %s", clockTime(s.until))
	}
}

// beginCycle begins a loop, which shows the first round of the cycle that begins with a step.
func (d *diagram) beginCycle(s step) {
	label := fmt.Sprintf("loop %s times", Thousands(uint64(s.rounds)))
	if s.over > s.now {
		label += fmt.Sprintf(", %s to %s", clockTime(s.now), clockTime(s.over))
	}
	d.linef("%s", label)
	d.inCycle, d.indent = true, d.indent+"    "
}

func (d *diagram) endCycle() {
	if d.inCycle {
		d.inCycle, d.indent = false, strings.TrimPrefix(d.indent, "    ")
		d.linef("end")
	}
}

// plainText returns a text without characters that end a message of a diagram.
func plainText(s string) string {
	return strings.NewReplacer(";", ",", "#", "no. ", "\n", " ", ":", ".").Replace(s)
}
