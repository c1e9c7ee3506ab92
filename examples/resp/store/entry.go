package store

// Entry is a key with its value and its deadline. It never moves.
type Entry struct {
	db       *DB // nil: an empty slot
	key      string
	value    []byte
	deadline int64  // milliseconds since the epoch, 0 for none
	slot     uint32 // its own number
	at       uint32 // its index in DB.live; of an empty slot, the next empty one
	node     uint32 // its timer's node + 1, 0 without
	shared   bool   // somebody may still be reading value: it must not be written
}

// slack is how much longer than its value a buffer may be and still be kept.
const slack = 4

// Key is the entry's key.
func (e *Entry) Key() string { return e.key }

// Len is the length of its value.
func (e *Entry) Len() int { return len(e.value) }

// Value is its value, which is valid until it is changed: to be read at once.
func (e *Entry) Value() []byte { return e.value }

// Share is its value, as bytes that will never change.
func (e *Entry) Share() []byte {
	e.shared = true
	return e.value
}

// Replace gives the entry a value and lets its deadline be.
func (e *Entry) Replace(value []byte) {
	if e.shared || len(value) > cap(e.value) || cap(e.value) > 64 && len(value) < cap(e.value)/slack {
		e.value, e.shared = append([]byte(nil), value...), false
		return
	}
	e.value = append(e.value[:0], value...)
}

// Append lengthens the value.
func (e *Entry) Append(b []byte) {
	e.own(len(e.value) + len(b))
	e.value = append(e.value, b...)
}

// Write puts b at an offset of the value, which grows with zeros where it is
// too short.
func (e *Entry) Write(at int, b []byte) {
	end := at + len(b)
	e.own(end)
	if old := len(e.value); end > old {
		e.value = e.value[:end]
		clear(e.value[old:])
	}
	copy(e.value[at:], b)
}

// own makes the value one that may be written, with room for n bytes, and
// a quarter more where it had to grow.
func (e *Entry) own(n int) {
	if !e.shared && n <= cap(e.value) {
		return
	}
	e.value, e.shared = append(make([]byte, 0, n+n/4), e.value...), false
}

// Deadline is when the key goes, 0 for never.
func (e *Entry) Deadline() int64 { return e.deadline }

// SetDeadline says when the key goes: not 0.
func (e *Entry) SetDeadline(deadline int64) {
	if deadline == e.deadline {
		return
	}
	e.Persist()
	e.deadline = deadline
	e.db.timed++
	e.db.space.watch(e)
}

// Persist takes the deadline away, and tells whether there was one.
func (e *Entry) Persist() bool {
	if e.deadline == 0 {
		return false
	}
	e.db.timed--
	e.db.space.unwatch(e)
	e.deadline = 0
	return true
}
