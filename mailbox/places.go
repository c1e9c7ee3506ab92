package mailbox

import (
	"errors"
	"fmt"
	"sync/atomic"
)

var (
	// ErrFull says that as many messages as the capacity are accepted and not
	// released.
	ErrFull = errors.New("mailbox: full")
	// ErrClosed says that the ring accepts nothing any more.
	ErrClosed = errors.New("mailbox: closed")
)

// places is the bookkeeping of a ring: who may write which cell. It knows nothing
// of what the cells hold.
//
// Messages have positions 0, 1, 2, ...; position p lives in cell p modulo the
// number of cells, a power of two that is at least limit.
//
//	0          freed         head            tail
//	| released   | put aside   | to receive    | vacant
//	+------------+-------------+---------------+----------> positions
//	             |<---- taken: at most limit ->|
//
// Always freed <= head <= tail and tail - freed <= limit <= cells.
//
// Why a sender that claims position t finds its cell vacant, though places are
// released by number and not by position: the last occupant of that cell was
// position t - cells. The sender saw t - freed < limit <= cells, so
// t - cells < freed. And freed <= head, as no more is released than was received.
// So that occupant lies below head: Recv has copied it out of the cell and moved
// on. Whether it is handled, or put aside while the place of another was released
// in its stead, the cell has no part in it any more. The consumer's store to
// freed, loaded by the sender, orders Recv's last touch of the cell before the
// sender's first.
type places struct {
	limit int64 // signed for claim's comparison
	_     cacheLinePad

	// tail is the next position to be claimed, and the closed bit:
	//
	//	 63       62                            0
	//	+--------+-------------------------------+
	//	| closed | position                      |
	//	+--------+-------------------------------+
	//
	// They share a word so that no compare-and-swap claims a position after close.
	// At a message a nanosecond, positions reach the bit after 292 years.
	tail atomic.Uint64
	_    cacheLinePad

	// freed counts the places given back. Senders read it with every message, the
	// consumer writes it once a batch; what changes more often is not on its line.
	freed atomic.Uint64
	_     cacheLinePad
}

const closedBit = 1 << 63

// claim takes the next position, whose cell is the caller's until it publishes it.
func (p *places) claim() (position uint64, err error) {
	for {
		// In this order: freed can only have grown since tail was read, so full is
		// not said unless it is true.
		t := p.tail.Load()
		freed := p.freed.Load()
		if t&closedBit != 0 {
			return 0, ErrClosed
		}
		// The difference is negative when freed has passed a tail that is out of
		// date; then the swap fails.
		if int64(t-freed) >= p.limit {
			return 0, ErrFull
		}
		if p.tail.CompareAndSwap(t, t+1) {
			return t, nil
		}
	}
}

// release gives n places back; head bounds them.
func (p *places) release(n int, head uint64) {
	freed := p.freed.Load()
	if n < 0 || uint64(n) > head-freed {
		panic(fmt.Sprintf("mailbox: release of %d places: want 0 to %d, as many as are received and not released", n, head-freed))
	}
	p.freed.Store(freed + uint64(n))
}

// taken is the number of places claimed and not given back. It was exact at some
// moment during the call: freed did not move while tail was read.
func (p *places) taken() int {
	for {
		freed := p.freed.Load()
		t := p.tail.Load()
		if freed == p.freed.Load() {
			return int(t&^closedBit - freed)
		}
	}
}

func (p *places) close() {
	p.tail.Or(closedBit)
}
