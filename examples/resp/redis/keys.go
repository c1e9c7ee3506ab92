package redis

import (
	"math"
	"strconv"

	"github.com/stator-go/stator/examples/resp/store"
)

func del(c *call) {
	n := 0
	for _, key := range c.args[1:] {
		if e := c.db.Get(key, c.now); e != nil {
			c.db.Delete(e)
			n++
		}
	}
	c.out.Int(int64(n))
}

// exists counts how many of the named keys exist. A key named twice counts twice.
func exists(c *call) {
	n := 0
	for _, key := range c.args[1:] {
		if c.read(key) != nil {
			n++
		}
	}
	c.out.Int(int64(n))
}

func typeOf(c *call) {
	if c.db.Get(c.args[1], c.now) != nil {
		c.out.Simple("string")
	} else {
		c.out.Simple("none")
	}
}

func rename(c *call) {
	if c.rename(false) {
		c.out.Simple("OK")
	}
}

func renamenx(c *call) {
	if c.rename(true) {
		c.out.Int(1)
	}
}

func (c *call) rename(onlyNew bool) bool {
	e := c.db.Get(c.args[1], c.now)
	if e == nil {
		c.fail("ERR no such key")
		return false
	}
	same := string(c.args[1]) == string(c.args[2])
	if onlyNew && (same || c.db.Get(c.args[2], c.now) != nil) {
		c.out.Int(0)
		return false
	}
	if !same {
		c.db.Rename(e, c.args[2], c.now)
	}
	return true
}

func keys(c *call) {
	at, n := c.out.Mark(), 0
	pattern := string(c.args[1])
	c.db.Scan(0, math.MaxInt, func(e *store.Entry) {
		if !c.due(e) && (pattern == "*" || match(pattern, []byte(e.Key()))) {
			c.out.Text(e.Key())
			n++
		}
	})
	c.out.InsertArray(at, n)
}

// due reports whether an entry that an iteration shows has expired.
func (c *call) due(e *store.Entry) bool { return e.Deadline() != 0 && e.Deadline() <= c.now }

func scan(c *call) {
	cursor, ok := parseCursor(c.args[1])
	if !ok {
		c.fail("ERR invalid cursor")
		return
	}
	count, pattern, filter := int64(10), "*", []byte("string")
	for i := 2; i < len(c.args); i += 2 {
		a := c.args[i]
		switch {
		case i+1 == len(c.args):
			c.fail(errSyntax)
			return
		case is(a, "count"):
			if count, ok = c.integer(c.args[i+1]); !ok {
				return
			}
			if count < 1 {
				c.fail(errSyntax)
				return
			}
		case is(a, "match"):
			pattern = string(c.args[i+1])
		case is(a, "type"):
			filter = c.args[i+1]
		default:
			c.fail(errSyntax)
			return
		}
	}
	c.scan(cursor, int(min(count, math.MaxInt)), pattern, is(filter, "string"))
}

func (c *call) scan(cursor uint64, count int, pattern string, wanted bool) {
	at, n := c.out.Mark(), 0
	next := c.db.Scan(cursor, count, func(e *store.Entry) {
		if wanted && !c.due(e) && (pattern == "*" || match(pattern, []byte(e.Key()))) {
			c.out.Text(e.Key())
			n++
		}
	})
	c.out.InsertArray(at, n)
	c.out.InsertText(at, strconv.FormatUint(next, 10))
	c.out.InsertArray(at, 2)
}

// parseCursor parses a cursor as strtoul does: an empty one is 0, and a minus wraps around.
func parseCursor(b []byte) (cursor uint64, ok bool) {
	s := string(b)
	if s == "" {
		return 0, true
	}
	minus := s[0] == '-'
	if minus || s[0] == '+' {
		s = s[1:]
	}
	cursor, err := strconv.ParseUint(s, 10, 64)
	if minus {
		cursor = -cursor
	}
	return cursor, err == nil
}

// randomkey picks keys until one is not due, and removes those that are.
func randomkey(c *call) {
	for {
		e := c.db.Random(c.srv.next)
		if e == nil {
			c.out.Null()
			return
		}
		if c.db.Get([]byte(e.Key()), c.now) != nil {
			c.out.Text(e.Key())
			return
		}
	}
}

