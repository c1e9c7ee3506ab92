package reactor

import (
	"math/rand/v2"
	"testing"
)

func TestPoolClasses(t *testing.T) {
	p := newPool(1<<20, 64)
	for _, c := range []struct{ size, want int }{{1, 512}, {512, 512}, {513, 1024}, {4096, 4096}, {4097, 8192}, {65536, 65536}} {
		n := p.get(c.size)
		if got := len(p.chunks[n].b); got != c.want {
			t.Errorf("a chunk for %d bytes: got %d, want %d", c.size, got, c.want)
		}
		before := p.lent
		p.put(n)
		if p.lent != before-c.want {
			t.Errorf("after the chunk of %d bytes came back: got %d bytes lent, want %d", c.want, p.lent, before-c.want)
		}
		if again := p.get(c.want); again != n {
			t.Errorf("a chunk of %d bytes again: got number %d, want %d", c.want, again, n)
		}
	}
}

// A chunk of another class takes the place of chunks that came back.
func TestPoolSheds(t *testing.T) {
	p := newPool(8<<10, 64)
	var small []uint32
	for range 16 {
		small = append(small, p.get(512))
	}
	if n := p.get(1); n != 0 {
		t.Fatalf("beyond the limit: got chunk %d, want 0", n)
	}
	for _, n := range small {
		p.put(n)
	}
	if p.lent != 0 || p.cached != 8<<10 {
		t.Fatalf("got %d bytes lent and %d cached, want 0 and %d", p.lent, p.cached, 8<<10)
	}
	if big := p.get(8 << 10); big == 0 || p.cached != 0 {
		t.Errorf("got chunk %d and %d bytes cached, want one, and 0", big, p.cached)
	}
}

// A pool is compared with a model: what is lent and cached stays under the limit, no
// chunk is lent twice, and a chunk is refused only if there is no room for it.
func TestPoolModel(t *testing.T) {
	const limit = 256 << 10
	p := newPool(limit, 64)
	r := rand.New(rand.NewPCG(1, 1))
	lent := map[uint32]int{} // number to size
	total := 0
	for range 50_000 {
		if r.IntN(5) < 3 {
			size := 1 + r.IntN(1<<r.IntN(16))
			whole := max(512, size)
			for whole&(whole-1) != 0 {
				whole += whole & -whole
			}
			n := p.get(size)
			if (n == 0) != (total+whole > limit) {
				t.Fatalf("%d more bytes with %d of %d lent: got chunk %d, want one if there is room", whole, total, limit, n)
			}
			if n == 0 {
				continue
			}
			k := &p.chunks[n]
			if _, twice := lent[n]; twice || n == scratchNum || len(k.b) != whole || k.r != 0 || k.w != 0 || k.next != 0 {
				t.Fatalf("chunk %d for %d bytes: got lent before %v, %d bytes, %d:%d, want false, %d, 0:0", n, size, twice, len(k.b), k.r, k.w, whole)
			}
			k.r, k.w, k.next = 1, 2, 3 // as users leave them
			lent[n] = whole
			total += whole
		} else {
			for n, size := range lent {
				p.put(n)
				delete(lent, n)
				total -= size
				break
			}
		}
		if p.lent != total || p.lent+p.cached > limit {
			t.Fatalf("got %d bytes lent and %d cached, want %d lent, and %d at most in all", p.lent, p.cached, total, limit)
		}
		if room := p.room(); room%outChunk != 0 || room > limit-total || room+outChunk <= limit-total {
			t.Fatalf("%d of %d bytes lent: got room for %d bytes of output, want all whole chunks of what is left", total, limit, room)
		}
	}
	if len(p.chunks) > limit/512+2 {
		t.Errorf("got %d numbers, want %d at most", len(p.chunks), limit/512+2)
	}
}

func TestPoolScratch(t *testing.T) {
	p := newPool(4096, 64)
	p.chunks[scratchNum].r, p.chunks[scratchNum].w = 3, 9
	p.put(scratchNum)
	if k := p.chunks[scratchNum]; k.r != 0 || k.w != 0 || p.lent != 0 || p.cached != 0 {
		t.Errorf("the scratch that came back: got %+v, %d bytes lent, %d cached, want it empty, 0, 0", k, p.lent, p.cached)
	}
}

// What a handler leaves of its input in the scratch can always be held, whatever else
// was lent meanwhile. One pool serves all limits, so that its chunks are made once.
func TestPoolKeepsItsPromise(t *testing.T) {
	const others = 1 << 20 // bytes lent before
	p := newPool(others, scratchSize)
	for range others / outChunk {
		p.get(outChunk)
	}
	var lent []uint32
	fill := func(size int) {
		for n := p.get(size); n != 0; n = p.get(size) {
			lent = append(lent, n)
		}
	}
	for free := 0; free < 400<<10; free += 100 {
		p.limit = others + free
		if p.open() == 0 {
			if free >= 2*minInput {
				t.Fatalf("%d bytes free: got no scratch, want one", free)
			}
			continue
		}
		n := len(p.chunks[scratchNum].b)
		if want := (free / 2) &^ (outChunk - 1); n < scratchSize && p.room() < want {
			t.Fatalf("%d bytes free, %d of them for input: got room for %d bytes of output, want %d", free, n, p.room(), want)
		}
		fill(outChunk)
		fill(1)
		p.put(scratchNum)
		left := p.get(n)
		if left == 0 {
			t.Fatalf("%d bytes free: got no chunk for %d bytes of input that are left, want one", free, n)
		}
		for _, n := range append(lent, left) {
			p.put(n)
		}
		if lent = lent[:0]; p.lent != others {
			t.Fatalf("%d bytes free: got %d bytes lent after all came back, want %d", free, p.lent, others)
		}
	}
}
