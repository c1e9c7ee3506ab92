//go:build !race

// The race detector's runtime touches all that is allocated.

package slab_test

import (
	"os"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stator-go/stator/slab"
)

// untouched keeps its slab for ever: memory that a second run of the test gets
// back from the heap would be cleared, and so touched.
var untouched []*slab.Slab[header]

// TestUntouchedPagesStayOut uses a few slots of very many and asks the kernel
// which pages exist.
func TestUntouchedPagesStayOut(t *testing.T) {
	const (
		capacity = 1 << 20 // 64 MiB
		inUse    = 1000    // 16 pages
		slack    = 4 << 20 // two huge pages, where the kernel rounds up to those
	)
	s := newSlab[header](t, 0, capacity)
	untouched = append(untouched, s)
	var tokens []slab.Token
	for range inUse {
		token, _ := insert(t, s)
		tokens = append(tokens, token)
	}
	for _, token := range tokens {
		s.Remove(token)
	}
	for range inUse { // reused, not fresh
		if token, _ := insert(t, s); token.Index() >= inUse {
			t.Fatalf("%v is a fresh slot while removed ones wait", token)
		}
	}
	if s.Get(slab.MakeToken(1, 0, capacity/2+1)) != nil {
		t.Fatal("a fresh slot is live")
	}
	if got := residentBytes(t, s); got > inUse*64+slack {
		t.Errorf("%d of %d bytes are resident with %d slots in use", got, capacity*64, inUse)
	}
}

func residentBytes(t *testing.T, s *slab.Slab[header]) int {
	t.Helper()
	start, size := s.Memory()
	page := uintptr(os.Getpagesize())
	pages := make([]byte, (size+page-1)/page)
	_, _, errno := syscall.Syscall(syscall.SYS_MINCORE, uintptr(start), size, uintptr(unsafe.Pointer(&pages[0])))
	if errno != 0 {
		t.Fatalf("mincore: %v", errno)
	}
	resident := 0
	for _, p := range pages {
		resident += int(p&1) * int(page)
	}
	return resident
}
