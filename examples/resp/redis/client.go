package redis

import (
	"strconv"
	"strings"

	"github.com/stator-go/stator/examples/resp/wire"
)

func clientID(c *call) { c.out.Int(int64(c.id)) }

func clientGetname(c *call) {
	if c.name == "" {
		c.out.Null()
	} else {
		c.out.Text(c.name)
	}
}

func clientSetname(c *call) {
	if c.setName(c.args[2]) {
		c.out.Simple("OK")
	}
}

func (c *call) setName(name []byte) bool {
	if !validName(name) {
		c.fail(errName)
		return false
	}
	c.name = string(name)
	return true
}

func clientSetinfo(c *call) {
	var field *string
	switch {
	case is(c.args[2], "lib-name"):
		field = &c.lib
	case is(c.args[2], "lib-ver"):
		field = &c.libVer
	default:
		c.fail("ERR Unrecognized option '" + quoted(c.args[2], len(c.args[2])) + "'")
		return
	}
	if !validName(c.args[3]) {
		c.fail("ERR " + strings.ToLower(string(c.args[2])) + " cannot contain spaces, newlines or special characters.")
		return
	}
	*field = string(c.args[3])
	c.out.Simple("OK")
}

func clientInfo(c *call) { c.out.Verbatim("txt", c.describe(c.us)+"\n") }

// clientList lists the sessions, oldest first: all, those of a type, or those with given ids.
func clientList(c *call) {
	var text strings.Builder
	show := func(s *Session) {
		text.WriteString(s.describe(c.us))
		text.WriteByte('\n')
	}
	switch rest := c.args[2:]; {
	case len(rest) == 0:
		c.srv.each(show)
	case len(rest) == 2 && is(rest[0], "type"):
		of, ok := c.clientType(rest[1])
		if !ok {
			return
		}
		c.srv.each(func(s *Session) {
			if of(s) {
				show(s)
			}
		})
	case len(rest) > 1 && is(rest[0], "id"):
		byID := make(map[int64]*Session)
		c.srv.each(func(s *Session) { byID[int64(s.id)] = s })
		for _, a := range rest[1:] {
			id, ok := wire.Integer(a)
			if !ok {
				c.fail("ERR Invalid client ID")
				return
			}
			if s := byID[id]; s != nil {
				show(s)
			}
		}
	default:
		c.fail(errSyntax)
		return
	}
	c.out.Verbatim("txt", text.String())
}

// clientType parses a type of clients and returns a function that reports whether a session
// is of that type.
func (c *call) clientType(name []byte) (of func(*Session) bool, ok bool) {
	switch {
	case is(name, "normal"):
		return func(s *Session) bool { return !s.Subscribed() }, true
	case is(name, "pubsub"):
		return (*Session).Subscribed, true
	case is(name, "master"), is(name, "replica"), is(name, "slave"):
		return func(*Session) bool { return false }, true
	}
	c.fail("ERR Unknown client type '" + quoted(name, len(name)) + "'")
	return nil, false
}

// clientKill ends the connections that match all options. In its older form, with only an
// address, that may be the caller's own.
func clientKill(c *call) {
	if len(c.args) == 3 {
		if c.kill(killFilter{addr: c.args[2], of: func(*Session) bool { return true }}) == 0 {
			c.fail("ERR No such client")
		} else {
			c.out.Simple("OK")
		}
	} else if v, ok := c.killFilter(c.args[2:]); ok {
		c.out.Int(int64(c.kill(v)))
	}
}

// killFilter selects the sessions that CLIENT KILL ends.
type killFilter struct {
	id     uint64 // 0: any
	addr   []byte // nil: any
	laddr  []byte // nil: any
	of     func(*Session) bool
	skipMe bool // not the caller's own
}

