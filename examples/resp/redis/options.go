package redis

import (
	"math"
	"strconv"

	"github.com/stator-go/stator/examples/resp/wire"
)

const (
	errSyntax  = "ERR syntax error"
	errInteger = "ERR value is not an integer or out of range"
)

// integer parses an argument, and replies with an error if it is no integer.
func (c *call) integer(b []byte) (v int64, ok bool) {
	if v, ok = wire.Integer(b); !ok {
		c.fail(errInteger)
	}
	return v, ok
}

func appendInt(b []byte, v int64) []byte { return strconv.AppendInt(b, v, 10) }

// unit is the unit of a time, in milliseconds.
type unit int64

const (
	milliseconds unit = 1
	seconds      unit = 1000
)

// deadline parses a time, which is relative to now or to the epoch and must be above 0. It
// replies with an error if it is none.
func (c *call) deadline(b []byte, u unit, relative bool) (at int64, ok bool) {
	v, ok := c.integer(b)
	if !ok {
		return 0, false
	}
	if v <= 0 || v > math.MaxInt64/int64(u) {
		return 0, c.badTime()
	}
	v *= int64(u)
	if relative {
		if v > math.MaxInt64-c.now {
			return 0, c.badTime()
		}
		v += c.now
	}
	return v, true
}

func (c *call) badTime() bool {
	c.fail("ERR invalid expire time in '" + c.cmd.name + "' command")
	return false
}

// options are the options of SET and GETEX.
type options struct {
	onlyNew, onlyOld bool // NX, XX
	get              bool
	keepTTL          bool
	persist          bool

	expire   []byte // the time as given, nil for none
	unit     unit
	relative bool
	kind     string // the option that the time belongs to
}

// Which command options parses for.
const (
	forSet   = true
	forGetex = false
)

// options parses the options of SET or GETEX. Options that exclude each other are an error;
// the same option twice is none.
func (c *call) options(args [][]byte, set bool) (o options, ok bool) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case set && is(a, "nx") && !o.onlyOld:
			o.onlyNew = true
		case set && is(a, "xx") && !o.onlyNew:
			o.onlyOld = true
		case set && is(a, "get"):
			o.get = true
		case set && is(a, "keepttl") && !o.persist && o.expire == nil:
			o.keepTTL = true
		case !set && is(a, "persist") && !o.keepTTL && o.expire == nil:
			o.persist = true
		default:
			kind, u, relative := timeOption(a)
			if kind == "" || o.keepTTL || o.persist || o.kind != "" && o.kind != kind || i+1 == len(args) {
				c.fail(errSyntax)
				return o, false
			}
			i++
			o.expire, o.kind, o.unit, o.relative = args[i], kind, u, relative
		}
	}
	return o, true
}

// timeOption parses an option that is followed by a time. kind is "" if b is none.
func timeOption(b []byte) (kind string, u unit, relative bool) {
	switch {
	case is(b, "ex"):
		return "ex", seconds, true
	case is(b, "px"):
		return "px", milliseconds, true
	case is(b, "exat"):
		return "exat", seconds, false
	case is(b, "pxat"):
		return "pxat", milliseconds, false
	}
	return "", 0, false
}
