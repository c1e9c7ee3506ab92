package reactor

import (
	"math/rand/v2"
	"testing"
)

func TestPoolClasses(t *testing.T) {
	p := newPool(1<<20, make([]byte, 64))
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
	p := newPool(8<<10, make([]byte, 64))
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
	p := newPool(limit, make([]byte, 64))
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
	}
	if len(p.chunks) > limit/512+2 {
		t.Errorf("got %d numbers, want %d at most", len(p.chunks), limit/512+2)
	}
}

func TestPoolScratch(t *testing.T) {
	p := newPool(4096, make([]byte, 64))
	p.chunks[scratchNum].r, p.chunks[scratchNum].w = 3, 9
	p.put(scratchNum)
	if k := p.chunks[scratchNum]; k.r != 0 || k.w != 0 || p.lent != 0 || p.cached != 0 {
		t.Errorf("the scratch that came back: got %+v, %d bytes lent, %d cached, want it empty, 0, 0", k, p.lent, p.cached)
	}
}

// A model of who may hold what, byte by byte: room is the most that fits, the ceiling is
// where it begins to fit, and both are as the comment of pool says.
func TestPoolShares(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		limit := 8<<10 + r.IntN(1<<(10+r.IntN(12)))
		p := newPool(limit, make([]byte, 64))
		p.lent = r.IntN(limit + 1)
		p.promised = r.IntN(limit - p.lent + 1)
		lent, held := p.lent+p.promised, r.IntN(p.lent+1)
		fits := func(size int) bool {
			own := held+size <= ownBytes && lent+size <= limit
			share := held+size <= limit/2-(lent+size)
			return own || share
		}
		room := p.room(held)
		if room > 0 && !fits(room) || fits(room+1) {
			t.Fatalf("%d of %d lent, %d of it to one machine: room for %d more", lent, limit, held, room)
		}
		size := 1 + r.IntN(1<<r.IntN(20))
		if p.fits(held, size) != fits(size) || p.fits(held, size) != (size <= room) {
			t.Fatalf("%d of %d lent, %d of it to one machine: %d more fit: %v", lent, limit, held, size, p.fits(held, size))
		}
		if size = p.inputSize(held); size == 0 {
			if p.fits(held, outChunk+minInput) {
				t.Fatalf("%d of %d lent, %d of it to one machine, which may read nothing", lent, limit, held)
			}
			continue
		}
		k := p.open(size)
		n := len(p.chunks[k].b)
		reply := (n + outChunk - 1) &^ (outChunk - 1)
		if n > size || lent-p.promised >= 0 && p.lent+p.promised+reply > limit || !p.fits(held+n, reply) {
			t.Fatalf("%d of %d lent, %d of it to one machine: it may read %d bytes, and not write as many", p.lent, limit, held, n)
		}
	}
}

// Machines that borrow all that they can, in any order, are lent no more than the limit. As
// long as half of it has ownBytes for each of them, one that holds nothing gets that.
func TestPoolKeepsOwnBytesForEach(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	for limit := 8 << 10; limit <= 64<<20; limit *= 2 {
		p := newPool(limit, make([]byte, 64))
		machines := max(1, limit/2/ownBytes)
		held := make([][]uint32, machines)
		holds := func(m int) (n int) {
			for _, k := range held[m] {
				n += len(p.chunks[k].b)
			}
			return n
		}
		for range 20 * machines {
			m := r.IntN(machines)
			if r.IntN(8) == 0 && len(held[m]) > 0 {
				p.put(held[m][0])
				held[m] = held[m][1:]
			}
			for size := minInput << r.IntN(10); p.fits(holds(m), size); {
				k := p.get(size)
				if held[m] = append(held[m], k); k == 0 || p.lent > limit {
					t.Fatalf("limit %d: chunk %d, %d bytes lent", limit, k, p.lent)
				}
			}
		}
		for m := range held {
			if n := holds(m); n < ownBytes && !p.fits(n, ownBytes-n) {
				t.Fatalf("limit %d: a machine of %d holds %d bytes and gets no more: %d are lent", limit, machines, n, p.lent)
			}
		}
	}
}

// A machine that comes late gets its share, which shrinks with each that holds one.
func TestPoolSharesShrink(t *testing.T) {
	p, last := newPool(1<<20, make([]byte, 64)), 1<<20
	for range 20 {
		n := 0
		for p.fits(n, minInput) {
			p.get(minInput)
			n += minInput
		}
		if n > last || n < ownBytes {
			t.Fatalf("one machine gets %d bytes, and the one before got %d", n, last)
		}
		last = n
	}
	if last != ownBytes {
		t.Errorf("the last machine gets %d bytes: want %d", last, ownBytes)
	}
}

// What a handler leaves of its input in the scratch can always be held, whatever else
// was lent meanwhile. One pool serves all limits, so that its chunks are made once.
func TestPoolKeepsItsPromise(t *testing.T) {
	const others = 1 << 20 // bytes lent before
	p := newPool(others, make([]byte, scratchSize))
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
		size := p.inputSize(0)
		if size == 0 {
			if free >= outChunk+minInput {
				t.Fatalf("%d bytes free: got no scratch, want one", free)
			}
			continue
		}
		p.open(size)
		n := len(p.chunks[scratchNum].b)
		if room := p.room(n); room < min(n, outChunk) {
			t.Fatalf("%d bytes free, %d of them for input: got room for %d bytes of output, want %d", free, n, room, min(n, outChunk))
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

// The bytes of a chunk keep their order when they move, and what is lent is counted once.
func TestPoolMoves(t *testing.T) {
	for _, n := range []uint32{scratchNum, 0} {
		p := newPool(8<<10, make([]byte, 4<<10))
		if n == 0 {
			n = p.get(4 << 10)
		} else {
			p.open(4 << 10)
		}
		k := &p.chunks[n]
		for i := range k.b {
			k.b[i] = byte(i / 16)
		}
		k.r, k.w = 16, len(k.b)
		to := &p.chunks[p.move(n, 8<<10)]
		if to.r != 0 || to.w != 4<<10-16 || to.b[0] != 1 || to.b[to.w-1] != 255 || len(to.b) != 8<<10 {
			t.Errorf("chunk %d: %d:%d of %d bytes", n, to.r, to.w, len(to.b))
		}
		if p.lent != 8<<10 || p.promised != 0 || p.lent+p.cached > p.limit {
			t.Errorf("chunk %d: %d bytes are lent, %d promised, %d kept", n, p.lent, p.promised, p.cached)
		}
	}
}
