package redis

import (
	"github.com/stator-go/stator/examples/resp/store"
	"github.com/stator-go/stator/examples/resp/wire"
)

// Mail is how a Server reaches the owner of a session that is not the running one.
type Mail interface {
	// Deliver passes on a message, which the owner gives to Session.Message before the
	// session's next command.
	Deliver(m *Message)
	// HangUp ends the connection. The session is closed right after the call.
	HangUp()
}

// Buffers is how many bytes a connection holds.
type Buffers struct {
	Input  int // received, and not run yet; while a command runs, with its own
	Output int // written and not sent
}

// Session is one client. It may be a field of any struct, but must not move between Open
// and Close.
type Session struct {
	// The owner of the connection sets these, for CLIENT LIST.
	Local   string // the address that the client is connected to
	Buffers Buffers

	// Given says that Do may keep the bytes of its arguments, as wire.Args.Given does.
	Given bool

	srv  *Server
	mail Mail

	id      uint64
	name    string
	addr    string
	lib     string // CLIENT SETINFO
	libVer  string
	created int64 // microseconds since the epoch
	seen    int64 // when the last command began, likewise
	last    *command

	db      int
	v3      bool
	authed  bool
	closing bool

	channels subscriptions
	patterns subscriptions
	tx       transaction

	newer, older *Session // Server.sessions
}

// Open begins a session in s. mail may be nil if the client never subscribes; addr is for
// CLIENT LIST; now is in microseconds since the epoch.
func (srv *Server) Open(s *Session, mail Mail, addr string, now int64) {
	srv.opened++
	*s = Session{srv: srv, mail: mail, id: srv.opened, addr: addr, created: now, seen: now,
		authed: srv.cfg.Password == "", older: srv.sessions}
	if s.older != nil {
		s.older.newer = s
	}
	srv.sessions = s
	srv.clients++
}

// Close ends the session and its subscriptions. A second call does nothing.
func (s *Session) Close() {
	if s.srv == nil {
		return
	}
	s.srv.channels.removeAll(&s.channels)
	s.srv.patterns.removeAll(&s.patterns)
	s.unwatchAll()
	if s.newer != nil {
		s.newer.older = s.older
	} else {
		s.srv.sessions = s.older
	}
	if s.older != nil {
		s.older.newer = s.newer
	}
	s.srv.clients--
	*s = Session{}
}

// ID returns the session's number, from 1 up, as CLIENT ID shows it.
func (s *Session) ID() uint64 { return s.id }

// Closing reports whether the connection is to end once the replies are sent.
func (s *Session) Closing() bool { return s.closing }

// Unauthenticated reports whether the client still has to send the password, for
// wire.Args. A session that was opened while no password was set never has to, and no
// session has to once the password is removed.
func (s *Session) Unauthenticated() bool { return !s.authed && s.srv.cfg.Password != "" }

// Subscribed reports whether the session has subscriptions.
func (s *Session) Subscribed() bool { return s.channels.len()+s.patterns.len() > 0 }

// Violation replies to a violation of the protocol and makes the session Closing.
func (s *Session) Violation(out *wire.Output, err error) {
	out.V3 = s.v3
	out.Error(err.Error())
	s.srv.Stats.Errors++
	s.closing = true
}

// call is a running command, as its handler gets it.
type call struct {
	*Session
	out  *wire.Output
	args [][]byte
	cmd  *command
	db   *store.DB
	us   int64 // the time in microseconds since the epoch
	now  int64 // in milliseconds
}

// Do runs the command named args[0] and appends its replies to out. It keeps no reference to
// args, unless Given allows that. now is in microseconds since the Unix epoch.
func (s *Session) Do(out *wire.Output, args [][]byte, now int64) {
	srv := s.srv
	out.V3 = s.v3
	s.seen = now
	srv.Stats.Commands++
	c := &srv.call
	c.Session, c.out, c.args = s, out, args
	c.us, c.now = now, now/1000
	c.cmd = srv.commands.find(args[0])
	if c.admitted() {
		s.last = c.cmd
		if s.tx.open && c.cmd.flags&unqueued == 0 {
			c.queue()
		} else {
			c.run()
		}
	}
	c.args = nil
}

func (c *call) run() {
	c.db = &c.srv.Keys.DBs[c.Session.db]
	c.cmd.run(c)
}

// admitted finds the subcommand and reports whether the command may run. If not, it replies
// with the error.
func (c *call) admitted() bool {
	cmd := c.cmd
	if cmd != nil && cmd.subs != nil && len(c.args) > 1 {
		if cmd = cmd.sub(c.args[1]); cmd == nil {
			c.reject("ERR unknown subcommand '" + quoted(c.args[1], 128) + "'. Try " + upper(c.cmd.name) + " HELP.")
			return false
		}
		c.cmd = cmd
	}
	switch {
	case cmd == nil:
		c.unknown()
	case cmd.arity > 0 && len(c.args) != cmd.arity || len(c.args) < -cmd.arity:
		c.reject("ERR wrong number of arguments for '" + cmd.name + "' command")
	case c.Unauthenticated() && cmd.flags&noAuth == 0:
		c.reject("NOAUTH Authentication required.")
	case !c.v3 && cmd.flags&whileSubscribed == 0 && c.Subscribed():
		c.reject("ERR Can't execute '" + cmd.name + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
	default:
		return true
	}
	return false
}

// unknown replies that the command does not exist, with the start of its arguments.
func (c *call) unknown() {
	text := "ERR unknown command '" + quoted(c.args[0], 128) + "', with args beginning with: "
	given := ""
	for _, a := range c.args[1:] {
		if len(given) >= 128 {
			break
		}
		given += "'" + quoted(a, 128-len(given)) + "' "
	}
	c.reject(text + given)
}

// fail replies with an error; text begins with its code.
func (c *call) fail(text string) {
	c.srv.Stats.Errors++
	c.out.Error(text)
}

// quoted returns what an error text shows of b: at most most bytes, up to a NUL.
func quoted(b []byte, most int) string {
	b = b[:min(len(b), most)]
	for i, c := range b {
		if c == 0 {
			b = b[:i]
			break
		}
	}
	return string(b)
}

func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// is reports whether b is word, in any case. word is in lower case.
func is(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i := range len(word) {
		if lower(b[i]) != word[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
