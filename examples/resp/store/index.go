package store

// index finds the slots of keys by their hash. It is a table of linear hashing (Litwin,
// 1980): it grows and shrinks by one bucket at a time, so no command has to wait until all
// keys are moved. Entries of a bucket are a list.
type index struct {
	segments []*segment
	size     uint32 // buckets
	mask     uint32 // the least power of two that is not below size, less one
}

type segment [segmentBuckets]uint32 // for each bucket its first slot + 1, 0 if it is empty

const segmentBuckets = 1 << 10

// bucket returns the bucket of a hash.
func (x *index) bucket(hash uint32) *uint32 {
	b := hash & x.mask
	if b >= x.size {
		b &= x.mask >> 1
	}
	return x.at(b)
}

func (x *index) at(b uint32) *uint32 { return &x.segments[b/segmentBuckets][b%segmentBuckets] }

// find returns the entry of a key, or nil.
func (db *DB) find(hash uint32, key []byte) *Entry {
	if db.index.size == 0 {
		return nil
	}
	for s := *db.index.bucket(hash); s != 0; {
		e := db.at(s - 1)
		if e.hash == hash && e.key == string(key) {
			return e
		}
		s = e.next
	}
	return nil
}

// link adds an entry to the index.
func (db *DB) link(e *Entry) {
	if x := &db.index; int(x.size) < db.len+1 {
		db.split()
	}
	b := db.index.bucket(e.hash)
	e.next, *b = *b, e.slot+1
}

// unlink removes an entry from the index. Below half as many entries as buckets it merges
// two pairs of buckets, as many as it takes to keep pace with keys that go.
func (db *DB) unlink(e *Entry) {
	at := db.index.bucket(e.hash)
	for *at != e.slot+1 {
		at = &db.at(*at - 1).next
	}
	*at = e.next
	for range 2 {
		if int(db.index.size) > 2*db.len+1 {
			db.merge()
		}
	}
}

// split adds a bucket, and moves entries to it from the only bucket that has some of its.
func (db *DB) split() {
	x := &db.index
	added := x.size
	if added%segmentBuckets == 0 {
		x.segments = append(x.segments, new(segment))
	}
	x.size++
	if added > x.mask {
		x.mask = x.mask<<1 | 1
	}
	if added == 0 {
		return
	}
	from, to := x.at(added&(x.mask>>1)), x.at(added)
	for *from != 0 {
		e := db.at(*from - 1)
		if e.hash&x.mask != added {
			from = &e.next
			continue
		}
		slot := *from
		*from, e.next, *to = e.next, *to, slot
	}
}

// merge removes the last bucket, and moves its entries to the one that it was split from.
func (db *DB) merge() {
	x := &db.index
	x.size--
	from, to := x.at(x.size), x.at(x.size&(x.mask>>1))
	for *to != 0 {
		to = &db.at(*to - 1).next
	}
	*to, *from = *from, 0
	if x.size <= x.mask>>1+1 {
		x.mask >>= 1
	}
	if x.size%segmentBuckets == 0 {
		last := len(x.segments) - 1
		x.segments[last] = nil
		x.segments = x.segments[:last]
	}
}
