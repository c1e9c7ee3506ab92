package planted

import (
	"testing"

	"github.com/stator-go/stator/fuzz"
)

func TestRightServersPass(t *testing.T) {
	for _, s := range Servers() {
		t.Run(s.Name, func(t *testing.T) {
			found := fuzz.Find(s.Spec(new(Plant)), 1, fuzz.Budget{Runs: 500})
			if found.Failure != nil {
				t.Error(found.Explain())
			}
			t.Log(found)
		})
	}
}

func TestBugsAreFound(t *testing.T) {
	for _, s := range Servers() {
		for _, b := range s.Bugs {
			t.Run(b.Name, func(t *testing.T) {
				p := &Plant{Bug: b.Name}
				found := fuzz.Find(s.Spec(p), 1, fuzz.Budget{Runs: 4000})
				if found.Failure == nil {
					t.Fatalf("not found in %d runs; reached in %d, triggered in %d", found.Runs, p.Reached, p.Triggered)
				}
				t.Logf("%d runs, reached in %d, triggered in %d: %v\n%s", found.Runs, p.Reached, p.Triggered, found.Failure, found.Trace)
			})
		}
	}
}
