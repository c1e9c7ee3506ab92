package redis

// rows are all commands. They are built by a function, as handlers that list
// commands would make a package-level table depend on itself.
func rows() []*command {
	session := noscript | loading | stale | fast | noAuth | allowBusy
	listener := pubsub | noscript | loading | stale | whileSubscribed
	var list []*command
	add := func(group string, rows ...command) {
		for i := range rows {
			rows[i].group = group
			if rows[i].subs != nil {
				rows[i].subs = append(rows[i].subs, &command{name: rows[i].name + "|help", arity: 2, flags: loading | stale, run: help,
					about: "Tell the subcommands"})
			}
			for _, s := range rows[i].subs {
				s.group = group
			}
			list = append(list, &rows[i])
		}
	}
	add("string",
		command{name: "get", arity: 2, flags: readonly | fast, keys: oneKey, run: get, about: "Tell a key's value"},
		command{name: "set", arity: -3, flags: write | denyoom, keys: oneKey, run: set, about: "Give a key a value"},
		command{name: "getset", arity: 3, flags: write | denyoom | fast, keys: oneKey, run: getset, about: "Give a key a value and tell the old one"},
		command{name: "getdel", arity: 2, flags: write | fast, keys: oneKey, run: getdel, about: "Tell a key's value and delete it"},
		command{name: "getex", arity: -2, flags: write | fast, keys: oneKey, run: getex, about: "Tell a key's value and set its expiry"},
		command{name: "setnx", arity: 3, flags: write | denyoom | fast, keys: oneKey, run: setnx, about: "Give a key a value if there is no such key"},
		command{name: "setex", arity: 4, flags: write | denyoom, keys: oneKey, run: setex, about: "Give a key a value for some seconds"},
		command{name: "psetex", arity: 4, flags: write | denyoom, keys: oneKey, run: psetex, about: "Give a key a value for some milliseconds"},
		command{name: "incr", arity: 2, flags: write | denyoom | fast, keys: oneKey, run: incr, about: "Add one to a key's number"},
		command{name: "decr", arity: 2, flags: write | denyoom | fast, keys: oneKey, run: decr, about: "Take one from a key's number"},
		command{name: "incrby", arity: 3, flags: write | denyoom | fast, keys: oneKey, run: incrby, about: "Add to a key's number"},
		command{name: "decrby", arity: 3, flags: write | denyoom | fast, keys: oneKey, run: decrby, about: "Take from a key's number"},
		command{name: "incrbyfloat", arity: 3, flags: write | denyoom | fast, keys: oneKey, run: incrbyfloat, about: "Add a fraction to a key's number"},
		command{name: "append", arity: 3, flags: write | denyoom | fast, keys: oneKey, run: appendTo, about: "Append to a key's value"},
		command{name: "strlen", arity: 2, flags: readonly | fast, keys: oneKey, run: strlen, about: "Tell the length of a key's value"},
		command{name: "getrange", arity: 4, flags: readonly, keys: oneKey, run: getrange, about: "Tell a part of a key's value"},
		command{name: "substr", arity: 4, flags: readonly, keys: oneKey, run: getrange, about: "The former name of GETRANGE"},
		command{name: "setrange", arity: 4, flags: write | denyoom, keys: oneKey, run: setrange, about: "Overwrite a part of a key's value"},
		command{name: "mget", arity: -2, flags: readonly | fast, keys: allKeys, run: mget, about: "Tell the values of keys"},
		command{name: "mset", arity: -3, flags: write | denyoom, keys: pairs, run: mset, about: "Give keys values"},
		command{name: "msetnx", arity: -3, flags: write | denyoom, keys: pairs, run: msetnx, about: "Give keys values if there is none of them"},
	)
	add("generic",
		command{name: "del", arity: -2, flags: write, keys: allKeys, run: del, about: "Delete keys"},
		command{name: "unlink", arity: -2, flags: write | fast, keys: allKeys, run: del, about: "Delete keys"},
		command{name: "exists", arity: -2, flags: readonly | fast, keys: allKeys, run: exists, about: "Count which keys there are"},
		command{name: "touch", arity: -2, flags: readonly | fast, keys: allKeys, run: exists, about: "Count which keys there are"},
		command{name: "expire", arity: -3, flags: write | fast, keys: oneKey, run: expire, about: "Let a key expire in some seconds"},
		command{name: "pexpire", arity: -3, flags: write | fast, keys: oneKey, run: pexpire, about: "Let a key expire in some milliseconds"},
		command{name: "expireat", arity: -3, flags: write | fast, keys: oneKey, run: expireat, about: "Let a key expire at a second of Unix time"},
		command{name: "pexpireat", arity: -3, flags: write | fast, keys: oneKey, run: pexpireat, about: "Let a key expire at a millisecond of Unix time"},
		command{name: "ttl", arity: 2, flags: readonly | fast, keys: oneKey, run: ttl, about: "Tell in how many seconds a key expires"},
		command{name: "pttl", arity: 2, flags: readonly | fast, keys: oneKey, run: pttl, about: "Tell in how many milliseconds a key expires"},
		command{name: "expiretime", arity: 2, flags: readonly | fast, keys: oneKey, run: expiretime, about: "Tell the second at which a key expires"},
		command{name: "pexpiretime", arity: 2, flags: readonly | fast, keys: oneKey, run: pexpiretime, about: "Tell the millisecond at which a key expires"},
		command{name: "persist", arity: 2, flags: write | fast, keys: oneKey, run: persist, about: "Let a key not expire"},
		command{name: "type", arity: 2, flags: readonly | fast, keys: oneKey, run: typeOf, about: "Tell the type of a key's value"},
		command{name: "keys", arity: 2, flags: readonly | dangerous, run: keys, about: "List the keys that match a pattern"},
		command{name: "scan", arity: -2, flags: readonly, run: scan, about: "List the keys, some at a time"},
		command{name: "randomkey", arity: 1, flags: readonly, run: randomkey, about: "Tell any key"},
		command{name: "rename", arity: 3, flags: write, keys: twoKeys, run: rename, about: "Rename a key, over another if need be"},
		command{name: "renamenx", arity: 3, flags: write | fast, keys: twoKeys, run: renamenx, about: "Rename a key if the new name is free"},
	)
	add("server",
		command{name: "dbsize", arity: 1, flags: readonly | fast, run: dbsize, about: "Count the keys of this database"},
		command{name: "flushall", arity: -1, flags: write | dangerous, run: flushall, about: "Delete all keys of all databases"},
		command{name: "flushdb", arity: -1, flags: write | dangerous, run: flushdb, about: "Delete all keys of this database"},
		command{name: "info", arity: -1, flags: loading | stale | dangerous, run: info, about: "Tell about the server"},
		command{name: "time", arity: 1, flags: loading | stale | fast, run: timeNow, about: "Tell the time"},
		command{name: "command", arity: -1, flags: loading | stale, run: commandAll, about: "Tell about commands", subs: []*command{
			{name: "command|count", arity: 2, flags: loading | stale, run: commandCount, about: "Count the commands"},
			{name: "command|docs", arity: -2, flags: loading | stale, run: commandDocs, about: "Tell what commands do"},
			{name: "command|info", arity: -2, flags: loading | stale, run: commandInfo, about: "Tell the shape of commands"},
			{name: "command|list", arity: -2, flags: loading | stale, run: commandList, about: "List the names of commands"},
		}},
		command{name: "config", arity: -2, run: nil, about: "The configuration", subs: []*command{
			{name: "config|get", arity: -3, flags: admin | noscript | loading | stale, run: configGet, about: "Tell parameters"},
			{name: "config|set", arity: -4, flags: admin | noscript | loading | stale, run: configSet, about: "Change parameters"},
			{name: "config|resetstat", arity: 2, flags: admin | noscript | loading | stale, run: configResetstat, about: "Set the counters to zero"},
			{name: "config|rewrite", arity: 2, flags: admin | noscript | loading | stale, run: configRewrite, about: "There is no file to write"},
		}},
	)
	add("connection",
		command{name: "ping", arity: -1, flags: fast | whileSubscribed, run: ping, about: "Answer"},
		command{name: "echo", arity: 2, flags: loading | stale | fast, run: echo, about: "Answer with an argument"},
		command{name: "select", arity: 2, flags: loading | stale | fast, run: selectDB, about: "Choose a database"},
		command{name: "hello", arity: -1, flags: session, run: hello, about: "Choose the protocol"},
		command{name: "auth", arity: -2, flags: session, run: auth, about: "Give the password"},
		command{name: "reset", arity: 1, flags: session | whileSubscribed, run: reset, about: "Begin anew"},
		command{name: "quit", arity: -1, flags: session | whileSubscribed, run: quit, about: "End the connection"},
		command{name: "client", arity: -2, run: nil, about: "The connections", subs: []*command{
			{name: "client|id", arity: 2, flags: noscript | loading | stale, run: clientID, about: "Tell this connection's number"},
			{name: "client|getname", arity: 2, flags: noscript | loading | stale, run: clientGetname, about: "Tell this connection's name"},
			{name: "client|setname", arity: 3, flags: noscript | loading | stale, run: clientSetname, about: "Name this connection"},
			{name: "client|setinfo", arity: 4, flags: noscript | loading | stale, run: clientSetinfo, about: "Say what library the client uses"},
			{name: "client|info", arity: 2, flags: noscript | loading | stale, run: clientInfo, about: "Tell about this connection"},
			{name: "client|list", arity: -2, flags: admin | noscript | loading | stale, run: clientList, about: "Tell about the connections"},
			{name: "client|kill", arity: -3, flags: admin | noscript | loading | stale, run: clientKill, about: "End connections"},
			{name: "client|no-evict", arity: 3, flags: admin | noscript | loading | stale, run: clientNoEvict, about: "Nothing is evicted anyway"},
		}},
	)
	add("pubsub",
		command{name: "subscribe", arity: -2, flags: listener, run: subscribe, about: "Listen to channels"},
		command{name: "psubscribe", arity: -2, flags: listener, run: psubscribe, about: "Listen to channels that match patterns"},
		command{name: "unsubscribe", arity: -1, flags: listener, run: unsubscribe, about: "Leave channels"},
		command{name: "punsubscribe", arity: -1, flags: listener, run: punsubscribe, about: "Leave patterns"},
		command{name: "publish", arity: 3, flags: pubsub | loading | stale | fast, run: publish, about: "Send to all who listen to a channel"},
		command{name: "pubsub", arity: -2, run: nil, about: "The channels", subs: []*command{
			{name: "pubsub|channels", arity: -2, flags: pubsub | loading | stale, run: pubsubChannels, about: "List the channels listened to"},
			{name: "pubsub|numsub", arity: -2, flags: pubsub | loading | stale, run: pubsubNumsub, about: "Count who listens to channels"},
			{name: "pubsub|numpat", arity: 2, flags: pubsub | loading | stale, run: pubsubNumpat, about: "Count the patterns"},
		}},
	)
	add("hidden",
		command{name: "post", arity: -1, flags: noAuth | hidden | whileSubscribed, run: hangUp},
		command{name: "host:", arity: -1, flags: noAuth | hidden | whileSubscribed, run: hangUp},
	)
	return list
}
