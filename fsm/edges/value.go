package main

import (
	"cmp"
	"fmt"
	"go/token"
	"maps"
	"slices"

	"github.com/stator-go/stator/fsm"
)

// value is the set of States that an expression may have. Each has a position in the
// source, and so has each unknown State.
type value struct {
	states  map[fsm.State]token.Pos
	unknown []token.Pos
	partial bool // depends on a recursion whose evaluation is not complete
}

func single(s fsm.State, at token.Pos) value {
	return value{states: map[fsm.State]token.Pos{s: at}}
}

func unknown(at token.Pos) value { return value{unknown: []token.Pos{at}} }

// add adds the states of other to v.
func (v *value) add(other value) {
	if v.states == nil {
		v.states = make(map[fsm.State]token.Pos)
	}
	for s, at := range other.states {
		if _, has := v.states[s]; !has {
			v.states[s] = at
		}
	}
	for _, at := range other.unknown {
		if !slices.Contains(v.unknown, at) {
			v.unknown = append(v.unknown, at)
		}
	}
	v.partial = v.partial || other.partial
}

// key returns a string that is the same for equal values.
func (v value) key() string {
	return fmt.Sprint(slices.Sorted(maps.Keys(v.states)), len(v.unknown) > 0, v.partial)
}

// ordinary returns the states in v that are not special, in order.
func (v value) ordinary() (all []fsm.State) {
	for s := range v.states {
		if s >= fsm.First && s <= fsm.Last {
			all = append(all, s)
		}
	}
	return slices.SortedFunc(slices.Values(all), cmp.Compare[fsm.State])
}

func (v value) has(s fsm.State) bool {
	_, has := v.states[s]
	return has
}

// truth is what is known about a condition.
type truth int

const (
	perhaps truth = iota
	no
	yes
)

func known(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth { return [...]truth{perhaps, yes, no}[t] }

func (t truth) and(u truth) truth {
	switch {
	case t == no || u == no:
		return no
	case t == yes && u == yes:
		return yes
	}
	return perhaps
}

// equal reports whether two values are the same at run time.
func equal(a, b value) truth {
	if len(a.unknown)+len(b.unknown) > 0 || a.partial || b.partial || len(a.states) == 0 || len(b.states) == 0 {
		return perhaps
	}
	for s := range a.states {
		if b.has(s) {
			if len(a.states) == 1 && len(b.states) == 1 {
				return yes
			}
			return perhaps
		}
	}
	return no
}
