package store

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// fakeTimers records deadlines by node and checks that the store keeps the rules of Timers.
type fakeTimers struct {
	t   *testing.T
	set map[uint32]int64
}

func (f *fakeTimers) Add(node uint32, deadline int64) {
	if at, ok := f.set[node]; ok {
		f.t.Fatalf("node %d is set for %d already", node, at)
	}
	f.set[node] = deadline
}

func (f *fakeTimers) Cancel(node uint32) {
	if _, ok := f.set[node]; !ok {
		f.t.Fatalf("node %d is not set", node)
	}
	delete(f.set, node)
}

// fire calls Due for the nodes that are due, and now and then for one that is not.
func (f *fakeTimers) fire(k *Keyspace, now int64, rnd *rand.Rand) {
	for _, node := range slices.Sorted(maps.Keys(f.set)) {
		if f.set[node] <= now || rnd.IntN(20) == 0 {
			delete(f.set, node)
			k.Due(node, now)
		}
	}
}

// naive is the model of a database.
type naive map[string]*naiveEntry

type naiveEntry struct {
	value    []byte
	deadline int64
}

func (m naive) get(key string, now int64) *naiveEntry {
	e := m[key]
	if e != nil && e.deadline != 0 && e.deadline <= now {
		delete(m, key)
		return nil
	}
	return e
}

func (m naive) clone() naive {
	c := naive{}
	for key, e := range m {
		c[key] = &naiveEntry{bytes.Clone(e.value), e.deadline}
	}
	return c
}

// differences calls see for each key that is not the same in both models.
func (m naive) differences(other naive, see func(key string)) {
	for key, e := range m {
		if o := other[key]; o == nil || o.deadline != e.deadline || !bytes.Equal(o.value, e.value) {
			see(key)
		}
	}
	for key := range other {
		if m[key] == nil {
			see(key)
		}
	}
}

// TestModel runs random operations on a database and on a map.
func TestModel(t *testing.T) {
	for _, lazy := range []bool{false, true} {
		rnd := rand.New(rand.NewPCG(7, 8))
		timers := &fakeTimers{t: t, set: map[uint32]int64{}}
		k := New(2, timers)
		if lazy {
			k = New(2, nil)
		}
		db, m := &k.DBs[1], naive{}
		now := int64(1000)
		reported, before := map[string]bool{}, naive{} // since the last comparison
		db.OnChange(func(key string) { reported[key] = true })
		type held struct{ is, was []byte }
		var shared []held // values from Share, with a copy
		for step := range 60_000 {
			key := fmt.Sprint("key", rnd.IntN(600))
			value := bytes.Repeat([]byte{byte(step)}, rnd.IntN(1+rnd.IntN(300)))
			e, want := db.Get([]byte(key), now), m.get(key, now)
			if (e == nil) != (want == nil) || e != nil && (!bytes.Equal(e.Value(), want.value) || e.Deadline() != want.deadline || e.Key() != key) {
				t.Fatalf("step %d: %s is %+v, want %+v", step, key, e, want)
			}
			switch op := rnd.IntN(12); {
			case op < 2:
				db.Set([]byte(key), value)
				m[key] = &naiveEntry{value: value}
			case op == 2:
				db.Adopt([]byte(key), bytes.Clone(value))
				m[key] = &naiveEntry{value: value}
			case op == 3 && e != nil:
				db.Replace(e, value)
				want.value = value
			case op == 4 && e != nil:
				db.Append(e, value)
				want.value = append(bytes.Clone(want.value), value...)
			case op == 5 && e != nil && len(value) > 0:
				at := rnd.IntN(400)
				db.Write(e, at, value)
				grown := make([]byte, max(len(want.value), at+len(value)))
				copy(grown, want.value)
				copy(grown[at:], value)
				want.value = grown
			case op == 6 && e != nil:
				db.SetDeadline(e, now+1+rnd.Int64N(500))
				want.deadline = e.Deadline()
			case op == 7 && e != nil:
				if db.Persist(e) != (want.deadline != 0) {
					t.Fatalf("step %d: Persist disagrees", step)
				}
				want.deadline = 0
			case op == 8 && e != nil:
				db.Delete(e)
				delete(m, key)
			case op == 9 && e != nil:
				to := fmt.Sprint("key", rnd.IntN(600))
				if to != key {
					db.Rename(e, []byte(to), now)
					delete(m, key)
					m[to] = want
				}
			case op == 10 && e != nil:
				b := e.Share()
				shared = append(shared, held{b, bytes.Clone(b)})
			case op == 11:
				now += rnd.Int64N(20)
				timers.fire(k, now, rnd)
			}
			if rnd.IntN(20_000) == 0 {
				db.Flush()
				clear(m)
			}
			if step%100 == 0 {
				m.differences(before, func(key string) {
					if !reported[key] {
						t.Fatalf("step %d: OnChange did not report the change of %s", step, key)
					}
				})
				compare(t, db, m, now)
				before = m.clone()
				clear(reported)
			}
		}
		for _, h := range shared {
			if !bytes.Equal(h.is, h.was) {
				t.Fatal("a shared value changed")
			}
		}
		timers.fire(k, 1<<40, rnd)
		if left := db.Timed(); !lazy && left != 0 || !lazy && len(timers.set) != 0 {
			t.Errorf("%d deadlines and %d timers are left", left, len(timers.set))
		}
		if k.Expired() == 0 || len(shared) < 100 {
			t.Errorf("%d keys expired, %d values were shared: too few", k.Expired(), len(shared))
		}
	}
}

