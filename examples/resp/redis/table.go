package redis

// command is a row of the table: what COMMAND tells, and what runs it.
type command struct {
	name  string // in lower case; of a subcommand with its container, "client|id"
	arity int    // arguments with the name; negative: that many or more
	flags flags
	keys  span // where keys stand among the arguments
	run   func(*call)
	group string
	about string
	subs  []*command
	next  *command // in the table's chain
}

// span is where a command has its keys: from first to last, a step apart;
// last -1 is the last argument.
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
	dangerous       // in the category of that name
	hidden          // COMMAND does not tell it
	whileSubscribed // allowed to a RESP2 client that is subscribed
)

// flagNames are the names of the flags that COMMAND INFO tells, in its order.
var flagNames = []struct {
	flag flags
	name string
}{
	{write, "write"}, {readonly, "readonly"}, {denyoom, "denyoom"}, {admin, "admin"}, {pubsub, "pubsub"},
	{noscript, "noscript"}, {loading, "loading"}, {stale, "stale"}, {fast, "fast"},
	{noAuth, "no_auth"}, {allowBusy, "allow_busy"},
}

// table finds commands by their names, in any case of letters.
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

// bucket is a hash that takes letters of both cases for one.
func bucket(name []byte) uint8 {
	h := uint32(len(name))
	for _, c := range name {
		h = h*31 + uint32(c|0x20)
	}
	return uint8(h ^ h>>8)
}

// find answers nil for a name that no command has.
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

// sub finds a subcommand.
func (cmd *command) sub(name []byte) *command {
	for _, s := range cmd.subs {
		if is(name, s.name[len(cmd.name)+1:]) {
			return s
		}
	}
	return nil
}
