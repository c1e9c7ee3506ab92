package sim

import (
	"encoding/binary"
	"slices"

	"github.com/stator-go/stator/reactor/driver"
)

// The digest of a run is a hash of all that happened in it, in order. Two runs of one
// trace that differ in anything have different digests.

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
)

func (w *World) note(n note, a, b uint64) {
	const size, full = 8 + 8 + 1, 4000
	at := len(w.notes)
	w.notes = slices.Grow(w.notes, size)[:at+size]
	to := w.notes[at : at+size]
	binary.LittleEndian.PutUint64(to, a)
	binary.LittleEndian.PutUint64(to[8:], b)
	if to[16] = byte(n); len(w.notes) > full {
		w.Sum()
	}
}

// noteBytes notes what was read, written, sent or received.
func (w *World) noteBytes(n note, s *socket, b []byte) {
	w.note(n, uint64(s.id), uint64(len(b)))
	if n == noteWrite {
		w.chatter += chatterUnit
	}
	if len(b) < 64 {
		w.notes = append(w.notes, b...)
	} else {
		w.digest.Write(b)
	}
}

// noteAddr notes where a datagram goes.
func (w *World) noteAddr(a driver.Addr) {
	ip := a.IP.Addr().As16()
	w.notes = append(w.notes, ip[:]...)
	w.notes = append(w.notes, byte(a.Net), byte(a.IP.Port()>>8), byte(a.IP.Port()))
	w.notes = append(w.notes, a.Path...)
}

// Sum returns the digest of the run so far.
func (w *World) Sum() uint64 {
	w.digest.Write(w.notes)
	w.notes = w.notes[:0]
	return w.digest.Sum64()
}
