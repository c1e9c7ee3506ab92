package redis

import (
	"crypto/subtle"

	"github.com/stator-go/stator/examples/resp/wire"
)

const errPassword = "WRONGPASS invalid username-password pair or user is disabled."

// ping replies. To a subscribed RESP2 client it replies with a message, as such a client
// expects nothing else.
func ping(c *call) {
	subscribed := !c.v3 && c.Subscribed()
	switch {
	case len(c.args) > 2:
		c.fail("ERR wrong number of arguments for 'ping' command")
	case subscribed:
		c.out.Array(2)
		c.out.Text("pong")
		if len(c.args) == 1 {
			c.out.Text("")
		} else {
			c.out.Bulk(c.args[1])
		}
	case len(c.args) == 1:
		c.out.Raw("+PONG\r\n")
	default:
		c.out.Bulk(c.args[1])
	}
}

func echo(c *call) { c.out.Bulk(c.args[1]) }

func quit(c *call) {
	c.out.Simple("OK")
	c.closing = true
}

// hangUp closes a connection that speaks HTTP, so that a web page cannot make a browser send
// commands. Replies that are still in the output are dropped, so that the page learns nothing.
func hangUp(c *call) {
	c.out.Reset()
	c.closing = true
}

func selectDB(c *call) {
	db, ok := c.integer(c.args[1])
	if !ok {
		return
	}
	if int64(int32(db)) != db {
		c.fail("ERR value is out of range, value must between -2147483648 and 2147483647")
		return
	}
	if db < 0 || db >= int64(len(c.srv.Keys.DBs)) {
		c.fail("ERR DB index is out of range")
		return
	}
	c.Session.db = int(db)
	c.out.Simple("OK")
}

// reset returns the session to its initial state.
func reset(c *call) {
	c.srv.channels.removeAll(&c.channels)
	c.srv.patterns.removeAll(&c.patterns)
	c.endTransaction()
	c.Session.db, c.v3, c.name = 0, false, ""
	c.authed = c.srv.cfg.Password == ""
	c.out.V3 = false
	c.out.Simple("RESET")
}

func auth(c *call) {
	switch {
	case len(c.args) > 3:
		c.fail(errSyntax)
	case len(c.args) == 2 && c.srv.cfg.Password == "":
		c.fail("ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?")
	case len(c.args) == 2 && !c.authenticate("default", c.args[1]),
		len(c.args) == 3 && !c.authenticate(string(c.args[1]), c.args[2]):
		c.fail(errPassword)
	default:
		c.out.Simple("OK")
	}
}

// authenticate checks a password and, if it is right, records that. Any password is right if
// none is set.
func (c *call) authenticate(user string, password []byte) bool {
	want := c.srv.cfg.Password
	if user != "default" || want != "" && subtle.ConstantTimeCompare(password, []byte(want)) == 0 {
		return false
	}
	c.authed = true
	return true
}

// hello applies its options in order. Those before a wrong one stay applied.
func hello(c *call) {
	version, rest := int64(0), c.args[1:]
	if len(rest) > 0 {
		var ok bool
		if version, ok = wire.Integer(rest[0]); !ok {
			c.fail("ERR Protocol version is not an integer or out of range")
			return
		}
		if version != 2 && version != 3 {
			c.fail("NOPROTO unsupported protocol version")
			return
		}
		rest = rest[1:]
	}
	for i := 0; i < len(rest); i++ {
		switch more := len(rest) - 1 - i; {
		case is(rest[i], "auth") && more >= 2:
			if !c.authenticate(string(rest[i+1]), rest[i+2]) {
				c.fail(errPassword)
				return
			}
			i += 2
		case is(rest[i], "setname") && more >= 1:
			if !c.setName(rest[i+1]) {
				return
			}
			i++
		default:
			c.fail("ERR Syntax error in HELLO option '" + quoted(rest[i], len(rest[i])) + "'")
			return
		}
	}
	if !c.authed {
		c.fail("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time")
		return
	}
	if version != 0 {
		c.v3 = version == 3
		c.out.V3 = c.v3
	}
	c.greet()
}

// greet replies with the properties of the server.
func (c *call) greet() {
	c.out.Map(7)
	c.out.Text("server")
	c.out.Text("redis")
	c.out.Text("version")
	c.out.Text(Version)
	c.out.Text("proto")
	c.out.Int(c.protocol())
	c.out.Text("id")
	c.out.Int(int64(c.id))
	c.out.Text("mode")
	c.out.Text("standalone")
	c.out.Text("role")
	c.out.Text("master")
	c.out.Text("modules")
	c.out.Array(0)
}

func (s *Session) protocol() int64 {
	if s.v3 {
		return 3
	}
	return 2
}

const errName = "ERR Client names cannot contain spaces, newlines or special characters."

func validName(b []byte) bool {
	for _, c := range b {
		if c < '!' || c > '~' {
			return false
		}
	}
	return true
}
