package feedback

import (
	"os"
	"strings"
	"testing"
)

// Each number has a block of its own, and there is one for all.
func TestHit(t *testing.T) {
	for n := range uint32(2 * Cases) {
		before := counts[n%Cases]
		if Hit(n); counts[n%Cases] != before+1 {
			t.Fatalf("%d is not counted", n)
		}
	}
	source, err := os.ReadFile("cases.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), "\tcase "); n != Cases {
		t.Errorf("%d cases: want %d; go generate", n, Cases)
	}
}

func BenchmarkHit(b *testing.B) {
	for n := range b.N {
		Hit(uint32(n) * 2654435761)
	}
}
