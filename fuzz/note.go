package fuzz

import (
	"encoding/binary"
	"fmt"
	"time"
)

// What happens in a run goes into its digest, and, when a failure is to be shown,
// into its journal.

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
	w.notes = binary.LittleEndian.AppendUint64(w.notes, a)
	w.notes = binary.LittleEndian.AppendUint64(w.notes, b)
	if w.notes = append(w.notes, byte(n)); len(w.notes) > 4000 {
		w.sum()
	}
}

// noteBytes notes what was read, written, sent or got.
func (w *World) noteBytes(n note, s *sock, b []byte) {
	w.note(n, uint64(s.id), uint64(len(b)))
	if len(b) < 64 {
		w.notes = append(w.notes, b...)
	} else {
		w.digest.Write(b)
	}
	if w.journal != nil && len(b) > 0 && s.conn >= 0 {
		switch n {
		case noteSend:
			w.say(int(s.conn), "sends "+brief(b))
		case noteRead:
			w.say(int(s.conn), "machine reads "+brief(b))
		case noteWrite:
			w.say(int(s.conn), "machine writes "+brief(b))
		}
	}
}

// sum is the digest of all that was noted so far.
func (w *World) sum() uint64 {
	w.digest.Write(w.notes)
	w.notes = w.notes[:0]
	return w.digest.Sum64()
}

// journal is what happened in a run, in words.
type journal struct{ lines []line }

type line struct {
	event int // of the trace
	now   int64
	conn  int // -1: none
	text  string
}

// say writes into the journal, if there is one.
func (w *World) say(conn int, text string) {
	if w.journal == nil || len(w.journal.lines) > 2000 {
		return
	}
	w.journal.lines = append(w.journal.lines, line{w.at, w.now, conn, text})
}

// brief shows bytes, not too many.
func brief(b []byte) string {
	const most = 48
	if len(b) <= most {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%q… %d B", b[:most], len(b))
}

// clockTime is a time of the world's as it is shown: since the run began.
func clockTime(now int64) string { return (time.Duration(now) - time.Hour).String() }
