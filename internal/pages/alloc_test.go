package pages_test

import (
	"reflect"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stator-go/stator/internal/pages"
)

// table has memory of Alloc's in the way that it is meant to be used.
type table struct {
	name string
	rows []row
}

type row struct {
	a uint64
	b [3]atomic.Uint32
}

func newTable(n int) *table {
	t := &table{name: "a table"}
	t.rows = pages.Alloc[table, row](t, n)
	return t
}

// TestAlloc allocates a table that would be half a gigabyte of heap, and uses a part.
func TestAlloc(t *testing.T) {
	const n = 1 << 24
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := pages.Mapped()
	x := newTable(n)
	runtime.ReadMemStats(&after)
	if pages.Mapped() == start {
		t.Skip("this build has no memory outside of the Go heap")
	}
	if grown := after.HeapAlloc - before.HeapAlloc; int64(grown) > 1<<20 {
		t.Errorf("the heap has %d bytes more", grown)
	}
	if len(x.rows) != n || cap(x.rows) != n {
		t.Fatalf("%d rows, capacity %d, want %d", len(x.rows), cap(x.rows), n)
	}
	for _, i := range []int{0, 1, n / 2, n - 1} {
		if x.rows[i].a != 0 || x.rows[i].b[2].Load() != 0 {
			t.Errorf("row %d is not zero", i)
		}
		x.rows[i].a = uint64(i)
		x.rows[i].b[2].Store(uint32(i))
	}
	runtime.GC()
	for _, i := range []int{0, 1, n / 2, n - 1} {
		if x.rows[i].a != uint64(i) || x.rows[i].b[2].Load() != uint32(i) {
			t.Errorf("row %d has another value after a collection", i)
		}
	}
	runtime.KeepAlive(x)
	x = nil
	for deadline := time.Now().Add(10 * time.Second); pages.Mapped() != start; time.Sleep(time.Millisecond) {
		if runtime.GC(); time.Now().After(deadline) {
			t.Fatalf("%d bytes are still mapped", pages.Mapped()-start)
		}
	}
}

// A small table is in the heap: a mapping of its own would be larger.
func TestAllocSmall(t *testing.T) {
	start := pages.Mapped()
	if x := newTable(100); len(x.rows) != 100 || pages.Mapped() != start {
		t.Errorf("%d rows, %d bytes mapped", len(x.rows), pages.Mapped()-start)
	}
	if x := newTable(0); len(x.rows) != 0 {
		t.Errorf("%d rows, want none", len(x.rows))
	}
}

func TestAllocRefusesPointers(t *testing.T) {
	type in struct{ _ [2]struct{ s string } }
	defer func() {
		if recover() == nil {
			t.Errorf("Alloc of %v did not panic", reflect.TypeFor[in]())
		}
	}()
	pages.Alloc[table, in](&table{}, 1)
}
