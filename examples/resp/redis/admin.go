package redis

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func timeNow(c *call) {
	c.out.Array(2)
	c.out.Text(strconv.FormatInt(c.us/1e6, 10))
	c.out.Text(strconv.FormatInt(c.us%1e6, 10))
}

// param is a parameter of CONFIG. There are those that tools ask for, with values that
// describe this server.
type param struct {
	name, value string
	set         func(value string) (why string) // returns why the value is not allowed; nil: immutable
	show        func() string                   // returns the value; nil: it is in value
}

func (p *param) current() string {
	if p.show != nil {
		return p.show()
	}
	return p.value
}

func newParams(cfg *Config, outputs *outputLimits) []param {
	return []param{
		{name: "appendonly", value: "no"},
		{name: "bind", value: ""},
		{name: "client-output-buffer-limit", set: outputs.set, show: outputs.String},
		{name: "databases", value: strconv.Itoa(cfg.Databases)},
		{name: "maxclients", value: strconv.Itoa(cfg.MaxClients)},
		{name: "maxmemory", value: "0"},
		{name: "maxmemory-policy", value: "noeviction"},
		{name: "port", value: "0"},
		{name: "proto-max-bulk-len", value: strconv.Itoa(cfg.MaxBulk)},
		{name: "requirepass", value: cfg.Password, set: func(v string) string { cfg.Password = v; return "" }},
		{name: "save", value: "", set: allowEmpty},
		{name: "timeout", value: "0"},
	}
}

func allowEmpty(v string) (why string) {
	if v != "" {
		return "argument is not allowed"
	}
	return ""
}

// configGet replies with the parameters that match. A parameter that is named without
// wildcards is shown as the caller wrote it.
func configGet(c *call) {
	var found []param
	for _, p := range c.srv.params {
		for _, pattern := range c.args[2:] {
			if match(strings.ToLower(string(pattern)), []byte(p.name)) {
				if is(pattern, p.name) {
					p.name = string(pattern)
				}
				found = append(found, p)
				break
			}
		}
	}
	c.out.Map(len(found))
	for _, p := range found {
		c.out.Text(p.name)
		c.out.Text(p.current())
	}
}

// configSet changes the named parameters. It changes none if one of the names or values is
// wrong.
func configSet(c *call) {
	if len(c.args)%2 != 0 {
		c.fail(errSyntax)
		return
	}
	var found []*param
	for i := 2; i < len(c.args); i += 2 {
		name := quoted(c.args[i], len(c.args[i]))
		p := c.srv.param(c.args[i])
		switch {
		case p == nil:
			c.fail("ERR Unknown option or number of arguments for CONFIG SET - '" + name + "'")
			return
		case p.set == nil:
			c.notSet(name, "can't set immutable config")
			return
		case slices.Contains(found, p):
			c.notSet(name, "duplicate parameter")
			return
		}
		found = append(found, p)
	}
	old := make([]string, len(found))
	for i, p := range found {
		old[i] = p.current()
		if why := p.set(string(c.args[3+2*i])); why != "" {
			c.notSet(quoted(c.args[2+2*i], len(c.args[2+2*i])), why)
			for j, changed := range found[:i] {
				changed.set(old[j])
			}
			return
		}
	}
	for i, p := range found {
		p.value = string(c.args[3+2*i])
	}
	c.out.Simple("OK")
}