func (c *call) killFilter(options [][]byte) (v killFilter, ok bool) {
	v = killFilter{of: func(*Session) bool { return true }, skipMe: true}
	for i := 0; i < len(options); i += 2 {
		if i+1 == len(options) {
			c.fail(errSyntax)
			return v, false
		}
		switch name, value := options[i], options[i+1]; {
		case is(name, "id"):
			id, ok := wire.Integer(value)
			if !ok || id < 1 {
				c.fail("ERR client-id should be greater than 0")
				return v, false
			}
			v.id = uint64(id)
		case is(name, "type"):
			if v.of, ok = c.clientType(value); !ok {
				return v, false
			}
		case is(name, "addr"):
			v.addr = value
		case is(name, "laddr"):
			v.laddr = value
		case is(name, "user"):
			if string(value) != "default" {
				c.fail("ERR No such user '" + quoted(value, len(value)) + "'")
				return v, false
			}
		case is(name, "skipme") && (is(value, "yes") || is(value, "no")):
			v.skipMe = is(value, "yes")
		default:
			c.fail(errSyntax)
			return v, false
		}
	}
	return v, true
}

func (c *call) kill(v killFilter) (killed int) {
	c.srv.each(func(s *Session) {
		switch {
		case v.id != 0 && s.id != v.id, v.addr != nil && s.addr != string(v.addr), v.laddr != nil && s.Local != string(v.laddr), !v.of(s), s == c.Session && v.skipMe:
			return
		case s == c.Session || s.mail == nil:
			s.closing = true
		default:
			s.mail.HangUp()
			s.Close()
		}
		killed++
	})
	return killed
}

// each calls f for each session, oldest first.
func (srv *Server) each(f func(*Session)) {
	oldest := srv.sessions
	for oldest != nil && oldest.older != nil {
		oldest = oldest.older
	}
	for s := oldest; s != nil; {
		next := s.newer // f may close s
		f(s)
		s = next
	}
}

// describe returns the session's line in CLIENT LIST. now is in microseconds since the epoch.
func (s *Session) describe(now int64) string {
	cmd := "NULL"
	if s.last != nil {
		cmd = s.last.name
	}
	var b []byte
	field := func(name, value string) {
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = append(append(append(b, name...), '='), value...)
	}
	number := func(name string, v int64) { field(name, strconv.FormatInt(v, 10)) }
	number("id", int64(s.id))
	field("addr", s.addr)
	field("laddr", s.Local)
	number("fd", -1) // not known here
	field("name", s.name)
	number("age", (now-s.created)/1e6)
	number("idle", (now-s.seen)/1e6)
	field("flags", s.flags())
	number("db", int64(s.db))
	number("sub", int64(s.channels.len()))
	number("psub", int64(s.patterns.len()))
	number("ssub", 0)
	number("multi", s.tx.count())
	s.describeBuffers(number)
	field("events", "r")
	field("cmd", cmd)
	field("user", "default")
	number("redir", -1)
	number("resp", s.protocol())
	field("lib-name", s.lib)
	field("lib-ver", s.libVer)
	return string(b)
}

// ownOutput is how much output redis-server holds in a client's own buffer, obl. It counts
// only what is beyond as omem.
const ownOutput = 16 << 10

// describeBuffers shows the memory of the connection. Input and output that has been handled
// is free at once, so there is no more of a buffer than what is in it.
func (s *Session) describeBuffers(number func(string, int64)) {
	args := 0
	if c := &s.srv.call; c.Session == s {
		for _, a := range c.args {
			args += len(a)
		}
	}
	obl, omem := s.Buffers.Output, 0
	if obl > ownOutput {
		obl, omem = 0, obl
	}
	number("qbuf", int64(s.Buffers.Input))
	number("qbuf-free", 0)
	number("argv-mem", int64(args))
	number("multi-mem", int64(s.tx.held))
	number("rbs", 0)
	number("rbp", 0)
	number("obl", int64(obl))
	number("oll", int64(min(omem, 1)))
	number("omem", int64(omem))
	number("tot-mem", int64(s.Buffers.Input+s.Buffers.Output+s.tx.held))
}

// flags returns what the session is in, a letter each.
func (s *Session) flags() (letters string) {
	for _, f := range []struct {
		is     bool
		letter string
	}{{s.Subscribed(), "P"}, {s.tx.open, "x"}, {s.tx.stale, "d"}, {s.closing, "c"}} {
		if f.is {
			letters += f.letter
		}
	}
	if letters == "" {
		return "N"
	}
	return letters
}

// clientNoEvict has no effect, as this server never evicts clients.
func clientNoEvict(c *call) {
	if !is(c.args[2], "on") && !is(c.args[2], "off") {
		c.fail(errSyntax)
		return
	}
	c.out.Simple("OK")
}
