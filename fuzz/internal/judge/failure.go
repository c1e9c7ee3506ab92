package judge

import (
	"strings"
	"time"
)

// Names of the oracles that every run is judged by, of those that compare runs, and of
// Setup. The name of a model is made by ModelName or LinearName.
const (
	Setup          = "setup"
	Panic          = "panic"
	Contract       = "descriptor contract"
	Quiescence     = "quiescence"
	StaleEvent     = "stale event"
	LostWakeUp     = "lost wake-up"
	LostInput      = "lost input"
	LostOutput     = "lost output"
	FalseEnd       = "false end"
	Livelock       = "livelock"
	UndeclaredEdge = "undeclared edge"
	Determinism    = "determinism"
	Segmentation   = "segmentation"
	HangUp         = "hang-up"
	SpuriousEvents = "spurious events"
	Isolation      = "isolation"
	Always         = "always"
	Deadline       = "deadline"
	Starvation     = "starvation"
	SlowPeers      = "slow peers"
	LateEnd        = "late end"
	Leak           = "leak"

	model   = "model"
	linear  = "linearizability"
	inOrder = "order"
)

// letters are short names, for reports.
var letters = map[string]string{
	Contract: "K", StaleEvent: "T", LostWakeUp: "W", LostInput: "B", LostOutput: "O", FalseEnd: "F", Quiescence: "Q", Livelock: "R", UndeclaredEdge: "E", Determinism: "D",
	Segmentation: "C", HangUp: "H", SpuriousEvents: "S", Isolation: "I", Deadline: "X", Always: "A", Starvation: "V", SlowPeers: "P", LateEnd: "N", Leak: "G", model: "M", linear: "L", inOrder: "U",
}

// Names returns the names of the oracles that judge runs under a Config, each with its
// letter.
func (c *Config) Names() (all []string) {
	all = []string{Panic, Contract, StaleEvent, LostWakeUp, LostInput, FalseEnd, Quiescence, Livelock, UndeclaredEdge, Determinism, Always}
	for _, o := range []struct {
		check Check
		name  string
	}{{CheckSegmentation, Segmentation}, {CheckHangUp, HangUp}, {CheckSpuriousEvents, SpuriousEvents}, {CheckDeadlines, Deadline}, {CheckLostOutput, LostOutput}, {CheckLateEnd, LateEnd}, {CheckLeaks, Leak}} {
		if c.Without&o.check == 0 {
			all = append(all, o.name)
		}
	}
	if c.Isolated {
		all = append(all, Isolation)
	}
	if c.Pressure {
		all = append(all, Starvation, SlowPeers)
	}
	for _, o := range c.Oracles {
		all = append(all, oracleName(o))
	}
	for i, name := range all {
		kind, _, _ := strings.Cut(name, ` "`)
		if letter := letters[kind]; letter != "" {
			all[i] += " (" + letter + ")"
		}
	}
	return all
}

// Failure is what is wrong with a run.
type Failure struct {
	Oracle string        // the name of the oracle that found it
	Text   string        // what is wrong
	State  string        // of the machine, if it is about one
	At     int           // how many events had happened
	Time   time.Duration // on the world's clock; 0: unknown
	During string        // the stage of the run's end that it came in; empty: none
	Stack  []byte        // of a panic

	Kind     string    // what is said, but for bytes and numbers; empty: see shape
	Tick     int       // of the observation that shows it; 0: none does
	Chatters bool      // a loop went on writing, and was cut off
	Runs     []Variant // that show it, if the trace itself does not: one, or two that differ
	Conn     int       // whose output those two differ in
	Outputs  [][]byte  // its output in each; nil: they differ in something else
}

func (f *Failure) Error() string { return f.Oracle + ": " + f.Text }

// Same reports whether two failures are the same: found by the same oracle, in the same state
// of a machine, at the same place of a handler that panics, and of the same kind. It does
// not compare bytes: shrinking makes them fewer.
func (f *Failure) Same(g *Failure) bool {
	return f != nil && g != nil && f.Oracle == g.Oracle && f.State == g.State && f.what() == g.what() && f.place() == g.place()
}

// what returns the kind of a failure, or the shape of its text if its oracle has no kinds.
func (f *Failure) what() string {
	if f.Kind != "" {
		return f.Kind
	}
	return shape(f.Text)
}

// shape returns a text without its numbers, and without what it quotes.
func shape(s string) string {
	b := make([]byte, 0, len(s))
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c < '0' || c > '9'):
			b = append(b, c)
		}
	}
	return string(b)
}

// place returns the line that panicked: in the stack it follows the line of panic itself.
func (f *Failure) place() string {
	_, rest, _ := strings.Cut(string(f.Stack), "\npanic(")
	lines := strings.SplitN(rest, "\n", 5)
	for _, line := range lines[1:] {
		if line = strings.TrimSpace(line); strings.Contains(line, ".go:") && !strings.Contains(line, "/runtime/") {
			where, _, _ := strings.Cut(line, " +")
			return where
		}
	}
	return ""
}
