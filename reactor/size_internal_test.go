package reactor

import (
	"testing"
	"unsafe"

	"github.com/stator-go/stator/slab"
)

// A machine's header and what the slab keeps beside it are one cache line; a port is a
// quarter of one.
func TestSizes(t *testing.T) {
	const cacheLine, slabOwn = 64, 8
	slots, err := slab.New[header](0, 2)
	if err != nil {
		t.Fatal(err)
	}
	var at [2]uintptr
	for i := range at {
		_, h, err := slots.Insert()
		if err != nil {
			t.Fatal(err)
		}
		at[i] = uintptr(unsafe.Pointer(h))
	}
	for _, c := range []struct {
		what      string
		got, want uintptr
	}{
		{"a header", unsafe.Sizeof(header{}), cacheLine - slabOwn},
		{"from a machine's slot to the next", at[1] - at[0], cacheLine},
		{"a port", unsafe.Sizeof(port{}), cacheLine / 4},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %d bytes, want %d", c.what, c.got, c.want)
		}
	}
}
