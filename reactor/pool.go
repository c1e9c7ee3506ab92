package reactor

import "math/bits"

// chunk is a piece of buffered bytes, b[r:w]. Input is one chunk, which Peek shows
// whole; output is a list of them, whose first one carries the list's figures.
type chunk struct {
	b       []byte
	r, w    int
	next    uint32 // in an output list, or in a free list
	last    uint32 // of the first one: the list's end
	total   int    // of the first one: bytes in the list
	movedAt int64  // of the first one: when bytes moved last
}

const (
	minChunk   = 9 // 512 B
	outChunk   = 4 << 10
	classes    = 32
	scratchNum = 1 // the chunk over the loop's scratch: input on its way through a handler
	minInput   = 1 << minChunk
)

// pool lends chunks of 512 B times a power of two. What is lent never exceeds the
// limit; what came back is kept for the next one, within the same limit.
type pool struct {
	chunks []chunk // by number; 0 is none
	spare  uint32  // numbers without a buffer
	free   [classes]uint32
	lent   int // bytes
	cached int
	limit  int

	promised int // bytes for what may be left in the scratch
}

func newPool(limit, scratch int) pool {
	return pool{chunks: []chunk{{}, {b: make([]byte, scratch)}}, limit: limit}
}

func class(size int) int { return max(bits.Len(uint(size-1)), minChunk) }

// room is how many more bytes of output can be held.
func (p *pool) room() int { return (p.limit - p.lent - p.promised) &^ (outChunk - 1) }

// open makes the scratch ready for input of half of what can be lent: what a handler
// leaves of it has to be held, and so has what it writes. 0: that is nothing.
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

// get lends a chunk of at least size bytes; 0 at the limit.
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

// evict drops buffers that nobody uses until size more fit under the limit.
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
