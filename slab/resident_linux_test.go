package slab_test

import (
	"os"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stator-go/stator/slab"
)

// TestUntouchedPagesStayOut uses a few slots of very many and asks the kernel
// which pages exist: in memory fresh from the kernel, and in memory that the
// heap has used before and must clear.
func TestUntouchedPagesStayOut(t *testing.T) {
	t.Run("fresh", untouchedPagesStayOut)
	dirty := make([]byte, 128<<20)
	for i := range dirty {
		dirty[i] = 1
	}
	dirty = nil
	runtime.GC()
	t.Run("recycled", untouchedPagesStayOut)
}

func untouchedPagesStayOut(t *testing.T) {
	const (
		capacity = 1 << 20 // 64 MiB
		inUse    = 1000    // 16 pages
		slack    = 4 << 20 // two huge pages, where the kernel rounds up to those
	)
	s := newSlab[header](t, 0, capacity)
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
