package reactor

import (
	"math/bits"
	"net/netip"
	"time"

	"github.com/stator-go/stator/internal/pages"
)

// chunk is a piece of buffered bytes, b[r:w]. The input of a port is one chunk, so that Peek
// can return all of it. Its output is a list of chunks, whose first one has the figures of the
// list.
type chunk struct {
	b       []byte
	r, w    int
	next    uint32         // the next chunk of the same output, or free list
	last    uint32         // of a first chunk: the last one of the list
	total   int            // of a first chunk: bytes in the list
	movedAt int64          // of a first chunk: when bytes moved last
	from    netip.AddrPort // of a datagram that Peek holds: its sender
}

const (
	minChunk   = 9 // 512 B
	outChunk   = 4 << 10
	classes    = 32
	scratchNum = 1 // the scratch chunk: input on its way through a handler
	minInput   = 1 << minChunk
)

// pool lends chunks of 512 bytes times a power of two. What is lent never exceeds the limit.
// Chunks that come back are kept for the next borrower, within the same limit. What is not
// used for some seconds is given back, except for keptBytes: to the garbage collector and,
// on Linux, to the system.
type pool struct {
	chunks []chunk // by number; 0 is none
	spare  uint32  // chunks without a buffer
	free   [classes]freeList
	lent   int // bytes
	cached int
	limit  int
	trimAt int64 // when trim is to be called; forever while there is nothing to give back

	promised int // bytes for what may be left in the scratch chunk
}

// freeList has the unused chunks of a size.
type freeList struct {
	first uint32
	count int
	least int // the lowest count since the last trim: so many chunks were not needed
}

const (
	keptBytes  = 1 << 20
	trimEvery  = time.Second
	trimChunks = 2048 // per trim: a system call each, together about a millisecond
)

func newPool(limit, scratch int) pool {
	return pool{chunks: []chunk{{}, {b: make([]byte, scratch)}}, limit: limit, trimAt: forever}
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
	n := p.free[c].first
	if n != 0 {
		p.unlink(c)
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
		for p.free[c].first != 0 && p.lent+p.cached+size > p.limit {
			p.release(c)
		}
	}
}

// unlink takes the first unused chunk of a class out of its list.
func (p *pool) unlink(c int) {
	f := &p.free[c]
	f.first = p.chunks[f.first].next
	f.count--
	f.least = min(f.least, f.count)
	p.cached -= 1 << c
}

// release gives the buffer of an unused chunk to the garbage collector.
func (p *pool) release(c int) {
	n := p.free[c].first
	p.unlink(c)
	p.chunks[n] = chunk{next: p.spare}
	p.spare = n
}

// trim is called once per turn while more than keptBytes are unused, or trimAt is set. Each
// trimEvery it gives back half of the chunks that were not needed in that time: a burst that
// comes again finds most of them, and after a dozen times they are gone.
func (p *pool) trim(now int64) {
	if now < p.trimAt && p.trimAt != forever && p.cached > keptBytes {
		return
	}
	chunks := trimChunks
	for c := classes - 1; c >= minChunk; c-- {
		f := &p.free[c]
		if now >= p.trimAt {
			for left := min((f.least+1)/2, chunks); left > 0 && p.cached > keptBytes; left-- {
				pages.Discard(p.chunks[f.first].b) // at once: in a process at rest the next collection may be minutes away
				p.release(c)
				chunks--
			}
		}
		f.least = f.count
	}
	if p.trimAt = forever; p.cached > keptBytes {
		p.trimAt = after(now, trimEvery)
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
	f := &p.free[c]
	p.lent -= 1 << c
	p.cached += 1 << c
	k.next = f.first
	f.first = n
	f.count++
}
