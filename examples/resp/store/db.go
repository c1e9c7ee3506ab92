package store

// Timers is implemented by the owner of a Keyspace, which must call Keyspace.Due when a
// deadline has passed. Nodes are small numbers; they are reused after Cancel and Due.
type Timers interface {
	Add(node uint32, deadline int64) // only called if the node has no deadline
	Cancel(node uint32)              // only called if it has one
}

// Keyspace is a set of databases.
type Keyspace struct {
	DBs []DB

	timers Timers   // may be nil
	nodes  []*Entry // by node: the entry with the deadline
	spare  []uint32 // unused nodes
	expiry uint64   // expired keys that were removed
}

// New makes n empty databases. If timers is nil, keys expire only when accessed.
func New(n int, timers Timers) *Keyspace {
	k := &Keyspace{DBs: make([]DB, n), timers: timers}
	for i := range k.DBs {
		k.DBs[i].space = k
		k.DBs[i].clear()
	}
	return k
}

// Expired returns the number of expired keys that were removed.
func (k *Keyspace) Expired() uint64 { return k.expiry }

// Due removes the key of a node if its deadline has passed at now. If it has not, Due adds
// the node to the timers again.
func (k *Keyspace) Due(node uint32, now int64) {
	if int(node) >= len(k.nodes) || k.nodes[node] == nil {
		return
	}
	e := k.nodes[node]
	if e.deadline > now {
		k.timers.Add(node, e.deadline)
		return
	}
	k.release(e)
	k.expiry++
	e.db.remove(e)
}

// watch adds e's deadline to the timers.
func (k *Keyspace) watch(e *Entry) {
	if k.timers == nil {
		return
	}
	if n := len(k.spare); n > 0 {
		e.node = k.spare[n-1] + 1
		k.spare = k.spare[:n-1]
		k.nodes[e.node-1] = e
	} else {
		k.nodes = append(k.nodes, e)
		e.node = uint32(len(k.nodes))
	}
	k.timers.Add(e.node-1, e.deadline)
}

// unwatch cancels e's timer if it has one.
func (k *Keyspace) unwatch(e *Entry) {
	if e.node != 0 {
		k.timers.Cancel(e.node - 1)
		k.release(e)
	}
}

// release frees e's node, whose timer is not running.
func (k *Keyspace) release(e *Entry) {
	k.nodes[e.node-1] = nil
	k.spare = append(k.spare, e.node-1)
	e.node = 0
	if len(k.spare) == len(k.nodes) && len(k.nodes) > keepSlots {
		k.nodes, k.spare = nil, nil
	}
}

// DB is one database.
type DB struct {
	space *Keyspace
	index map[string]*Entry
	pages []*page
	free  uint32   // the first slot of the list of empty ones; noSlot ends the list
	used  uint32   // slots that were ever used, from the start of the pages
	live  []*Entry // all entries, in no order; Random picks from them
	timed int      // entries with a deadline

	changed func(key string) // see OnChange
}

// Slots are allocated in pages, which do not move as the database grows.
type page [pageSlots]Entry

const (
	pageSlots = 256
	noSlot    = 1<<32 - 1
	keepSlots = 4096 // as many slots are kept when the last key goes; more are freed
)

// Len returns the number of keys of all databases, including expired ones that were not
// removed yet.
func (k *Keyspace) Len() (n int) {
	for i := range k.DBs {
		n += k.DBs[i].Len()
	}
	return n
}

// Len returns the number of keys, including expired ones that were not removed yet.
func (db *DB) Len() int { return len(db.live) }

// Timed returns how many of them have a deadline.
func (db *DB) Timed() int { return db.timed }

// OnChange makes the database call changed for each key that is added, removed, or given a
// value or deadline. changed must not call methods of the database. Nil ends the calls.
func (db *DB) OnChange(changed func(key string)) { db.changed = changed }

func (db *DB) change(key string) {
	if db.changed != nil {
		db.changed(key)
	}
}

