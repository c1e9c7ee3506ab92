package report

import (
	"fmt"
	"slices"

	"github.com/stator-go/stator/fuzz/internal/judge"
)

// A run may repeat itself: a machine reads thousands of times a byte, or a peer that is
// answered asks again. Such rows are folded: equal rows that follow each other into one with
// their number, and a cycle of rows into its first round and a row that counts the others.

const (
	fewestRounds = 3  // that are folded
	longestCycle = 32 // rows
)

// fold returns steps with repetitions folded. Rows are equal if they differ only in their
// times, and in the numbers of their events.
func fold(all []step) []step { return foldCycles(foldRuns(all)) }

// foldRuns makes one step of equal steps that follow each other, and of single bytes that
// are sent, read or written one after the other.
func foldRuns(all []step) (folded []step) {
	for len(all) > 0 {
		n := run(all)
		if n < fewestRounds {
			n = 1
			folded = append(folded, all[0])
		} else {
			folded = append(folded, joined(all[:n]))
		}
		all = all[n:]
	}
	return folded
}

// run returns how many steps, from the first on, can be joined.
func run(all []step) int {
	first := all[0].alikeButByte()
	for n, s := range all {
		if s.alikeButByte() != first || (s.single == "") != (all[0].single == "") {
			return n
		}
	}
	return len(all)
}

// joined returns the step that stands for several.
func joined(all []step) step {
	first, last := all[0], all[len(all)-1]
	if first.single != "" {
		var bytes []byte
		for _, s := range all {
			bytes = append(bytes, s.single...)
		}
		first.detail = judge.Brief(bytes) + ", byte by byte"
	}
	first.times, first.last, first.until = len(all), last.last, last.until
	return first
}

// foldCycles leaves one round of each cycle, followed by a step that counts the others.
func foldCycles(all []step) (folded []step) {
	alike := make([]step, len(all))
	for i, s := range all {
		alike[i] = s.alike()
	}
	for at := 0; at < len(all); {
		length, rounds := cycle(alike[at:])
		if rounds == 0 {
			folded = append(folded, all[at])
			at++
			continue
		}
		second, end := at+length, at+length*rounds
		others := step{line: line{now: all[second].now, conn: -1}, ends: true, until: all[end-1].until, times: 1}
		others.text = fmt.Sprintf("… the last %d rows %s more times", length, Thousands(uint64(rounds-1)))
		for _, s := range all[second:end] {
			if others.number == 0 {
				others.number = s.number
			}
			others.last = max(others.last, s.last)
		}
		folded = append(folded, all[at:second]...)
		first := &folded[len(folded)-length]
		first.rounds, first.over = rounds, others.until
		folded = append(folded, others)
		at = end
	}
	return folded
}

// cycle returns the cycle that steps begin with, and its rounds: of several cycles the one of
// most steps, and of those the shortest.
func cycle(all []step) (length, rounds int) {
	for n := 2; n <= min(longestCycle, len(all)/fewestRounds); n++ {
		times := 1
		for rest := all[n:]; len(rest) >= n && slices.Equal(rest[:n], all[:n]); rest = rest[n:] {
			times++
		}
		if times >= fewestRounds && n*times > length*rounds {
			length, rounds = n, times
		}
	}
	return length, rounds
}

// alike returns the step without what may differ between steps that are folded.
func (s step) alike() step {
	s.number, s.last, s.now, s.until, s.line.event = 0, 0, 0, 0, 0
	return s
}

// alikeButByte returns the same, also without the byte of a step that is about a single one.
func (s step) alikeButByte() step {
	if s = s.alike(); s.single != "" {
		s.single, s.detail = "", ""
	}
	return s
}
