package reactor

import "math/bits"

// chunk is a piece of buffered bytes, b[r:w]. The input of a port is one chunk, so that Peek
// can return all of it. Its output is a list of chunks, whose first one has the figures of the
// list.
type chunk struct {
	b       []byte
	r, w    int
	next    uint32 // the next chunk of the same output, or free list
	last    uint32 // of a first chunk: the last one of the list
	total   int    // of a first chunk: bytes in the list
	movedAt int64  // of a first chunk: when bytes moved last
}

const (
	minChunk   = 9 // 512 B
	outChunk   = 4 << 10
	classes    = 32
	scratchNum = 1 // the scratch chunk: input on its way through a handler
	minInput   = 1 << minChunk
)

// pool lends chunks of 512 bytes times a power of two. What is lent never exceeds the limit.
// Chunks that come back are kept for the next borrower, within the same limit.
type pool struct {
	chunks []chunk // by number; 0 is none
	spare  uint32  // chunks without a buffer
	free   [classes]uint32
	lent   int // bytes
	cached int
	limit  int

	promised int // bytes for what may be left in the scratch chunk
}

func newPool(limit, scratch int) pool {
	return pool{chunks: []chunk{{}, {b: make([]byte, scratch)}}, limit: limit}
}

func class(size int) int { return max(bits.Len(uint(size-1)), minChunk) }

// room returns how many more bytes of output can be held.
func (p *pool) room() int { return (p.limit - p.lent - p.promised) &^ (outChunk - 1) }

// open prepares the scratch chunk for input of at most half of what can be lent, as what a
// handler leaves of it, and what it writes, have to be held. It returns 0 if that is nothing.
func (p *pool) open() uint32 {
	half := (p.limit - p.lent) / 2
	if half < minInput {
		return 0
	}
	k := &p.chunks[scratchNum]
	k.b = k.b[:cap(k.b)]
	if half < len(k.b) {
		k.b = k.b[:1<<(bits.Len(uint(half))-1)]
	}
	p.promised = len(k.b)
	return scratchNum
}

// get lends a chunk of at least size bytes. It returns 0 at the limit.
func (p *pool) get(size int) uint32 {
	c := class(size)
	if p.lent+p.promised+1<<c > p.limit {
		return 0
	}
	n := p.free[c]
	if n != 0 {
		p.free[c] = p.chunks[n].next
		p.cached -= 1 << c
	} else {
		p.evict(1 << c)
		n = p.number()
		p.chunks[n].b = make([]byte, 1<<c)
	}
	p.lent += 1 << c
	k := &p.chunks[n]
	*k = chunk{b: k.b}
	return n
}

// evict drops unused buffers until size more bytes fit under the limit.
func (p *pool) evict(size int) {
	for c := classes - 1; c >= minChunk && p.lent+p.cached+size > p.limit; c-- {
		for p.free[c] != 0 && p.lent+p.cached+size > p.limit {
			n := p.free[c]
			p.free[c] = p.chunks[n].next
			p.cached -= 1 << c
			p.chunks[n] = chunk{next: p.spare}
			p.spare = n
		}
	}
}

func (p *pool) number() uint32 {
	if n := p.spare; n != 0 {
		p.spare = p.chunks[n].next
		return n
	}
	p.chunks = append(p.chunks, chunk{})
	return uint32(len(p.chunks) - 1)
}

// put takes a chunk back.
func (p *pool) put(n uint32) {
	k := &p.chunks[n]
	if n == scratchNum {
		k.r, k.w = 0, 0
		p.promised = 0
		return
	}
	c := class(len(k.b))
	p.lent -= 1 << c
	p.cached += 1 << c
	k.next = p.free[c]
	p.free[c] = n
}
