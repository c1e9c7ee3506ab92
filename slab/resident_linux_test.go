package slab_test

import (
	"runtime"
	"testing"

	"github.com/stator-go/stator/internal/pages/pagestest"
	"github.com/stator-go/stator/slab"
)

// TestUnusedSlotsTakeNoMemory uses a few slots of many and counts the pages that
// are in memory.
func TestUnusedSlotsTakeNoMemory(t *testing.T) {
	for name, construct := range map[string]func(uint8, int) (*slab.Slab[header], error){"New": slab.New[header], "NewOffHeap": slab.NewOffHeap[header]} {
		t.Run(name, func(t *testing.T) {
			pagestest.Run(t, func(t *testing.T) { unusedSlotsTakeNoMemory(t, construct) })
		})
	}
}

func unusedSlotsTakeNoMemory(t *testing.T, construct func(uint8, int) (*slab.Slab[header], error)) {
	const (
		capacity = 1 << 20 // 64 MiB
		inUse    = 1000    // 16 pages
		slack    = 4 << 20 // two huge pages, as some kernels round up to those
	)
	s, err := construct(0, capacity)
	if err != nil {
		t.Fatal(err)
	}
	var tokens []slab.Token
	for range inUse {
		token, _ := insert(t, s)
		tokens = append(tokens, token)
	}
	for _, token := range tokens {
		s.Remove(token)
	}
	for range inUse {
		if token, _ := insert(t, s); token.Index() >= inUse {
			t.Fatalf("Insert = %v, want a slot that was removed", token)
		}
	}
	if s.Get(slab.MakeToken(1, 0, capacity/2+1)) != nil {
		t.Fatal("an unused slot is live")
	}
	if got := pagestest.Resident(t, s.Slots()); got > inUse*64+slack {
		t.Errorf("%d of %d bytes are resident with %d slots in use", got, capacity*64, inUse)
	}
	runtime.KeepAlive(s)
}
