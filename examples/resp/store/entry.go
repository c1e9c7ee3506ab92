package store

// Entry is a key with its value and its deadline: one cache line. It never moves.
type Entry struct {
	key      string
	value    []byte
	deadline int64  // milliseconds since the epoch, 0 for none
	hash     uint32 // of the key
	next     uint32 // the next slot + 1 in the bucket; in an empty slot, in its page's list of empty ones
	slot     uint32 // its own number in the database
	used     bool   // false: an empty slot
	shared   bool   // Share returned value, which must not be written any more
}

// slack is how many times as long as its value a buffer may be to be kept.
const slack = 4

// entrySize is what an entry takes beside its key and its value: its slot, and its part of
// the index.
const entrySize = 72

// Key returns the entry's key.
func (e *Entry) Key() string { return e.key }

// Len returns the length of the value in bytes.
func (e *Entry) Len() int { return len(e.value) }

// Value returns the value. It is valid until the next change of the entry.
func (e *Entry) Value() []byte { return e.value }

// Share returns the value as bytes that will never change.
func (e *Entry) Share() []byte {
	e.shared = true
	return e.value
}

// Deadline returns the time at which the key expires, 0 for never.
func (e *Entry) Deadline() int64 { return e.deadline }

// Replace sets the value of an entry and keeps its deadline.
func (db *DB) Replace(e *Entry, value []byte) {
	db.change(e.key)
	if e.shared || len(value) > cap(e.value) || cap(e.value) > 64 && len(value) < cap(e.value)/slack {
		db.setValue(e, append([]byte(nil), value...))
		return
	}
	e.value = append(e.value[:0], value...)
}

// Append appends b to the value.
func (db *DB) Append(e *Entry, b []byte) {
	db.change(e.key)
	db.own(e, len(e.value)+len(b))
	e.value = append(e.value, b...)
}

// Write overwrites the value with b from offset at on. If the value is shorter than that,
// it grows, with zeros up to the offset.
func (db *DB) Write(e *Entry, at int, b []byte) {
	db.change(e.key)
	end := at + len(b)
	db.own(e, end)
	if old := len(e.value); end > old {
		e.value = e.value[:end]
		clear(e.value[old:])
	}
	copy(e.value[at:], b)
}

// own makes the value writable with a capacity of n bytes. If it has to copy the value, it
// adds a quarter of n.
func (db *DB) own(e *Entry, n int) {
	if e.shared || n > cap(e.value) {
		db.setValue(e, append(make([]byte, 0, n+n/4), e.value...))
	}
}

// setValue gives an entry a buffer that is not used elsewhere.
func (db *DB) setValue(e *Entry, value []byte) {
	db.space.bytes += cap(value) - cap(e.value)
	e.value, e.shared = value, false
}

// SetDeadline sets the time at which the key expires, which must not be 0.
func (db *DB) SetDeadline(e *Entry, deadline int64) {
	db.change(e.key)
	if deadline == e.deadline {
		return
	}
	db.Persist(e)
	e.deadline = deadline
	db.timed++
	if t := db.space.timers; t != nil {
		t.Add(db.node(e), deadline)
	}
}

// Persist removes the deadline and reports whether there was one.
func (db *DB) Persist(e *Entry) bool {
	if e.deadline == 0 {
		return false
	}
	db.change(e.key)
	if t := db.space.timers; t != nil {
		t.Cancel(db.node(e))
	}
	e.deadline = 0
	db.timed--
	return true
}
