package fuzz

import (
	"strings"
	"testing"
)

// An exhaustive search says when it is done, and finds a failure that needs no fault.
func TestExhaustiveSearch(t *testing.T) {
	spec := echoSpec()
	spec.Dict = spec.Dict[:1]
	if found := Find(spec, 1, Budget{Strategy: Exhaustive(2)}); found.Failure != nil || !found.Done || !strings.Contains(found.String(), "; there is no other trace") || found.Runs != 5+28 {
		t.Errorf("done %v after %d runs, %v: want done after 33", found.Done, found.Runs, found.Failure)
	}
	if found := Find(panicky(), 1, Budget{Strategy: Exhaustive(2)}); found.Failure == nil || len(found.Trace) != 2 || found.Done {
		t.Errorf("%v\n%s", found, found.Trace)
	}
}