func dbsize(c *call) { c.out.Int(int64(c.db.Len())) }

func flushdb(c *call) {
	if c.flushOptions() {
		c.db.Flush()
		c.out.Simple("OK")
	}
}

func flushall(c *call) {
	if c.flushOptions() {
		for i := range c.srv.Keys.DBs {
			c.srv.Keys.DBs[i].Flush()
		}
		c.out.Simple("OK")
	}
}

func (c *call) flushOptions() bool {
	if len(c.args) > 2 || len(c.args) == 2 && !is(c.args[1], "async") && !is(c.args[1], "sync") {
		c.fail(errSyntax)
		return false
	}
	return true
}

func expire(c *call) { c.expire(seconds, true) }

func pexpire(c *call) { c.expire(milliseconds, true) }

func expireat(c *call) { c.expire(seconds, false) }

func pexpireat(c *call) { c.expire(milliseconds, false) }

func (c *call) expire(u unit, relative bool) {
	var nx, xx, gt, lt bool
	for _, a := range c.args[3:] {
		switch {
		case is(a, "nx"):
			nx = true
		case is(a, "xx"):
			xx = true
		case is(a, "gt"):
			gt = true
		case is(a, "lt"):
			lt = true
		default:
			c.fail("ERR Unsupported option " + quoted(a, len(a)))
			return
		}
	}
	switch {
	case nx && (xx || gt || lt):
		c.fail("ERR NX and XX, GT or LT options at the same time are not compatible")
		return
	case gt && lt:
		c.fail("ERR GT and LT options at the same time are not compatible")
		return
	}
	when, ok := c.expireTime(u, relative)
	if !ok {
		return
	}
	e := c.db.Get(c.args[1], c.now)
	if e == nil {
		c.out.Int(0)
		return
	}
	// A key without a deadline counts as having the latest of all.
	old := e.Deadline()
	if nx && old != 0 || xx && old == 0 ||
		gt && (old == 0 || when <= old) || lt && old != 0 && when >= old {
		c.out.Int(0)
		return
	}
	if when <= c.now {
		c.db.Delete(e)
	} else {
		c.db.SetDeadline(e, when)
	}
	c.out.Int(1)
}

// expireTime parses the time of an EXPIRE, which may be in the past.
func (c *call) expireTime(u unit, relative bool) (when int64, ok bool) {
	when, ok = c.integer(c.args[2])
	if !ok {
		return 0, false
	}
	if when > math.MaxInt64/int64(u) || when < math.MinInt64/int64(u) {
		return 0, c.badTime()
	}
	when *= int64(u)
	if relative {
		if when > math.MaxInt64-c.now {
			return 0, c.badTime()
		}
		when += c.now
	}
	return when, true
}

func ttl(c *call) { c.left(func(at, now int64) int64 { return toSeconds(max(at-now, 0)) }) }

func pttl(c *call) { c.left(func(at, now int64) int64 { return max(at-now, 0) }) }

func expiretime(c *call) { c.left(func(at, _ int64) int64 { return toSeconds(at) }) }

func pexpiretime(c *call) { c.left(func(at, _ int64) int64 { return at }) }

// toSeconds rounds a time of milliseconds, which is not below 0, to seconds.
func toSeconds(ms int64) int64 { return ms/1000 + (ms%1000+500)/1000 }

// left replies with what view returns for a key's deadline, with -2 if there is no such key,
// or with -1 if it has no deadline.
func (c *call) left(view func(at, now int64) int64) {
	e := c.db.Get(c.args[1], c.now)
	switch {
	case e == nil:
		c.out.Int(-2)
	case e.Deadline() == 0:
		c.out.Int(-1)
	default:
		c.out.Int(view(e.Deadline(), c.now))
	}
}

func persist(c *call) {
	if e := c.db.Get(c.args[1], c.now); e != nil && c.db.Persist(e) {
		c.out.Int(1)
	} else {
		c.out.Int(0)
	}
}
