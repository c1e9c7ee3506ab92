package fuzz

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/stator-go/stator/reactor/driver"
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
	if n == noteWrite {
		w.chat += breaths
	}
	if len(b) < 64 {
		w.notes = append(w.notes, b...)
	} else {
		w.digest.Write(b)
	}
	if w.journal != nil && len(b) > 0 && s.conn >= 0 {
		switch n {
		case noteSend:
			w.tell(line{conn: int(s.conn), text: "sends", detail: brief(b)})
		case noteRead:
			w.tell(line{conn: int(s.conn), text: reads, detail: brief(b)})
		case noteWrite:
			w.tell(line{conn: int(s.conn), text: writes, detail: brief(b)})
		}
	}
}

// noteAddr notes where a datagram goes.
func (w *World) noteAddr(a driver.Addr) {
	ip := a.IP.Addr().As16()
	w.notes = append(w.notes, ip[:]...)
	w.notes = append(w.notes, byte(a.Net), byte(a.IP.Port()>>8), byte(a.IP.Port()))
	w.notes = append(w.notes, a.Path...)
}

// sum is the digest of all that was noted so far.
func (w *World) sum() uint64 {
	w.digest.Write(w.notes)
	w.notes = w.notes[:0]
	return w.digest.Sum64()
}

// journal is what happened in a run, in words.
type journal struct {
	lines  []line
	begins []int64 // when each event of the trace began
}

type line struct {
	event  int // of the trace
	now    int64
	conn   int // -1: none
	text   string
	detail string // bytes, or a reason
	move   string // from state to state
	then   string // the deadlines that bound the new state
}

// What lines say that others look for.
const (
	writes  = "machine writes"
	reads   = "machine reads"
	getsEnd = "gets the end"
	isReset = "is reset"
)

// wrote tells whether a line is of a machine that writes to this connection.
func (l *line) wrote(conn int) bool { return l.conn == conn && l.text == writes }

// say writes into the journal, if there is one.
func (w *World) say(conn int, text string) { w.tell(line{conn: conn, text: text}) }

func (w *World) tell(l line) {
	if w.journal == nil || len(w.journal.lines) > 2000 {
		return
	}
	l.event, l.now = w.at, w.now
	w.journal.lines = append(w.journal.lines, l)
}

// brief shows bytes, not too many.
func brief(b []byte) string {
	const most, letters = 48, 50
	n := min(len(b), most)
	for len(fmt.Sprintf("%q", b[:n])) > letters {
		n--
	}
	if n == len(b) {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%q… %d B", b[:n], len(b))
}

// clockTime is a time of the world's as it is shown: since the run began.
func clockTime(now int64) string { return (time.Duration(now) - time.Hour).String() }