// compare compares all entries of a database with the model.
func compare(t *testing.T, db *DB, m naive, now int64) {
	t.Helper()
	seen := map[string]bool{}
	timed := 0
	if next := db.Scan(0, math.MaxInt, func(e *Entry) {
		if seen[e.Key()] {
			t.Fatalf("%s twice", e.Key())
		}
		seen[e.Key()] = true
		if e.Deadline() != 0 {
			timed++
		}
		if e.Deadline() != 0 && e.Deadline() <= now {
			return
		}
		if want := m[e.Key()]; want == nil || !bytes.Equal(want.value, e.Value()) {
			t.Fatalf("%s is %q, want %+v", e.Key(), e.Value(), want)
		}
	}); next != 0 {
		t.Fatalf("the scan stopped at %d", next)
	}
	for key := range m {
		if !seen[key] && m.get(key, now) != nil {
			t.Fatalf("%s is missing", key)
		}
	}
	if len(seen) != db.Len() || timed != db.Timed() {
		t.Fatalf("Len %d, Timed %d; want %d, %d", db.Len(), db.Timed(), len(seen), timed)
	}
}

// TestScanGuarantee changes a database while it is scanned: the scan shows each key that stays
// exactly once, and it ends.
func TestScanGuarantee(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		k := New(1, nil)
		db := &k.DBs[0]
		set := func(key string) { db.Set([]byte(key), nil) }
		for i := range 2000 {
			set(fmt.Sprint("stays", i))
			set(fmt.Sprint("goes", i))
		}
		told := map[string]int{}
		calls := 0
		for cursor := uint64(0); ; calls++ {
			if calls > 10_000 {
				t.Fatal("the scan does not end")
			}
			shown := 0
			cursor = db.Scan(cursor, 1+rnd.IntN(30), func(e *Entry) { told[e.Key()]++; shown++ })
			if cursor == 0 {
				break
			}
			for range rnd.IntN(20) {
				if e := db.Get([]byte(fmt.Sprint("goes", rnd.IntN(2000))), 0); e != nil {
					db.Delete(e)
				}
				if rnd.IntN(2) == 0 {
					set(fmt.Sprint("comes", rnd.IntN(100)))
				}
			}
		}
		for i := range 2000 {
			if n := told[fmt.Sprint("stays", i)]; n != 1 {
				t.Fatalf("key %d was told %d times", i, n)
			}
		}
	}
}

// A scan of a database that was once large visits a bounded number of slots per call, and
// ends.
func TestScanSparse(t *testing.T) {
	k := New(1, nil)
	db := &k.DBs[0]
	for i := range 50_000 {
		db.Set(fmt.Append(nil, i), nil)
	}
	for i := range 49_999 {
		db.Delete(db.Get(fmt.Append(nil, i), 0))
	}
	calls, found := 0, 0
	for cursor := uint64(0); ; {
		calls++
		if cursor = db.Scan(cursor, 10, func(*Entry) { found++ }); cursor == 0 {
			break
		}
	}
	if found != 1 || calls != 500 {
		t.Errorf("found %d in %d calls", found, calls)
	}
	if db.Scan(1<<63, 10, func(*Entry) { t.Error("an entry beyond the end") }) != 0 {
		t.Error("a cursor beyond the end goes on")
	}
}

// Reading reports no change, and neither does a change that is none.
func TestOnChangeIsQuiet(t *testing.T) {
	k := New(1, nil)
	db := &k.DBs[0]
	e := db.Set([]byte("key"), []byte("value"))
	db.OnChange(func(key string) { t.Errorf("a change of %q", key) })
	db.Get([]byte("key"), 0)
	db.Get([]byte("other"), 0)
	db.Scan(0, 10, func(*Entry) {})
	db.Random(rand.Uint64)
	e.Share()
	db.Persist(e)
	db.OnChange(nil)
	db.Flush()
}

