package redis

import "strings"

// transaction is what a session has between MULTI and EXEC, and the keys that it watches.
type transaction struct {
	open    bool     // after MULTI
	failed  bool     // a command was not queued, so EXEC fails
	stale   bool     // a watched key has changed, so EXEC runs nothing
	queue   []queued // the commands since MULTI
	watches []watched
	held    int // bytes of queue and watches
}

// queued is a command that waits for EXEC.
type queued struct {
	cmd  *command
	args [][]byte
}

// watched names a key that a session watches.
type watched struct {
	db  int
	key string
}

// watchers are the sessions that watch the keys of a database. Nothing depends on the
// order of the maps.
type watchers map[string]map[*Session]struct{}

// Roughly what these need in addition to their bytes.
const (
	queuedBytes    = 48
	queuedArgBytes = 24
	watchedBytes   = 256
)

// Queued returns how many bytes the session keeps for a transaction: commands between MULTI
// and EXEC, and watched keys.
func (s *Session) Queued() int { return s.tx.held }

// count returns the number of queued commands, or -1 if there is no transaction.
func (tx *transaction) count() int64 {
	if !tx.open {
		return -1
	}
	return int64(len(tx.queue))
}

func multi(c *call) {
	if c.tx.open {
		c.fail("ERR MULTI calls can not be nested")
		return
	}
	c.tx.open = true
	c.out.Simple("OK")
}

func discard(c *call) {
	if !c.tx.open {
		c.fail("ERR DISCARD without MULTI")
		return
	}
	c.endTransaction()
	c.out.Simple("OK")
}

// queue keeps a copy of the command for EXEC, unless EXEC will not run it anyway.
func (c *call) queue() {
	if !c.tx.failed && !c.tx.stale {
		c.tx.add(c.cmd, c.args)
	}
	c.out.Simple("QUEUED")
}

func (tx *transaction) add(cmd *command, args [][]byte) {
	size := 0
	for _, a := range args {
		size += len(a)
	}
	buf := make([]byte, 0, size)
	list := make([][]byte, len(args))
	for i, a := range args {
		from := len(buf)
		buf = append(buf, a...)
		list[i] = buf[from:len(buf):len(buf)]
	}
	tx.queue = append(tx.queue, queued{cmd, list})
	tx.held += size + len(args)*queuedArgBytes + queuedBytes
}

// reject replies with an error to a command that is not run. In a transaction EXEC then
// fails, and if the command is EXEC itself, the transaction ends.
func (c *call) reject(text string) {
	if c.tx.open {
		c.tx.failed = true
	}
	if c.cmd != nil && c.cmd.name == "exec" {
		c.endTransaction()
		text = "EXECABORT Transaction discarded because of: " + strings.TrimPrefix(text, "ERR ")
	}
	c.fail(text)
}

func exec(c *call) {
	if !c.tx.open {
		c.fail("ERR EXEC without MULTI")
		return
	}
	c.expireWatched()
	switch {
	case c.tx.failed:
		c.endTransaction()
		c.fail("EXECABORT Transaction discarded because of previous errors.")
	case c.tx.stale:
		c.endTransaction()
		c.nullArray()
	default:
		c.unwatchAll() // so that its own changes cost no lookups
		c.runQueue()
		c.endTransaction()
	}
}

func (c *call) nullArray() {
	if c.out.V3 {
		c.out.Null()
	} else {
		c.out.Raw("*-1\r\n")
	}
}

// runQueue runs the queued commands. The reply is an array of their replies.
func (c *call) runQueue() {
	c.out.Array(len(c.tx.queue))
	for _, q := range c.tx.queue {
		c.srv.Stats.Commands++
		c.cmd, c.args = q.cmd, q.args
		c.run()
	}
}

// endTransaction forgets the queued commands and the watched keys.
func (s *Session) endTransaction() {
	s.unwatchAll()
	s.tx = transaction{}
}

// watch watches keys. Nothing is gained by it once a watched key has changed.
func watch(c *call) {
	if c.tx.open {
		c.fail("ERR WATCH inside MULTI is not allowed")
		return
	}
	if !c.tx.stale {
		for _, key := range c.args[1:] {
			c.watch(key)
		}
	}
	c.out.Simple("OK")
}

// watch removes the key first if it has expired, as that is no change to wait for.
func (c *call) watch(key []byte) {
	c.db.Get(key, c.now)
	w := &c.srv.watchers[c.Session.db]
	if len(*w) == 0 {
		*w = watchers{}
		c.db.OnChange(w.changed)
	}
	sessions := (*w)[string(key)]
	if _, already := sessions[c.Session]; already {
		return
	}
	name := string(key)
	if sessions == nil {
		sessions = make(map[*Session]struct{})
		(*w)[name] = sessions
	}
	sessions[c.Session] = struct{}{}
	c.tx.watches = append(c.tx.watches, watched{c.Session.db, name})
	c.tx.held += len(name) + watchedBytes
}

// changed makes the transactions of all sessions that watch a key fail.
func (w watchers) changed(key string) {
	for s := range w[key] {
		s.tx.stale = true
		s.unwatchAll()
	}
}

func unwatch(c *call) {
	c.unwatchAll()
	c.tx.stale = false
	c.out.Simple("OK")
}

// unwatchAll forgets the watched keys, but not that one has changed.
func (s *Session) unwatchAll() {
	for _, k := range s.tx.watches {
		w := s.srv.watchers[k.db]
		delete(w[k.key], s)
		if len(w[k.key]) == 0 {
			delete(w, k.key)
		}
		if len(w) == 0 {
			s.srv.Keys.DBs[k.db].OnChange(nil)
		}
		s.tx.held -= len(k.key) + watchedBytes
	}
	s.tx.watches = nil
}

// expireWatched removes the watched keys that have expired: a change as any other.
func (c *call) expireWatched() {
	for _, k := range c.tx.watches {
		c.srv.Keys.DBs[k.db].Get([]byte(k.key), c.now)
	}
}
