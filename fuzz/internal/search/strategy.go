package search

import (
	"fmt"
	"strconv"
	"strings"
)

// Strategy is how a search chooses its next trace. fuzz.Strategy documents them.
type Strategy int

const (
	Guided Strategy = iota
	Swarm
	Random

	exhaustive Strategy = 1 << 8
)

// mostDepth is the largest depth of an exhaustive search: few kinds can be searched that far.
const mostDepth = 20

// Exhaustive returns the Strategy of every trace of at most depth events.
func Exhaustive(depth int) Strategy { return exhaustive + Strategy(max(1, min(depth, mostDepth))) }

// IsExhaustive reports whether the traces of a Strategy come to an end.
func (s Strategy) IsExhaustive() bool { return s > exhaustive }

// String returns the Strategy as FUZZ_STRATEGY has it.
func (s Strategy) String() string {
	switch s {
	case Guided:
		return "guided"
	case Swarm:
		return "swarm"
	case Random:
		return "random"
	}
	return fmt.Sprintf("exhaustive:%d", int(s-exhaustive))
}

// ParseStrategy reads what String returns.
func ParseStrategy(text string) (Strategy, error) {
	for s := Guided; s <= Random; s++ {
		if text == s.String() {
			return s, nil
		}
	}
	depth, found := strings.CutPrefix(text, "exhaustive:")
	if n, err := strconv.Atoi(depth); found && err == nil && n >= 1 && n <= mostDepth {
		return Exhaustive(n), nil
	}
	return 0, fmt.Errorf("strategy %q: want guided, swarm, random, or exhaustive:1 to exhaustive:%d", text, mostDepth)
}
