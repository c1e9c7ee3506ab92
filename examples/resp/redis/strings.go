package redis

import (
	"math"

	"github.com/stator-go/stator/examples/resp/store"
	"github.com/stator-go/stator/examples/resp/wire"
)

// value replies with the value of an entry, or with null if it is nil.
func (c *call) value(e *store.Entry) {
	switch {
	case e == nil:
		c.out.Null()
	case e.Len() < wire.Large:
		c.out.Bulk(e.Value())
	default:
		c.out.Value(e.Share())
	}
}

// read returns the entry of a key, and counts a hit or a miss.
func (c *call) read(key []byte) *store.Entry {
	e := c.db.Get(key, c.now)
	if e == nil {
		c.srv.Stats.Misses++
	} else {
		c.srv.Stats.Hits++
	}
	return e
}

// put sets the value of the command's key, whose entry is e or nil, and keeps its deadline.
func (c *call) put(e *store.Entry, value []byte) *store.Entry {
	if e == nil {
		return c.db.Add(c.args[1], value)
	}
	c.db.Replace(e, value)
	return e
}

func get(c *call) { c.value(c.read(c.args[1])) }

func strlen(c *call) {
	if e := c.read(c.args[1]); e != nil {
		c.out.Int(int64(e.Len()))
	} else {
		c.out.Int(0)
	}
}

func mget(c *call) {
	c.out.Array(len(c.args) - 1)
	for _, key := range c.args[1:] {
		c.value(c.read(key))
	}
}

// adoptedKeys is how many times as long as its key a value must be to be kept without a copy:
// the key's bytes in the same memory are lost.
const adoptedKeys = 16

func set(c *call) {
	if len(c.args) == 3 {
		if key, value := c.args[1], c.args[2]; c.Given && !c.tx.open && len(value) > adoptedKeys*len(key) {
			c.db.Adopt(key, value)
		} else {
			c.db.Set(key, value)
		}
		c.out.Raw("+OK\r\n")
		return
	}
	o, ok := c.options(c.args[3:], forSet)
	if !ok {
		return
	}
	var deadline int64
	if o.expire != nil {
		if deadline, ok = c.deadline(o.expire, o.unit, o.relative); !ok {
			return
		}
	}
	e := c.db.Get(c.args[1], c.now)
	if o.get {
		c.count(e)
		c.value(e)
	}
	if o.onlyNew && e != nil || o.onlyOld && e == nil {
		if !o.get {
			c.out.Null()
		}
		return
	}
	e = c.put(e, c.args[2])
	switch {
	case deadline != 0:
		c.db.SetDeadline(e, deadline)
	case !o.keepTTL:
		c.db.Persist(e)
	}
	if !o.get {
		c.out.Raw("+OK\r\n")
	}
}

// count counts a hit or a miss for an entry that was not found by read.
func (c *call) count(e *store.Entry) {
	if e == nil {
		c.srv.Stats.Misses++
	} else {
		c.srv.Stats.Hits++
	}
}

func setnx(c *call) {
	if c.db.Get(c.args[1], c.now) != nil {
		c.out.Int(0)
		return
	}
	c.db.Add(c.args[1], c.args[2])
	c.out.Int(1)
}

func setex(c *call) { c.setUntil(seconds) }

func psetex(c *call) { c.setUntil(milliseconds) }

func (c *call) setUntil(u unit) {
	deadline, ok := c.deadline(c.args[2], u, true)
	if !ok {
		return
	}
	c.db.SetDeadline(c.db.Set(c.args[1], c.args[3]), deadline)
	c.out.Simple("OK")
}

func getset(c *call) {
	e := c.read(c.args[1])
	c.value(e)
	c.db.Persist(c.put(e, c.args[2]))
}

func getdel(c *call) {
	e := c.read(c.args[1])
	c.value(e)
	if e != nil {
		c.db.Delete(e)
	}
}

func getex(c *call) {
	o, ok := c.options(c.args[2:], forGetex)
	if !ok {
		return
	}
	e := c.read(c.args[1])
	if e == nil {
		c.out.Null()
		return
	}
	var deadline int64
	if o.expire != nil {
		if deadline, ok = c.deadline(o.expire, o.unit, o.relative); !ok {
			return
		}
	}
	c.value(e)
	switch {
	case deadline != 0 && deadline <= c.now:
		c.db.Delete(e)
	case deadline != 0:
		c.db.SetDeadline(e, deadline)
	case o.persist:
		c.db.Persist(e)
	}
}

