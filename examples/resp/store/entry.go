package store

// Entry is a key with its value and its deadline. It never moves.
type Entry struct {
	db       *DB // nil: an empty slot
	key      string
	value    []byte
	deadline int64  // milliseconds since the epoch, 0 for none
	slot     uint32 // its own number
	at       uint32 // its index in DB.live; in an empty slot, the next empty slot
	node     uint32 // its timer's node + 1, 0 without a timer
	shared   bool   // Share returned value, which must not be written any more
}

// slack is how many times as long as its value a buffer may be to be kept.
const slack = 4

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

// Replace sets the value and keeps the deadline.
func (e *Entry) Replace(value []byte) {
	e.db.change(e.key)
	if e.shared || len(value) > cap(e.value) || cap(e.value) > 64 && len(value) < cap(e.value)/slack {
		e.value, e.shared = append([]byte(nil), value...), false
		return
	}
	e.value = append(e.value[:0], value...)
}

// Append appends b to the value.
func (e *Entry) Append(b []byte) {
	e.db.change(e.key)
	e.own(len(e.value) + len(b))
	e.value = append(e.value, b...)
}

// Write overwrites the value with b from offset at on. If the value is shorter than that,
// it grows, with zeros up to the offset.
func (e *Entry) Write(at int, b []byte) {
	e.db.change(e.key)
	end := at + len(b)
	e.own(end)
	if old := len(e.value); end > old {
		e.value = e.value[:end]
		clear(e.value[old:])
	}
	copy(e.value[at:], b)
}

// own makes the value writable with a capacity of n bytes. If it has to copy the value, it
// adds a quarter of n.
func (e *Entry) own(n int) {
	if !e.shared && n <= cap(e.value) {
		return
	}
	e.value, e.shared = append(make([]byte, 0, n+n/4), e.value...), false
}

// Deadline returns the time at which the key expires, 0 for never.
func (e *Entry) Deadline() int64 { return e.deadline }

// SetDeadline sets the time at which the key expires, which must not be 0.
func (e *Entry) SetDeadline(deadline int64) {
	e.db.change(e.key)
	if deadline == e.deadline {
		return
	}
	e.Persist()
	e.deadline = deadline
	e.db.timed++
	e.db.space.watch(e)
}

// Persist removes the deadline and reports whether there was one.
func (e *Entry) Persist() bool {
	if e.deadline == 0 {
		return false
	}
	e.db.change(e.key)
	e.db.timed--
	e.db.space.unwatch(e)
	e.deadline = 0
	return true
}
