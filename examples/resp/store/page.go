package store

// page is 256 slots for entries. Slots do not move as a database grows, and a page without
// entries is freed, so that memory falls as the database shrinks.
type page struct {
	slots  *[pageSlots]Entry // 16 KiB, which is a size that Go allocates without waste
	db     *DB
	id     uint32 // its number in Keyspace.pages
	number uint32 // its number in DB.pages
	place  int    // its index in DB.inUse
	room   int    // its index in DB.roomy, or noRoom if it has no empty slot
	len    int    // entries
	fresh  uint32 // slots that were ever used, from the start
	free   uint32 // the first empty slot + 1 of those, 0 for none
}

const (
	pageBits  = 8
	pageSlots = 1 << pageBits
	noRoom    = -1
)

// slot takes an empty slot.
func (db *DB) slot() *Entry {
	if len(db.roomy) == 0 {
		db.newPage()
	}
	p := db.roomy[len(db.roomy)-1]
	i := p.free
	if i != 0 {
		i--
		p.free = p.slots[i].next
	} else {
		i = p.fresh
		p.fresh++
	}
	if p.len++; p.len == pageSlots {
		db.roomy = db.roomy[:len(db.roomy)-1]
		p.room = noRoom
	}
	e := &p.slots[i]
	*e = Entry{slot: p.number<<pageBits | i, used: true}
	return e
}

// vacate empties a slot, and frees its page if that is empty now. One empty page may stay,
// so that a key that comes and goes does not allocate a page each time.
func (db *DB) vacate(e *Entry) {
	p, i := db.pages[e.slot>>pageBits], e.slot%pageSlots
	*e = Entry{next: p.free}
	p.free = i + 1
	if p.len--; p.room == noRoom {
		p.room = len(db.roomy)
		db.roomy = append(db.roomy, p)
	}
	if p.len == 0 && len(db.roomy) > 1 {
		db.freePage(p)
	}
}

func (db *DB) newPage() {
	p := &page{slots: new([pageSlots]Entry), db: db, place: len(db.inUse), id: db.space.pageID()}
	db.space.pages[p.id] = p
	p.number = db.pageNumber()
	db.pages[p.number] = p
	db.inUse = append(db.inUse, p)
	db.roomy = append(db.roomy, p)
}

// pageNumber returns a number without a page: that of a freed page, or a new one.
func (db *DB) pageNumber() uint32 {
	for n := len(db.holes); n > 0; n = len(db.holes) {
		number := db.holes[n-1]
		db.holes = db.holes[:n-1]
		if int(number) < len(db.pages) && db.pages[number] == nil {
			return number
		}
	}
	db.pages = append(db.pages, nil)
	return uint32(len(db.pages) - 1)
}

func (db *DB) freePage(p *page) {
	db.inUse = remove(db.inUse, p.place, func(p *page, i int) { p.place = i })
	db.roomy = remove(db.roomy, p.room, func(p *page, i int) { p.room = i })
	db.space.dropPage(p.id)
	db.pages[p.number] = nil
	db.holes = append(db.holes, p.number)
	for n := len(db.pages); n > 0 && db.pages[n-1] == nil; n-- {
		db.pages = db.pages[:n-1]
	}
}

// remove removes s[i] and moves the last element there.
func remove(s []*page, i int, moved func(*page, int)) []*page {
	last := len(s) - 1
	s[i] = s[last]
	moved(s[i], i)
	s[last] = nil
	return s[:last]
}

// pageID returns a number that no page of the keyspace has.
func (k *Keyspace) pageID() uint32 {
	if n := len(k.spare); n > 0 {
		id := k.spare[n-1]
		k.spare = k.spare[:n-1]
		return id
	}
	k.pages = append(k.pages, nil)
	return uint32(len(k.pages) - 1)
}

func (k *Keyspace) dropPage(id uint32) {
	k.pages[id] = nil
	k.spare = append(k.spare, id)
}

// node returns the number of an entry's timer.
func (db *DB) node(e *Entry) uint32 {
	return db.pages[e.slot>>pageBits].id<<pageBits | e.slot%pageSlots
}

// at returns the entry of a slot that is in use.
func (db *DB) at(slot uint32) *Entry { return &db.pages[slot>>pageBits].slots[slot%pageSlots] }
