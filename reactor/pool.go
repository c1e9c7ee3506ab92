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
	movedAt int64          // of a first chunk: when bytes moved last, or unsent
	from    netip.AddrPort // of a datagram that Peek holds: its sender
}

const (
	minChunk   = 9 // 512 B
	outChunk   = 4 << 10
	classes    = 32
	scratchNum = 1 // the scratch chunk: input on its way through a handler
	minInput   = 1 << minChunk
	unsent     = forever      // as movedAt: no send was tried yet
	ownBytes   = 2 * outChunk // what a machine may hold when the others hold much: a read, and the reply to it
)

// pool lends chunks of 512 bytes times a power of two. What is lent never exceeds the limit.
// Chunks that come back are kept for the next borrower, within the same limit. What is not
// used for some seconds is given back, except for keptBytes: to the garbage collector and,
// on Linux, to the system.
//
// Half of the limit is shared: a machine may hold at most as much as is left of that half.
// So the more is lent, the less one machine may hold, and the machine that holds most is
// refused first. This is the dynamic threshold of Choudhury and Hahne ("Dynamic queue length
// thresholds for shared-memory packet switches", 1998), with alpha = 1.
//
// The other half is kept for machines that hold little: each of them may have ownBytes. It
// has that much for limit/2/ownBytes machines.
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

func newPool(limit int, scratch []byte) pool {
	return pool{chunks: []chunk{{}, {b: scratch}}, limit: limit, trimAt: forever}
}

func class(size int) int { return max(bits.Len(uint(size-1)), minChunk) }

// ceiling returns how much may be lent at most when a machine that holds so many bytes asks
// for size more. It is negative for what is never lent.
func (p *pool) ceiling(held, size int) int {
	if held+size <= ownBytes {
		return p.limit - size
	}
	return p.limit/2 - size - (held + size)
}

// fits reports whether a machine that holds so many bytes may have size more.
func (p *pool) fits(held, size int) bool { return p.lent+p.promised <= p.ceiling(held, size) }

// room returns how many more bytes a machine that holds so many may have: those that fit.
func (p *pool) room(held int) int {
	free := p.limit - p.lent - p.promised
	share := (free - (p.limit+1)/2 - held) / 2
	return max(0, share, min(free, ownBytes-held))
}

// inputSize returns how much a machine that holds so many bytes may read: as much as it may
// hold beside a reply of the same size. It is 0 if that is nothing.
func (p *pool) inputSize(held int) int {
	room := p.room(held)
	size := min(room/2, room-outChunk)
	if size < minInput {
		return 0
	}
	return size
}

// open prepares the scratch chunk for at most size bytes of input. What a handler leaves of
// it can be held: the caller has made sure that it fits.
func (p *pool) open(size int) uint32 {
	k := &p.chunks[scratchNum]
	k.b = k.b[:cap(k.b)]
	if size < len(k.b) {
		k.b = k.b[:1<<(bits.Len(uint(size))-1)]
	}
	p.promised = len(k.b)
	return scratchNum
}

// move moves the bytes of a chunk to one for size bytes. The caller has made sure that the
// difference fits, or it was promised.
func (p *pool) move(n uint32, size int) (to uint32) {
	from := p.chunks[n]
	p.put(n)
	to = p.get(size)
	k := &p.chunks[to]
	k.w, k.from = copy(k.b, from.b[from.r:from.w]), from.from
	return to
}

// get lends a chunk of at least size bytes. It returns 0 at the limit. The caller has made
// sure that the chunk is within its machine's share.
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