// The memory of many keys is freed when the last one goes, also if that is by expiry.
func TestEmptyDatabaseFreesMemory(t *testing.T) {
	timers := &fakeTimers{t: t, set: map[uint32]int64{}}
	k := New(1, timers)
	db := &k.DBs[0]
	heap := func() int {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := heap()
	for i := range 200_000 {
		db.SetDeadline(db.Set(fmt.Append(nil, i), []byte("0123456789abcdef")), 5)
	}
	for _, node := range slices.Collect(maps.Keys(timers.set)) {
		delete(timers.set, node)
		k.Due(node, 6)
	}
	clear(timers.set)
	timers.set = map[uint32]int64{}
	if grown := heap() - before; grown > 4<<20 || db.Len() != 0 || k.Len() != 0 {
		t.Errorf("%d bytes more than before, %d keys", grown, db.Len())
	}
	db.SetDeadline(db.Set([]byte("key"), []byte("value")), 10)
	if e := db.Get([]byte("key"), 9); e == nil || len(timers.set) != 1 {
		t.Errorf("the key set then is %v, with %d timers", e, len(timers.set))
	}
}

func TestRandomIsEven(t *testing.T) {
	k := New(1, nil)
	db := &k.DBs[0]
	if db.Random(rand.Uint64) != nil {
		t.Error("a key in an empty database")
	}
	for i := range 1000 {
		db.Set(fmt.Append(nil, i), nil)
	}
	for i := range 990 {
		db.Delete(db.Get(fmt.Append(nil, i), 0))
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	times := map[string]int{}
	for range 10_000 {
		times[db.Random(rnd.Uint64).Key()]++
	}
	for i := 990; i < 1000; i++ {
		if n := times[fmt.Sprint(i)]; n < 800 || n > 1200 {
			t.Errorf("%d was drawn %d times of 10000", i, n)
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	timers := &fakeTimers{t: t, set: map[uint32]int64{}}
	k := New(1, timers)
	db := &k.DBs[0]
	key, short, long := []byte("key"), []byte("xyz"), []byte("0123456789")
	db.Set(key, long)
	now := int64(0)
	if n := testing.AllocsPerRun(100, func() {
		now++
		db.Set(key, short)
		e := db.Set(key, long)
		db.SetDeadline(e, now+100)
		db.Persist(e)
		if db.Get(key, now) != e {
			t.Fatal("another entry")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Memory follows the number of keys, whichever keys go: by their deadlines, by Delete, by
// Flush.
func TestMemoryFollowsKeys(t *testing.T) {
	const keys = 200_000
	key := func(i int) []byte { return fmt.Appendf(nil, "key:%012d", i) }
	for name, empty := range map[string]func(*DB, *fakeTimers){
		"deadline": func(db *DB, timers *fakeTimers) { timers.fire(db.space, 1, rand.New(rand.NewPCG(1, 1))) },
		"Delete": func(db *DB, _ *fakeTimers) {
			for i := range keys {
				db.Delete(db.Get(key(i), 0))
			}
		},
		"Flush": func(db *DB, _ *fakeTimers) { db.Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			timers := &fakeTimers{t: t, set: map[uint32]int64{}}
			k := New(1, timers)
			db := &k.DBs[0]
			before := heap()
			for i := range keys {
				db.Set(key(i), []byte("0123456789abcdef"))
			}
			full := heap() - before
			if most := 112 * keys; full > most || full < k.Bytes()*9/10 {
				t.Errorf("%d keys take %d bytes, and Bytes is %d; want at most %d", keys, full, k.Bytes(), most)
			}
			for i := range keys {
				db.SetDeadline(db.Get(key(i), 0), 1)
			}
			empty(db, timers)
			clear(timers.set)
			timers.set = map[uint32]int64{}
			if left := heap() - before; left > full/20 || k.Bytes() != 0 || db.Len() != 0 || db.Timed() != 0 {
				t.Errorf("%d of %d bytes are left, and Bytes is %d", left, full, k.Bytes())
			}
			runtime.KeepAlive(k)
		})
	}
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Random takes a bounded number of draws and Scan finds every key, also in a database that
// has few keys left in pages that are far apart.
func TestSparse(t *testing.T) {
	k := New(2, nil)
	db := &k.DBs[1]
	for i := range 100_000 {
		db.Set(fmt.Append(nil, i), nil)
		k.DBs[0].Set(fmt.Append(nil, i), nil)
	}
	for i := range 100_000 {
		if i%10_000 != 0 {
			db.Delete(db.Get(fmt.Append(nil, i), 0))
		}
	}
	if n := len(db.inUse); n > 11 {
		t.Errorf("10 keys are in %d pages", n)
	}
	if n := db.index.size; n > 32 {
		t.Errorf("10 keys are in %d buckets", n)
	}
	draws := 0
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		db.Random(func() uint64 { draws++; return rnd.Uint64() })
	}
	if draws > 100*1000 {
		t.Errorf("%d draws for 100 keys", draws)
	}
	found := 0
	db.Scan(0, math.MaxInt, func(*Entry) { found++ })
	if found != 10 || k.DBs[0].Len() != 100_000 {
		t.Errorf("found %d keys, want 10", found)
	}
}
