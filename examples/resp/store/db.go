package store

import "hash/maphash"

// Timers is implemented by the owner of a Keyspace, which must call Keyspace.Due when a
// deadline has passed. Nodes are small numbers; they are reused after Cancel and Due.
type Timers interface {
	Add(node uint32, deadline int64) // only called if the node has no deadline
	Cancel(node uint32)              // only called if it has one
}

// Keyspace is a set of databases.
type Keyspace struct {
	DBs []DB

	timers Timers // may be nil
	seed   maphash.Seed
	pages  []*page  // by id
	spare  []uint32 // unused ids of pages
	bytes  int
	expiry uint64 // expired keys that were removed
}

// New makes n empty databases. If timers is nil, keys expire only when accessed.
func New(n int, timers Timers) *Keyspace {
	k := &Keyspace{DBs: make([]DB, n), timers: timers, seed: maphash.MakeSeed()}
	for i := range k.DBs {
		k.DBs[i].space = k
	}
	return k
}

// Expired returns the number of expired keys that were removed.
func (k *Keyspace) Expired() uint64 { return k.expiry }

// Bytes returns about how much memory the keys and their values take.
func (k *Keyspace) Bytes() int { return k.bytes }

// Due removes the key of a node if its deadline has passed at now. If it has not, Due adds
// the node to the timers again.
func (k *Keyspace) Due(node uint32, now int64) {
	id := node >> pageBits
	if int(id) >= len(k.pages) || k.pages[id] == nil {
		return
	}
	p := k.pages[id]
	switch e := &p.slots[node%pageSlots]; {
	case !e.used || e.deadline == 0:
	case e.deadline > now:
		k.timers.Add(node, e.deadline)
	default:
		k.expiry++
		e.deadline = 0 // so that Delete does not cancel its timer, which is not running
		p.db.timed--
		p.db.Delete(e)
	}
}

// DB is one database.
type DB struct {
	space *Keyspace
	index index
	len   int      // entries
	timed int      // entries with a deadline
	pages []*page  // by number; nil if a page is freed
	holes []uint32 // numbers of freed pages, and perhaps some that are used again or beyond the end
	inUse []*page  // all pages, in no order
	roomy []*page  // the pages with empty slots

	changed func(key string) // see OnChange
}

// Len returns the number of keys of all databases, including expired ones that were not
// removed yet.
func (k *Keyspace) Len() (n int) {
	for i := range k.DBs {
		n += k.DBs[i].Len()
	}
	return n
}

// Len returns the number of keys, including expired ones that were not removed yet.
func (db *DB) Len() int { return db.len }

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
	e := db.find(db.hash(key), key)
	if e != nil && e.deadline != 0 && e.deadline <= now {
		db.space.expiry++
		db.Delete(e)
		return nil
	}
	return e
}

func (db *DB) hash(key []byte) uint32 { return uint32(maphash.Bytes(db.space.seed, key)) }

// Set sets the value of a key and removes its deadline.
func (db *DB) Set(key, value []byte) *Entry {
	hash := db.hash(key)
	e := db.find(hash, key)
	if e == nil {
		return db.add(hash, key, value)
	}
	db.Replace(e, value)
	db.Persist(e)
	return e
}

// Adopt is Set, but keeps value itself instead of a copy.
func (db *DB) Adopt(key, value []byte) *Entry {
	hash := db.hash(key)
	e := db.find(hash, key)
	if e == nil {
		e = db.add(hash, key, nil)
	} else {
		db.change(e.key)
	}
	db.setValue(e, value)
	db.Persist(e)
	return e
}

// Add adds a key that Get did not find.
func (db *DB) Add(key, value []byte) *Entry { return db.add(db.hash(key), key, value) }

func (db *DB) add(hash uint32, key, value []byte) *Entry {
	e := db.slot()
	e.hash, e.key = hash, string(key)
	db.space.bytes += entrySize + len(key)
	db.setValue(e, append([]byte(nil), value...))
	db.link(e)
	db.len++
	db.change(e.key)
	return e
}

// Delete removes an entry.
func (db *DB) Delete(e *Entry) {
	db.change(e.key)
	db.Persist(e)
	db.len--
	db.space.bytes -= entrySize + len(e.key) + cap(e.value)
	db.unlink(e)
	db.vacate(e)
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
	db.setValue(to, value)
	to.shared = shared
	db.change(to.key)
	db.Persist(to)
	if deadline != 0 {
		db.SetDeadline(to, deadline)
	}
}

// Flush removes all keys.
func (db *DB) Flush() {
	for _, p := range db.inUse {
		for i := range p.slots[:p.fresh] {
			if e := &p.slots[i]; e.used {
				db.change(e.key)
				db.Persist(e)
				db.space.bytes -= entrySize + len(e.key) + cap(e.value)
			}
		}
		db.space.dropPage(p.id)
	}
	*db = DB{space: db.space, changed: db.changed}
}

// Random returns an entry that random numbers from next select, each with the same
// probability, or nil if there are no keys. It draws slots until one is not empty. As at most
// one page has no entries, that takes some hundred draws at the worst.
func (db *DB) Random(next func() uint64) *Entry {
	for db.len > 0 {
		r := next()
		p := db.inUse[r>>pageBits%uint64(len(db.inUse))]
		if e := &p.slots[r%pageSlots]; e.used {
			return e
		}
	}
	return nil
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
	for last := db.end(); cursor < last; cursor++ {
		if count == 0 || cursor == end {
			return cursor
		}
		p := db.pages[cursor>>pageBits]
		if p == nil {
			cursor = min(end, cursor|(pageSlots-1)+1) - 1
			continue
		}
		if e := &p.slots[cursor%pageSlots]; e.used {
			see(e)
			count--
		}
	}
	return 0
}

// end returns the number of slots up to the last that was ever used.
func (db *DB) end() uint64 {
	n := len(db.pages)
	if n == 0 {
		return 0
	}
	return uint64(n-1)<<pageBits + uint64(db.pages[n-1].fresh)
}