// Get returns the entry of a key, or nil if there is none or if it has expired. The entry
// is valid until its key is deleted or expires.
func (db *DB) Get(key []byte, now int64) *Entry {
	e := db.index[string(key)]
	if e != nil && e.deadline != 0 && e.deadline <= now {
		db.space.expiry++
		db.Delete(e)
		return nil
	}
	return e
}

// Set sets the value of a key and removes its deadline.
func (db *DB) Set(key, value []byte) *Entry {
	e := db.index[string(key)]
	if e == nil {
		return db.Add(key, value)
	}
	e.Replace(value)
	e.Persist()
	return e
}

// Adopt is Set, but keeps value itself instead of a copy.
func (db *DB) Adopt(key, value []byte) *Entry {
	e := db.index[string(key)]
	if e == nil {
		e = db.Add(key, nil)
	} else {
		db.change(e.key)
	}
	e.value, e.shared = value, false
	e.Persist()
	return e
}

// Add adds a key that Get did not find.
func (db *DB) Add(key, value []byte) *Entry {
	e := db.slot()
	e.db = db
	e.key = string(key)
	e.value = append([]byte(nil), value...)
	e.at = uint32(len(db.live))
	db.live = append(db.live, e)
	db.index[e.key] = e
	db.change(e.key)
	return e
}

// Delete removes an entry.
func (db *DB) Delete(e *Entry) {
	db.space.unwatch(e)
	db.remove(e)
}

// Rename moves an entry's value and deadline to another key, whose own value and deadline
// are lost.
func (db *DB) Rename(e *Entry, key []byte, now int64) {
	value, shared, deadline := e.value, e.shared, e.deadline
	db.Delete(e)
	to := db.Get(key, now)
	if to == nil {
		to = db.Add(key, nil)
	}
	to.value, to.shared = value, shared
	db.change(to.key)
	to.Persist()
	if deadline != 0 {
		to.SetDeadline(deadline)
	}
}

// Flush removes all keys.
func (db *DB) Flush() {
	for _, e := range db.live {
		db.space.unwatch(e)
		db.change(e.key)
	}
	db.clear()
}

func (db *DB) clear() {
	*db = DB{space: db.space, index: make(map[string]*Entry), free: noSlot, changed: db.changed}
}

// slot returns an empty slot.
func (db *DB) slot() *Entry {
	if db.free != noSlot {
		e := db.at(db.free)
		db.free = e.at
		return e
	}
	if db.used%pageSlots == 0 {
		db.pages = append(db.pages, new(page))
	}
	e := db.at(db.used)
	e.slot = db.used
	db.used++
	return e
}

func (db *DB) at(slot uint32) *Entry { return &db.pages[slot/pageSlots][slot%pageSlots] }

// remove empties the slot of an entry, whose timer is not running.
func (db *DB) remove(e *Entry) {
	if e.deadline != 0 {
		db.timed--
	}
	db.change(e.key)
	delete(db.index, e.key)
	last := len(db.live) - 1
	db.live[e.at] = db.live[last]
	db.live[e.at].at = e.at
	db.live[last] = nil
	db.live = db.live[:last]
	*e = Entry{slot: e.slot, at: db.free}
	db.free = e.slot
	if last == 0 && db.used > keepSlots {
		db.clear()
	}
}

// Random returns the entry that the random number r selects, each with the same
// probability, or nil if there are no keys.
func (db *DB) Random(r uint64) *Entry {
	if len(db.live) == 0 {
		return nil
	}
	return db.live[r%uint64(len(db.live))]
}

// Scan calls see for up to count entries from the cursor on, including expired ones. It
// returns the cursor to continue from, or 0 after the last entry. It visits at most 10
// count slots, so that a call is short in a database that was once large. see must not
// add or delete keys.
func (db *DB) Scan(cursor uint64, count int, see func(*Entry)) uint64 {
	if count < 1 {
		count = 1
	}
	end := cursor + min(uint64(count), 1<<40)*10
	for ; cursor < uint64(db.used); cursor++ {
		if count == 0 || cursor == end {
			return cursor
		}
		if e := db.at(uint32(cursor)); e.db != nil {
			see(e)
			count--
		}
	}
	return 0
}
