package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Mermaid returns the run as a sequence diagram; of two that differ, the second one. Each
// connection and each machine has a line.
func (a *Account) Mermaid() string {
	steps := a.steps(a.stories[len(a.stories)-1])
	steps = slices.DeleteFunc(steps, func(s step) bool { return s.event }) // what follows from it is shown
	findMachines(steps)
	d := diagram{now: int64(time.Hour), indent: "    "}
	d.WriteString("sequenceDiagram\n")
	d.participants(steps, a.words.conns)
	for _, s := range shorten(fold(steps)) {
		d.step(s)
	}
	d.endCycle()
	return d.String()
}

// findMachines names the machine of each step about a connection, as far as the connection
// ever gets one.
func findMachines(steps []step) {
	next := map[int]string{} // by connection, from the end on
	for i := len(steps) - 1; i >= 0; i-- {
		s := &steps[i]
		if s.who != "" {
			next[s.conn] = s.who
		} else if s.conn >= 0 {
			s.who = next[s.conn]
		}
		if s.text == connects {
			delete(next, s.conn)
		}
	}
	last := map[int]string{}
	for i := range steps {
		s := &steps[i]
		if s.who == "" && s.conn >= 0 && s.text != connects {
			s.who = last[s.conn]
		}
		last[s.conn] = s.who
	}
}

// diagram is a sequence diagram that is being written.
type diagram struct {
	strings.Builder
	now      int64 // of the last note of a time
	indent   string
	inCycle  bool
	machines []string // that have a line
	all      string   // from the first line to the last one
}

// participants writes the lines: of the connections that peers dial, of machines, and of the
// connections that machines dial.
func (d *diagram) participants(steps []step, conns int) {
	var lines []string
	line := func(id, name string) {
		d.linef("participant %s as %s", id, name)
		lines = append(lines, id)
	}
	lineOf := func(from, to int) {
		for c := from; c < to; c++ {
			if slices.ContainsFunc(steps, func(s step) bool { return s.conn == c }) {
				line(fmt.Sprint("c", c), fmt.Sprint("connection ", c))
			}
		}
	}
	lineOf(0, conns/2)
	for _, s := range steps {
		for _, name := range []string{s.who, s.to} {
			if name != "" && !slices.Contains(d.machines, name) {
				d.machines = append(d.machines, name)
				line(d.machine(name), name)
			}
		}
	}
	lineOf(conns/2, conns)
	if len(lines) == 0 {
		line("world", "the world")
	}
	if d.all = lines[0]; len(lines) > 1 {
		d.all += "," + lines[len(lines)-1]
	}
}

// machine returns the id of a machine's line.
func (d *diagram) machine(name string) string { return fmt.Sprint("m", slices.Index(d.machines, name)) }

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
		d.linef("Note over %s: %s", d.all, clockTime(s.now))
	}
	if s.rounds > 0 {
		d.beginCycle(s)
	}
	text := plainText(strings.TrimSpace(s.title() + " " + s.detail))
	does, isMachine := strings.CutPrefix(text, "machine ")
	does = strings.TrimPrefix(does, s.who+" ")
	peer, machine := fmt.Sprint("c", s.conn), d.machine(s.who)
	switch {
	case s.to != "" && s.who != "":
		d.linef("%s->>%s: %s", machine, d.machine(s.to), strings.TrimPrefix(text, "sends to "+s.to+" "))
	case s.to != "":
		d.linef("Note over %s: %s", d.machine(s.to), plainText(s.move)+" "+text)
	case s.move != "" && s.who != "":
		d.linef("Note over %s: %s", machine, strings.TrimSuffix(plainText(s.move)+" ("+does+")", " ()"))
	case s.conn < 0:
		d.linef("Note over %s: %s", d.all, text)
	case s.who == "":
		d.linef("Note over %s: %s", peer, text)
	case isMachine && s.text == reads:
		d.linef("%s-->>%s: %s", peer, machine, does)
	case isMachine, s.text == getsEnd, s.text == isReset:
		d.linef("%s->>%s: %s", machine, peer, does)
	default:
		d.linef("%s->>%s: %s", peer, machine, text)
	}
	if s.until > s.now {
		d.now = s.until
		d.linef("Note over %s: %s", d.all, clockTime(s.until))
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
