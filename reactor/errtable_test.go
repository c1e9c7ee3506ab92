package reactor

import (
	"errors"
	"fmt"
	"testing"
)

// An error keeps its number as long as a port has it. Then the number is free.
func TestErrorTable(t *testing.T) {
	var table errTable
	stays := errors.New("stays")
	kept := table.hold(stays)
	if again := table.hold(stays); again != kept {
		t.Errorf("the same error again: got number %d, want %d", again, kept)
	}
	table.drop(kept)
	for i := range 10_000 {
		err := fmt.Errorf("lookup host%d: no such host", i)
		n := table.hold(err)
		if got := table.of(n); got != err {
			t.Fatalf("number %d: got %v, want %v", n, got, err)
		}
		table.drop(n)
	}
	if got := table.of(kept); got != stays {
		t.Errorf("an error that is held: got %v, want %v", got, stays)
	}
	table.drop(kept)
	if got := table.of(0); got != nil {
		t.Errorf("number 0: got %v, want no error", got)
	}
	for i, e := range table.rows {
		if e.err != nil {
			t.Errorf("row %d: got %v, which no port has, want it free", i, e.err)
		}
	}
}

// If there are more errors than numbers, those that have one keep it, and the others
// share the last.
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
		if i >= maxErrs-1 {
			want = all[len(all)-1]
		}
		if got := table.of(n); got != want {
			t.Fatalf("error %d: got %v, want %v", i, got, want)
		}
	}
	for _, n := range numbers {
		table.drop(n)
	}
	last := errors.New("last")
	if n := table.hold(last); n != 1 || table.of(n) != last {
		t.Errorf("an empty table: got number %d of %v, want 1 of %v", n, table.of(n), last)
	}
}