func mset(c *call) {
	if c.pairs() {
		c.setPairs()
		c.out.Simple("OK")
	}
}

func msetnx(c *call) {
	if !c.pairs() {
		return
	}
	for i := 1; i < len(c.args); i += 2 {
		if c.db.Get(c.args[i], c.now) != nil {
			c.out.Int(0)
			return
		}
	}
	c.setPairs()
	c.out.Int(1)
}

// pairs checks that every key comes with a value.
func (c *call) pairs() bool {
	if len(c.args)%2 == 0 {
		c.fail("ERR wrong number of arguments for '" + c.cmd.name + "' command")
		return false
	}
	return true
}

func (c *call) setPairs() {
	for i := 1; i < len(c.args); i += 2 {
		c.db.Set(c.args[i], c.args[i+1])
	}
}

func appendTo(c *call) {
	e := c.db.Get(c.args[1], c.now)
	if e == nil {
		e = c.db.Add(c.args[1], c.args[2])
	} else {
		if !c.fits(int64(e.Len()), len(c.args[2])) {
			return
		}
		c.db.Append(e, c.args[2])
	}
	c.out.Int(int64(e.Len()))
}

// fits reports whether begin+n is within the longest string, and replies with an error if
// not.
func (c *call) fits(begin int64, n int) bool {
	if begin > int64(c.srv.cfg.MaxBulk-n) {
		c.fail("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
		return false
	}
	return true
}

func getrange(c *call) {
	from, ok := c.integer(c.args[2])
	if !ok {
		return
	}
	to, ok := c.integer(c.args[3])
	if !ok {
		return
	}
	e := c.read(c.args[1])
	if e == nil || from < 0 && to < 0 && from > to {
		c.out.Text("")
		return
	}
	n := int64(e.Len())
	if from < 0 {
		from = max(from+n, 0)
	}
	if to < 0 {
		to = max(to+n, 0)
	}
	to = min(to, n-1)
	switch {
	case from > to:
		c.out.Text("")
	case to-from+1 < wire.Large:
		c.out.Bulk(e.Value()[from : to+1])
	default:
		c.out.Value(e.Share()[from : to+1])
	}
}

func setrange(c *call) {
	at, ok := c.integer(c.args[2])
	if !ok {
		return
	}
	if at < 0 {
		c.fail("ERR offset is out of range")
		return
	}
	e, b := c.db.Get(c.args[1], c.now), c.args[3]
	if len(b) == 0 {
		if e == nil {
			c.out.Int(0)
		} else {
			c.out.Int(int64(e.Len()))
		}
		return
	}
	if !c.fits(at, len(b)) {
		return
	}
	if e == nil {
		e = c.db.Add(c.args[1], nil)
	}
	c.db.Write(e, int(at), b)
	c.out.Int(int64(e.Len()))
}

func incr(c *call) { c.increase(1) }

func decr(c *call) { c.increase(-1) }

func incrby(c *call) {
	if by, ok := c.integer(c.args[2]); ok {
		c.increase(by)
	}
}

func decrby(c *call) {
	by, ok := c.integer(c.args[2])
	switch {
	case ok && by == math.MinInt64:
		c.fail("ERR decrement would overflow")
	case ok:
		c.increase(-by)
	}
}

func (c *call) increase(by int64) {
	e := c.db.Get(c.args[1], c.now)
	var v int64
	if e != nil {
		var ok bool
		if v, ok = c.integer(e.Value()); !ok {
			return
		}
	}
	if by < 0 && v < math.MinInt64-by || by > 0 && v > math.MaxInt64-by {
		c.fail("ERR increment or decrement would overflow")
		return
	}
	var room [20]byte
	c.put(e, appendInt(room[:0], v+by))
	c.out.Int(v + by)
}

func incrbyfloat(c *call) {
	e := c.db.Get(c.args[1], c.now)
	old := []byte("0")
	if e != nil {
		old = e.Value()
	}
	v, ok := parseLong(old)
	by, ok2 := parseLong(c.args[2])
	if !ok || !ok2 {
		c.fail("ERR value is not a valid float")
		return
	}
	sum, ok := v.add(by)
	if !ok {
		c.fail("ERR increment would produce NaN or Infinity")
		return
	}
	text := sum.text()
	c.put(e, text)
	c.out.Bulk(text)
}
