package slab_test

import (
	"errors"
	"math"
	"runtime"
	"testing"

	"github.com/stator-go/stator/internal/pages"
	"github.com/stator-go/stator/slab"
)

// header fills one cache line together with the slot's generation and link.
type header struct {
	n uint64
	_ [48]byte
}

func newSlab[T any](t testing.TB, owner uint8, capacity int) *slab.Slab[T] {
	t.Helper()
	s, err := slab.New[T](owner, capacity)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func insert[T any](t testing.TB, s *slab.Slab[T]) (slab.Token, *T) {
	t.Helper()
	token, v, err := s.Insert()
	if err != nil {
		t.Fatalf("Insert: %v", err)
	}
	return token, v
}

func TestTokenParts(t *testing.T) {
	for _, gen := range []uint32{0, 1, 5, 1 << 31, math.MaxUint32} {
		for _, owner := range []uint8{0, 1, 255} {
			for _, index := range []uint32{0, 1, slab.MaxSlots - 1} {
				token := slab.MakeToken(gen, owner, index)
				if token.Generation() != gen || token.Owner() != owner || token.Index() != index {
					t.Errorf("MakeToken(%d, %d, %d) has the parts %d, %d, %d",
						gen, owner, index, token.Generation(), token.Owner(), token.Index())
				}
				if want := uint64(gen)<<32 | uint64(owner)<<24 | uint64(index); uint64(token) != want {
					t.Errorf("MakeToken(%d, %d, %d) = %#x, want %#x", gen, owner, index, uint64(token), want)
				}
			}
		}
	}
	for _, index := range []uint32{slab.MaxSlots, math.MaxUint32} {
		if token := slab.MakeToken(1, 0, index); token != 0 {
			t.Errorf("MakeToken with index %d = %v, want 0", index, token)
		}
	}
	if got := slab.MakeToken(math.MaxUint32, 255, slab.MaxSlots-1).String(); got != "255:16777215#4294967295" {
		t.Errorf("String = %q", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for capacity, want := range map[int]string{
		0:                 "slab: capacity 0: want 1 to 16777216",
		-1:                "slab: capacity -1: want 1 to 16777216",
		slab.MaxSlots + 1: "slab: capacity 16777217: want 1 to 16777216",
	} {
		s, err := slab.New[int](0, capacity)
		if s != nil || err == nil || err.Error() != want {
			t.Errorf("New(%d) = %v, %v; want the error %q", capacity, s, err, want)
		}
	}
	type vast [1 << 24]byte
	if s, err := slab.New[vast](0, slab.MaxSlots); s != nil || err == nil {
		t.Errorf("New with more bytes than the address space has = %v, %v; want an error", s, err)
	}
}

func TestLife(t *testing.T) {
	s := newSlab[header](t, 7, 2)
	a, v := insert(t, s)
	if *v != (header{}) {
		t.Errorf("the value of an unused slot is %v, want zero", *v)
	}
	v.n = 42
	if a.Owner() != 7 || a.Generation() != 1 || a.Index() != 0 {
		t.Errorf("the first token is %v, want 7:0#1", a)
	}
	if s.Get(a) != v || s.Find(1, 0) != v || s.At(0) != v || s.TokenAt(0) != a {
		t.Error("Get, Find, At and TokenAt disagree with Insert")
	}
	b, _ := insert(t, s)
	if s.Len() != 2 || s.Cap() != 2 {
		t.Errorf("Len, Cap = %d, %d; want 2, 2", s.Len(), s.Cap())
	}
	if token, v, err := s.Insert(); token != 0 || v != nil || !errors.Is(err, slab.ErrFull) {
		t.Errorf("Insert into a full slab = %v, %v, %v; want ErrFull", token, v, err)
	}
	if !s.Remove(a) || s.Remove(a) || s.Get(a) != nil || s.TokenAt(0) != 0 {
		t.Error("a removed token is still valid")
	}
	c, v := insert(t, s)
	if c.Index() != a.Index() || c == a || *v != (header{}) {
		t.Errorf("after Remove(%v), Insert = %v with value %v; want the same slot, a new token and zero", a, c, *v)
	}
	if s.Get(a) != nil || s.Get(b) == nil || s.Get(c) == nil {
		t.Error("want the removed token invalid and the two others valid")
	}
}

func TestLastRemovedIsUsedFirst(t *testing.T) {
	s := newSlab[int](t, 0, 4)
	a, _ := insert(t, s)
	b, _ := insert(t, s)
	c, _ := insert(t, s)
	s.Remove(b)
	s.Remove(a)
	s.Remove(c)
	for _, want := range []uint32{c.Index(), a.Index(), b.Index(), 3} {
		if got, _ := insert(t, s); got.Index() != want {
			t.Errorf("Insert took slot %d, want %d", got.Index(), want)
		}
	}
}

func TestInvalidTokens(t *testing.T) {
	s, other := newSlab[int](t, 1, 4), newSlab[int](t, 2, 4)
	mine, _ := insert(t, s)
	theirs, _ := insert(t, other)
	if s.Get(theirs) != nil || s.Remove(theirs) || other.Get(mine) != nil {
		t.Error("a token with another owner was accepted")
	}
	for _, token := range []slab.Token{
		0, math.MaxUint64,
		slab.MakeToken(0, 1, 0),               // generation 0 of a live slot
		slab.MakeToken(0, 1, 1),               // generation 0 of an unused slot
		slab.MakeToken(2, 1, 0),               // the next generation
		slab.MakeToken(1, 1, 4),               // index at the end
		slab.MakeToken(1, 1, slab.MaxSlots-1), // index far past the end
	} {
		if s.Get(token) != nil || s.Remove(token) {
			t.Errorf("%v was accepted", token)
		}
	}
	s.Remove(mine)
	if even := slab.MakeToken(2, 1, 0); s.Get(even) != nil || s.Remove(even) {
		t.Error("the even generation of a free slot was accepted")
	}
	if s.Find(1, math.MaxUint32) != nil || s.TokenAt(math.MaxUint32) != 0 {
		t.Error("an index of more than 24 bits was accepted")
	}
}

func TestZeroSlab(t *testing.T) {
	var s slab.Slab[int]
	if _, _, err := s.Insert(); !errors.Is(err, slab.ErrFull) {
		t.Errorf("Insert = %v, want ErrFull", err)
	}
	if s.Get(slab.MakeToken(1, 0, 0)) != nil || s.Remove(0) || s.Len() != 0 || s.Cap() != 0 {
		t.Error("the zero slab is not empty")
	}
	for token := range s.All() {
		t.Errorf("All yields %v, want nothing", token)
	}
}

func TestRetirement(t *testing.T) {
	s := newSlab[int](t, 3, 2)
	first, _ := insert(t, s)
	last := s.Age(first, math.MaxUint32-2)
	if !s.Remove(last) || s.Retired() != 0 {
		t.Fatal("retired one lifetime too early")
	}
	last, _ = insert(t, s)
	if last.Generation() != math.MaxUint32 || last.Index() != 0 {
		t.Fatalf("the token of the last lifetime is %v", last)
	}
	if !s.Remove(last) || s.Retired() != 1 || s.Len() != 0 || s.Cap() != 2 {
		t.Errorf("Retired, Len, Cap = %d, %d, %d; want 1, 0, 2", s.Retired(), s.Len(), s.Cap())
	}
	for _, old := range []slab.Token{first, last, slab.MakeToken(0, 3, 0)} {
		if s.Get(old) != nil || s.Remove(old) {
			t.Errorf("%v of a retired slot is valid", old)
		}
	}
	if next, _ := insert(t, s); next.Index() != 1 {
		t.Errorf("Insert = %v, want slot 1", next)
	}
	if _, _, err := s.Insert(); !errors.Is(err, slab.ErrFull) {
		t.Errorf("Insert with one slot live and one retired = %v, want ErrFull", err)
	}
	if !s.FreeListOK() {
		t.Error("the free list does not match the slots")
	}
}

func TestRemoveReleasesPointers(t *testing.T) {
	s := newSlab[*int](t, 0, 1)
	token, v := insert(t, s)
	*v = new(int)
	s.Remove(token)
	if *s.At(0) != nil {
		t.Error("a removed slot keeps its pointer")
	}
}

func TestAll(t *testing.T) {
	s := newSlab[int](t, 0, 100)
	for i := range 10 {
		_, v := insert(t, s)
		*v = i
	}
	s.Remove(s.TokenAt(4))
	var seen []int
	for token, v := range s.All() {
		seen = append(seen, *v)
		if *v == 7 { // remove one that was not visited yet
			s.Remove(s.TokenAt(8))
		}
		if *v%2 == 1 && !s.Remove(token) {
			t.Errorf("Remove(%v) while it is visited = false", token)
		}
	}
	want := []int{0, 1, 2, 3, 5, 6, 7, 9}
	if len(seen) != len(want) {
		t.Fatalf("All yields %v, want %v", seen, want)
	}
	for i := range want {
		if seen[i] != want[i] {
			t.Fatalf("All yields %v, want %v", seen, want)
		}
	}
	if s.Len() != 3 {
		t.Errorf("Len = %d, want 3", s.Len())
	}
	n := 0
	for range s.All() {
		n++
		break
	}
	if n != 1 {
		t.Errorf("All yielded %d values before the break, want 1", n)
	}
}

func TestSlotIsOneCacheLine(t *testing.T) {
	if size := newSlab[header](t, 0, 1).SlotSize(); size != 64 {
		t.Errorf("a slot with a value of 56 bytes has %d bytes, want 64", size)
	}
}

func TestNoAllocations(t *testing.T) {
	s := newSlab[header](t, 0, 64)
	kept, _ := insert(t, s)
	var sum uint64
	for name, f := range map[string]func(){
		"insert, get, remove": func() {
			token, v, _ := s.Insert()
			v.n = 1
			sum += s.Get(token).n
			s.Remove(token)
		},
		"get a stale token": func() {
			if s.Get(kept+2) != nil {
				sum++
			}
		},
		"all": func() {
			for _, v := range s.All() {
				sum += v.n
			}
		},
		"insert when full": func() {
			for s.Len() < s.Cap() {
				s.Insert()
			}
			if _, _, err := s.Insert(); err != nil {
				sum++
			}
			for token := range s.All() {
				s.Remove(token)
			}
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// A slab outside of the Go heap works like another one, and refuses what the garbage
// collector would have to follow.
func TestOffHeap(t *testing.T) {
	const capacity = 1 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	mapped := pages.Mapped()
	s, err := slab.NewOffHeap[[7]uint64](3, capacity)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc - before.HeapAlloc); pages.Mapped() > mapped && grown > 1<<20 {
		t.Errorf("the heap has %d bytes more", grown)
	}
	var tokens []slab.Token
	for i := range uint64(1000) {
		token, v, err := s.Insert()
		if err != nil || *v != [7]uint64{} {
			t.Fatalf("Insert = %v, %v, %v", token, v, err)
		}
		v[6] = i
		tokens = append(tokens, token)
	}
	runtime.GC()
	for i, token := range tokens {
		if v := s.Get(token); v == nil || v[6] != uint64(i) || token.Owner() != 3 {
			t.Fatalf("Get(%v) = %v, want %d", token, v, i)
		}
		if !s.Remove(token) || s.Get(token) != nil {
			t.Fatalf("%v is there after Remove", token)
		}
	}
	if s.Len() != 0 || s.Cap() != capacity {
		t.Errorf("Len %d, Cap %d", s.Len(), s.Cap())
	}
	for _, bad := range []int{0, slab.MaxSlots + 1} {
		if _, err := slab.NewOffHeap[int](0, bad); err == nil {
			t.Errorf("capacity %d: no error", bad)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("NewOffHeap with pointers did not panic")
		}
	}()
	slab.NewOffHeap[*int](0, 1)
}
