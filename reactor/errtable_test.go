package reactor

import (
	"errors"
	"fmt"
	"testing"
)

// An error is there as long as a port has it; its number is then another one's.
func TestErrorTable(t *testing.T) {
	var table errTable
	stays := errors.New("stays")
	kept := table.hold(stays)
	if again := table.hold(stays); again != kept {
		t.Errorf("one error has the numbers %d and %d", kept, again)
	}
	table.drop(kept)
	for i := range 10_000 {
		err := fmt.Errorf("lookup host%d: no such host", i)
		n := table.hold(err)
		if got := table.of(n); got != err {
			t.Fatalf("error %d is told as %v", i, got)
		}
		table.drop(n)
	}
	if got := table.of(kept); got != stays {
		t.Errorf("one that is held is told as %v", got)
	}
	table.drop(kept)
	if table.of(0) != nil {
		t.Error("number 0 is an error")
	}
	for i, e := range table.rows {
		if e.err != nil {
			t.Errorf("row %d keeps %v, which nobody has", i, e.err)
		}
	}
}

// More different errors than numbers: those that have one keep it, the others share.
func TestErrorTableIsBounded(t *testing.T) {
	var table errTable
	numbers := make([]uint8, 1000)
	all := make([]error, len(numbers))
	for i := range numbers {
		all[i] = fmt.Errorf("error %d", i)
		numbers[i] = table.hold(all[i])
	}
	for i, n := range numbers {
		want := all[i]
		if i >= errRows-1 {
			want = all[len(all)-1]
		}
		if got := table.of(n); got != want {
			t.Fatalf("error %d is told as %v, want %v", i, got, want)
		}
	}
	for _, n := range numbers {
		table.drop(n)
	}
	last := errors.New("last")
	if n := table.hold(last); n != 1 || table.of(n) != last {
		t.Errorf("an empty table gives number %d", n)
	}
}