func (c *call) notSet(name, why string) {
	c.fail("ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + why)
}

func (srv *Server) param(name []byte) *param {
	for i := range srv.params {
		if is(name, srv.params[i].name) {
			return &srv.params[i]
		}
	}
	return nil
}

func configResetstat(c *call) {
	c.srv.Stats = Stats{}
	c.out.Simple("OK")
}

func configRewrite(c *call) { c.fail("ERR The server is running without a config file") }

// info replies with the requested sections, or with all, in the order of sections.
func info(c *call) {
	var text strings.Builder
	for _, section := range sections {
		if !c.wants(section.name) {
			continue
		}
		if text.Len() > 0 {
			text.WriteString("\r\n")
		}
		text.WriteString("# " + section.name + "\r\n")
		section.write(c, func(name string, value any) {
			fmt.Fprintf(&text, "%s:%v\r\n", name, value)
		})
	}
	c.out.Verbatim("txt", text.String())
}

func (c *call) wants(section string) bool {
	for _, a := range c.args[1:] {
		if is(a, strings.ToLower(section)) || is(a, "all") || is(a, "everything") || is(a, "default") {
			return true
		}
	}
	return len(c.args) == 1
}

// sections are the parts of INFO.
var sections = []struct {
	name  string
	write func(c *call, field func(name string, value any))
}{
	{"Server", func(c *call, field func(string, any)) {
		field("redis_version", Version)
		field("redis_mode", "standalone")
		field("run_id", c.srv.runID)
		field("tcp_port", c.srv.listens.Port())
		field("server_time_usec", c.us)
		field("uptime_in_seconds", (c.us-c.srv.cfg.Started)/1e6)
		field("uptime_in_days", (c.us-c.srv.cfg.Started)/1e6/86400)
	}},
	{"Clients", func(c *call, field func(string, any)) {
		field("connected_clients", c.srv.clients)
		field("maxclients", c.srv.cfg.MaxClients)
		field("pubsub_clients", c.srv.subscribers())
	}},
	{"Stats", func(c *call, field func(string, any)) {
		s := &c.srv.Stats
		field("total_connections_received", c.srv.opened)
		field("total_commands_processed", s.Commands)
		field("total_net_input_bytes", s.BytesIn)
		field("total_net_output_bytes", s.BytesOut)
		field("rejected_connections", s.Rejected)
		field("expired_keys", c.srv.Keys.Expired())
		field("keyspace_hits", s.Hits)
		field("keyspace_misses", s.Misses)
		field("pubsub_channels", len(c.srv.channels.order))
		field("pubsub_patterns", len(c.srv.patterns.order))
		field("total_error_replies", s.Errors)
		field("client_query_timeout_disconnections", s.QueryTimeouts)
		field("client_output_buffer_limit_disconnections", s.OutputLimit)
	}},
	{"Replication", func(_ *call, field func(string, any)) {
		field("role", "master")
		field("connected_slaves", 0)
	}},
	{"Keyspace", func(c *call, field func(string, any)) {
		for i := range c.srv.Keys.DBs {
			if db := &c.srv.Keys.DBs[i]; db.Len() > 0 {
				field("db"+strconv.Itoa(i), fmt.Sprintf("keys=%d,expires=%d,avg_ttl=0", db.Len(), db.Timed()))
			}
		}
	}},
}

// subscribers returns the number of sessions that have subscriptions.
func (srv *Server) subscribers() (n int) {
	for s := srv.sessions; s != nil; s = s.older {
		if s.Subscribed() {
			n++
		}
	}
	return n
}

// commandAll replies with a description of every command.
func commandAll(c *call) {
	at, n := c.out.Mark(), 0
	for _, cmd := range c.srv.commands.list {
		if cmd.flags&hidden == 0 {
			c.describeCommand(cmd)
			n++
		}
	}
	c.out.InsertArray(at, n)
}

// help replies with the subcommands of a command.
func help(c *call) {
	container := c.srv.commands.find(c.args[0])
	c.out.Array(1 + 2*len(container.subs))
	c.out.Simple(upper(container.name) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
	for _, s := range container.subs {
		c.out.Simple(upper(s.name[len(container.name)+1:]))
		c.out.Simple("    " + s.about + ".")
	}
}

func commandCount(c *call) {
	n := 0
	for _, cmd := range c.srv.commands.list {
		if cmd.flags&hidden == 0 {
			n++
		}
	}
	c.out.Int(int64(n))
}

func commandInfo(c *call) {
	if len(c.args) == 2 {
		commandAll(c)
		return
	}
	c.out.Array(len(c.args) - 2)
	for _, name := range c.args[2:] {
		if cmd := c.lookup(name); cmd != nil {
			c.describeCommand(cmd)
		} else {
			c.out.Null()
		}
	}
}

func commandDocs(c *call) {
	var list []*command
	if len(c.args) == 2 {
		for _, cmd := range c.srv.commands.list {
			if cmd.flags&hidden == 0 {
				list = append(list, cmd)
			}
		}
	}
	for _, name := range c.args[2:] {
		if cmd := c.lookup(name); cmd != nil {
			list = append(list, cmd)
		}
	}
	c.out.Map(len(list))
	for _, cmd := range list {
		c.docs(cmd)
	}
}

// docs writes a command's name, summary and group, and those of its subcommands.
func (c *call) docs(cmd *command) {
	c.out.Text(cmd.name)
	c.out.Map(2 + min(len(cmd.subs), 1))
	c.out.Text("summary")
	c.out.Text(cmd.about)
	c.out.Text("group")
	c.out.Text(cmd.group)
	if cmd.subs != nil {
		c.out.Text("subcommands")
		c.out.Map(len(cmd.subs))
		for _, s := range cmd.subs {
			c.docs(s)
		}
	}
}

// commandList replies with the names of commands and subcommands: all, or those that match
// a filter.
func commandList(c *call) {
	wanted := func(*command) bool { return true }
	switch rest := c.args[2:]; {
	case len(rest) == 0:
	case len(rest) != 3 || !is(rest[0], "filterby"):
		c.fail(errSyntax)
		return
	case is(rest[1], "module"):
		wanted = func(*command) bool { return false } // there are none
	case is(rest[1], "aclcat"):
		category := "@" + strings.ToLower(string(rest[2]))
		wanted = func(cmd *command) bool { return slices.Contains(cmd.categories(), category) }
	case is(rest[1], "pattern"):
		pattern := strings.ToLower(string(rest[2]))
		wanted = func(cmd *command) bool { return match(pattern, []byte(cmd.name)) }
	default:
		c.fail(errSyntax)
		return
	}
	at, n := c.out.Mark(), 0
	add := func(cmd *command) {
		if cmd.flags&hidden == 0 && wanted(cmd) {
			c.out.Text(cmd.name)
			n++
		}
	}
	for _, cmd := range c.srv.commands.list {
		add(cmd)
		for _, s := range cmd.subs {
			add(s)
		}
	}
	c.out.InsertArray(at, n)
}

// lookup finds a command or, by a name such as "client|id", a subcommand. It returns nil if
// there is none, or if it is hidden.
func (c *call) lookup(name []byte) *command {
	container, sub, nested := strings.Cut(string(name), "|")
	cmd := c.srv.commands.find([]byte(container))
	if cmd != nil && nested {
		cmd = cmd.sub([]byte(sub))
	}
	if cmd == nil || cmd.flags&hidden != 0 {
		return nil
	}
	return cmd
}

// describeCommand writes a command's arity, flags, keys and categories. The hints and the
// newer description of keys stay empty.
func (c *call) describeCommand(cmd *command) {
	c.out.Array(10)
	c.out.Text(cmd.name)
	c.out.Int(int64(cmd.arity))
	at, n := c.out.Mark(), 0
	for _, f := range flagNames {
		if cmd.flags&f.flag != 0 {
			c.out.Simple(f.name)
			n++
		}
	}
	c.out.InsertSet(at, n)
	c.out.Int(int64(cmd.keys.first))
	c.out.Int(int64(cmd.keys.last))
	c.out.Int(int64(cmd.keys.step))
	at, n = c.out.Mark(), 0
	for _, name := range cmd.categories() {
		c.out.Simple(name)
		n++
	}
	c.out.InsertSet(at, n)
	c.out.Array(0)
	c.out.Array(0)
	c.out.Array(len(cmd.subs))
	for _, s := range cmd.subs {
		c.describeCommand(s)
	}
}

// categories returns a command's ACL categories, which follow from its flags and group.
func (cmd *command) categories() (names []string) {
	add := func(when bool, name string) {
		if when {
			names = append(names, name)
		}
	}
	f := cmd.flags
	add(f&(write|readonly) != 0 && cmd.group != "string", "@keyspace")
	add(f&readonly != 0, "@read")
	add(f&write != 0, "@write")
	add(cmd.group == "string", "@string")
	add(f&pubsub != 0, "@pubsub")
	add(f&admin != 0, "@admin")
	add(f&fast != 0, "@fast")
	add(f&fast == 0, "@slow")
	add(f&(admin|dangerous) != 0, "@dangerous")
	add(cmd.group == "transactions", "@transaction")
	add(cmd.subs == nil && cmd.group == "connection" || strings.HasPrefix(cmd.name, "command"), "@connection")
	return names
}
