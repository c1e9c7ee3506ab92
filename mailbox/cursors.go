package mailbox

import (
	"errors"
	"fmt"
	"sync/atomic"
)

var (
	// ErrFull is returned by Send and Post if as many messages as the capacity are
	// accepted and not released.
	ErrFull = errors.New("mailbox: full")
	// ErrClosed is returned by Send and Post after Close.
	ErrClosed = errors.New("mailbox: closed")
)

// cursors is the part of a ring that does not depend on the type of its messages:
// it decides which sender may write which cell, and when.
//
// Messages have positions 0, 1, 2, ...; position p is stored in cell p modulo the
// number of cells, a power of two that is at least limit.
//
//	0          freed         head            tail
//	| released   | received    | to receive    | vacant
//	+------------+-------------+---------------+----------> positions
//	             |<---- taken: at most limit ->|
//
// Always freed <= head <= tail and tail - freed <= limit <= cells.
//
// Messages are released by number and not by position, and still a sender that
// claims position t finds its cell vacant:
//
//   - The last message in that cell had position t - cells.
//   - The sender saw t - freed < limit <= cells, so t - cells < freed.
//   - freed <= head, as the consumer cannot release more than it received. So
//     t - cells < head: Recv has copied that message out of the cell.
//   - The consumer's store to freed, which the sender loaded, orders Recv's last
//     access of the cell before the sender's first one.
type cursors struct {
	limit int64 // signed, for the comparison in claim
	_     cacheLinePad

	// tail is the next position to be claimed, and the closed bit:
	//
	//	 63       62                            0
	//	+--------+-------------------------------+
	//	| closed | position                      |
	//	+--------+-------------------------------+
	//
	// They share a word so that no compare-and-swap claims a position after close.
	// At one message per nanosecond, positions reach the bit after 292 years.
	tail atomic.Uint64
	_    cacheLinePad

	// freed is the number of messages released. Senders read it for every message
	// and the consumer writes it once per batch, so it has a cache line without
	// fields that change more often.
	freed atomic.Uint64
	_     cacheLinePad
}

const closedBit = 1 << 63

// claim returns the next position. Its cell belongs to the caller until it is
// published.
func (p *cursors) claim() (position uint64, err error) {
	for {
		// tail is read first: freed can only have grown since then, so the ring was
		// really full if ErrFull is returned.
		t := p.tail.Load()
		freed := p.freed.Load()
		if t&closedBit != 0 {
			return 0, ErrClosed
		}
		// The difference is negative if tail is out of date and freed has passed it;
		// then the compare-and-swap fails.
		if int64(t-freed) >= p.limit {
			return 0, ErrFull
		}
		if p.tail.CompareAndSwap(t, t+1) {
			return t, nil
		}
	}
}

// release frees the space of n messages. The consumer has received those before
// position head.
func (p *cursors) release(n int, head uint64) {
	freed := p.freed.Load()
	if n < 0 || uint64(n) > head-freed {
		panic(fmt.Sprintf("mailbox: release of %d messages: want 0 to %d, as many as are received and not released", n, head-freed))
	}
	p.freed.Store(freed + uint64(n))
}

// taken returns the number of positions that are claimed and not released. It was
// exact at a moment during the call, as freed did not change while tail was read.
func (p *cursors) taken() int {
	for {
		freed := p.freed.Load()
		t := p.tail.Load()
		if freed == p.freed.Load() {
			return int(t&^closedBit - freed)
		}
	}
}

func (p *cursors) close() {
	p.tail.Or(closedBit)
}
