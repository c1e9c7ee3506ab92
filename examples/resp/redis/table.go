package redis

// command is a row of the table of commands: what COMMAND shows and what runs it.
type command struct {
	name  string // in lower case; a subcommand's with its container's, such as "client|id"
	arity int    // number of arguments, including the name; negative: at least that many
	flags flags
	keys  span // which arguments are keys
	run   func(*call)
	group string
	about string
	subs  []*command
	next  *command // in the same bucket of the table
}

// span says which arguments are keys: every step-th one from first to last. A last of -1 is
// the last argument.
type span struct{ first, last, step int }

var (
	oneKey  = span{1, 1, 1}
	twoKeys = span{1, 2, 1}
	allKeys = span{1, -1, 1}
	pairs   = span{1, -1, 2}
)

type flags uint16

const (
	write flags = 1 << iota
	readonly
	denyoom
	admin
	pubsub
	noscript
	loading
	stale
	fast
	noAuth
	allowBusy
	dangerous       // only adds the category
	hidden          // COMMAND does not show it
	whileSubscribed // allowed for a RESP2 client with subscriptions
	unqueued        // runs at once between MULTI and EXEC
	skipSlowlog
)

// flagNames lists the flags that COMMAND INFO shows, in its order.
var flagNames = []struct {
	flag flags
	name string
}{
	{write, "write"}, {readonly, "readonly"}, {denyoom, "denyoom"}, {admin, "admin"}, {pubsub, "pubsub"},
	{noscript, "noscript"}, {loading, "loading"}, {stale, "stale"}, {skipSlowlog, "skip_slowlog"}, {fast, "fast"},
	{noAuth, "no_auth"}, {allowBusy, "allow_busy"},
}

// table finds commands by name. Names are not case-sensitive.
type table struct {
	buckets [256]*command
	list    []*command // in the order of the rows
}

func newTable() (t table) {
	t.list = rows()
	for _, cmd := range t.list {
		b := &t.buckets[bucket([]byte(cmd.name))]
		cmd.next, *b = *b, cmd
	}
	return t
}

// bucket returns a hash of a name that does not depend on the case of its letters.
func bucket(name []byte) uint8 {
	h := uint32(len(name))
	for _, c := range name {
		h = h*31 + uint32(c|0x20)
	}
	return uint8(h ^ h>>8)
}

// find returns the command with that name, or nil.
func (t *table) find(name []byte) *command {
	if len(name) > 16 {
		return nil
	}
	for cmd := t.buckets[bucket(name)]; cmd != nil; cmd = cmd.next {
		if is(name, cmd.name) {
			return cmd
		}
	}
	return nil
}

// sub returns the subcommand with that name, or nil.
func (cmd *command) sub(name []byte) *command {
	for _, s := range cmd.subs {
		if is(name, s.name[len(cmd.name)+1:]) {
			return s
		}
	}
	return nil
}
