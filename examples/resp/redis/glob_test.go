package redis

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// naiveMatch tries every possible match of each star. Its name must not be empty.
func naiveMatch(pattern string, name []byte) bool {
	switch {
	case pattern == "":
		return len(name) == 0
	case pattern[0] == '*':
		for i := 0; i <= len(name); i++ {
			if naiveMatch(pattern[1:], name[i:]) {
				return true
			}
		}
		return false
	case len(name) == 0:
		return false
	}
	next, ok := one(pattern, 0, name[0])
	return ok && naiveMatch(pattern[next:], name[1:])
}

func TestMatchModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	word := func(letters string, most int) string {
		var b strings.Builder
		for range rnd.IntN(most) {
			b.WriteByte(letters[rnd.IntN(len(letters))])
		}
		return b.String()
	}
	matched := 0
	for range 100_000 {
		pattern, name := word("aab**?[]^-\\\xe4", 10), "a"+word("aab-]\\\xe4", 8)
		want := naiveMatch(pattern, []byte(name))
		if got := match(pattern, []byte(name)); got != want {
			t.Fatalf("%q matches %q: %v, want %v", pattern, name, got, want)
		}
		if want {
			matched++
		}
	}
	if matched < 1000 {
		t.Errorf("%d matches: the input is too poor", matched)
	}
}

// A pattern with many stars takes no more steps than the product of the lengths.
func TestMatchIsNotExponential(t *testing.T) {
	began := time.Now()
	if match(strings.Repeat("a*", 500)+"b", []byte(strings.Repeat("a", 5000))) {
		t.Error("it matches")
	}
	if d := time.Since(began); d > time.Second {
		t.Errorf("it took %v", d)
	}
}
