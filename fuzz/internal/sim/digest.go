package sim

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"

	"github.com/stator-go/stator/reactor/driver"
)

// digest is a hash of all that happened in a run, in order. Two runs of one trace that differ
// in anything have different digests. Each step mixes two numbers into the sum, and folds the
// product, as the hash function wyhash of Wang Yi does: one multiplication, as there are half
// a dozen steps for each event of a trace.
type digest uint64

func (d *digest) add(a, b uint64) {
	high, low := bits.Mul64(uint64(*d)^a^0x9e3779b97f4a7c15, b^0xd1b54a32d192ed03)
	*d = digest(high ^ low)
}

type note uint8

const (
	noteTurn note = iota
	noteEvent
	noteTime
	noteRead
	noteWrite
	noteSend
	noteGot
	noteEnd
	noteShut
	noteClose
	noteAccept
	noteMove
	noteStop
	noteWork
	noteLookUp
	noteInterleave
)

func (w *World) note(n note, a, b uint64) { w.digest.add(a, b^uint64(n)<<56) }

// noteBytes notes what was written or sent, and what came in a datagram. Of a stream, what
// is read of that needs only be counted.
func (w *World) noteBytes(n note, s *socket, b []byte) {
	w.digest.add(uint64(s.id)|uint64(len(b))<<32, xxhash.Sum64(b)^uint64(n)<<56)
	if n == noteWrite {
		w.chatter += chatterUnit
	}
}

// noteAddr notes where a datagram goes.
func (w *World) noteAddr(a driver.Addr) {
	ip := a.IP.Addr().As16()
	w.digest.add(xxhash.Sum64(ip[:]), uint64(a.Net)<<16|uint64(a.IP.Port()))
	w.digest.add(xxhash.Sum64String(a.Path), uint64(len(a.Path)))
}

// Sum returns the digest of the run so far.
func (w *World) Sum() uint64 { return uint64(w.digest) }
