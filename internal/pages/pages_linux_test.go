package pages_test

import (
	"testing"

	"github.com/stator-go/stator/internal/pages"
	"github.com/stator-go/stator/internal/pages/pagestest"
)

// TestDiscard touches every page of a large slice, and half a page of a small one.
func TestDiscard(t *testing.T) {
	large := make([]uint64, 1<<20) // 8 MiB
	for i := range large {
		large[i] = 0
	}
	if got := pagestest.Resident(t, large); got < 7<<20 {
		t.Fatalf("%d bytes are resident after all of them were written", got)
	}
	pages.Discard(large)
	if got := pagestest.Resident(t, large); got > 1<<20 {
		t.Errorf("%d bytes are resident after Discard", got)
	}
	for i, v := range large {
		if v != 0 {
			t.Fatalf("element %d is %d after Discard", i, v)
		}
	}

	small := make([]byte, 100)
	small[50] = 7
	pages.Discard(small)
	if small[50] != 7 {
		t.Error("Discard released a page that is not whole")
	}
	pages.Discard([]int(nil))
}
