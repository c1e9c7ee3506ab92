package redis

// rows returns all commands. It is a function because some handlers list the commands: as a
// package-level variable the table would refer to itself.
func rows() []*command {
	session := noscript | loading | stale | fast | noAuth | allowBusy
	listener := pubsub | noscript | loading | stale | whileSubscribed
	var list []*command
	add := func(group string, rows ...command) {
		for i := range rows {
			rows[i].group = group
			if rows[i].subs != nil {
				rows[i].subs = append(rows[i].subs, &command{name: rows[i].name + "|help", arity: 2, flags: loading | stale, run: help,
					about: "Show the subcommands"})
			}
			for _, s := range rows[i].subs {
				s.group = group
			}
			list = append(list, &rows[i])
		}
	}
	add("string",
		command{name: "get", arity: 2, flags: readonly | fast, keys: oneKey, run: get, about: "Return the value of a key"},
		command{name: "set", arity: -3, flags: write | denyoom, keys: oneKey, run: set, about: "Set the value of a key"},
		command{name: "getset", arity: 3, flags: write | denyoom | fast, keys: oneKey, run: getset, about: "Set the value of a key and return the old one"},
		command{name: "getdel", arity: 2, flags: write | fast, keys: oneKey, run: getdel, about: "Return the value of a key and delete the key"},
		command{name: "getex", arity: -2, flags: write | fast, keys: oneKey, run: getex, about: "Return the value of a key and change its expiry"},
		command{name: "setnx", arity: 3, flags: write | denyoom | fast, keys: oneKey, run: setnx, about: "Set the value of a key that does not exist"},
		command{name: "setex", arity: 4, flags: write | denyoom, keys: oneKey, run: setex, about: "Set the value of a key that expires after some seconds"},
		command{name: "psetex", arity: 4, flags: write | denyoom, keys: oneKey, run: psetex, about: "Set the value of a key that expires after some milliseconds"},
		command{name: "incr", arity: 2, flags: write | denyoom | fast, keys: oneKey, run: incr, about: "Add one to the integer value of a key"},
		command{name: "decr", arity: 2, flags: write | denyoom | fast, keys: oneKey, run: decr, about: "Subtract one from the integer value of a key"},
		command{name: "incrby", arity: 3, flags: write | denyoom | fast, keys: oneKey, run: incrby, about: "Add an integer to the value of a key"},
		command{name: "decrby", arity: 3, flags: write | denyoom | fast, keys: oneKey, run: decrby, about: "Subtract an integer from the value of a key"},
		command{name: "incrbyfloat", arity: 3, flags: write | denyoom | fast, keys: oneKey, run: incrbyfloat, about: "Add a floating-point number to the value of a key"},
		command{name: "append", arity: 3, flags: write | denyoom | fast, keys: oneKey, run: appendTo, about: "Append to the value of a key"},
		command{name: "strlen", arity: 2, flags: readonly | fast, keys: oneKey, run: strlen, about: "Return the length of a value"},
		command{name: "getrange", arity: 4, flags: readonly, keys: oneKey, run: getrange, about: "Return a part of a value"},
		command{name: "substr", arity: 4, flags: readonly, keys: oneKey, run: getrange, about: "The former name of GETRANGE"},
		command{name: "setrange", arity: 4, flags: write | denyoom, keys: oneKey, run: setrange, about: "Overwrite a part of a value"},
		command{name: "mget", arity: -2, flags: readonly | fast, keys: allKeys, run: mget, about: "Return the values of keys"},
		command{name: "mset", arity: -3, flags: write | denyoom, keys: pairs, run: mset, about: "Set the values of keys"},
		command{name: "msetnx", arity: -3, flags: write | denyoom, keys: pairs, run: msetnx, about: "Set the values of keys if none of them exists"},
	)
	add("generic",
		command{name: "del", arity: -2, flags: write, keys: allKeys, run: del, about: "Delete keys"},
		command{name: "unlink", arity: -2, flags: write | fast, keys: allKeys, run: del, about: "Delete keys"},
		command{name: "exists", arity: -2, flags: readonly | fast, keys: allKeys, run: exists, about: "Count the keys that exist"},
		command{name: "touch", arity: -2, flags: readonly | fast, keys: allKeys, run: exists, about: "Count the keys that exist"},
		command{name: "expire", arity: -3, flags: write | fast, keys: oneKey, run: expire, about: "Set the expiry of a key in seconds from now"},
		command{name: "pexpire", arity: -3, flags: write | fast, keys: oneKey, run: pexpire, about: "Set the expiry of a key in milliseconds from now"},
		command{name: "expireat", arity: -3, flags: write | fast, keys: oneKey, run: expireat, about: "Set the expiry of a key in seconds of Unix time"},
		command{name: "pexpireat", arity: -3, flags: write | fast, keys: oneKey, run: pexpireat, about: "Set the expiry of a key in milliseconds of Unix time"},
		command{name: "ttl", arity: 2, flags: readonly | fast, keys: oneKey, run: ttl, about: "Return the seconds until a key expires"},
		command{name: "pttl", arity: 2, flags: readonly | fast, keys: oneKey, run: pttl, about: "Return the milliseconds until a key expires"},
		command{name: "expiretime", arity: 2, flags: readonly | fast, keys: oneKey, run: expiretime, about: "Return when a key expires, in seconds of Unix time"},
		command{name: "pexpiretime", arity: 2, flags: readonly | fast, keys: oneKey, run: pexpiretime, about: "Return when a key expires, in milliseconds of Unix time"},
		command{name: "persist", arity: 2, flags: write | fast, keys: oneKey, run: persist, about: "Remove the expiry of a key"},
		command{name: "type", arity: 2, flags: readonly | fast, keys: oneKey, run: typeOf, about: "Return the type of a value"},
		command{name: "keys", arity: 2, flags: readonly | dangerous, run: keys, about: "List the keys that match a pattern"},
		command{name: "scan", arity: -2, flags: readonly, run: scan, about: "List the keys, some at a time"},
		command{name: "randomkey", arity: 1, flags: readonly, run: randomkey, about: "Return a random key"},
		command{name: "rename", arity: 3, flags: write, keys: twoKeys, run: rename, about: "Rename a key and overwrite the new name"},
		command{name: "renamenx", arity: 3, flags: write | fast, keys: twoKeys, run: renamenx, about: "Rename a key if the new name does not exist"},
	)
	add("server",
		command{name: "dbsize", arity: 1, flags: readonly | fast, run: dbsize, about: "Count the keys of this database"},
		command{name: "flushall", arity: -1, flags: write | dangerous, run: flushall, about: "Delete all keys of all databases"},
		command{name: "flushdb", arity: -1, flags: write | dangerous, run: flushdb, about: "Delete all keys of this database"},
		command{name: "info", arity: -1, flags: loading | stale | dangerous, run: info, about: "Show information about the server"},
		command{name: "time", arity: 1, flags: loading | stale | fast, run: timeNow, about: "Return the server's time"},
		command{name: "command", arity: -1, flags: loading | stale, run: commandAll, about: "Describe the commands", subs: []*command{
			{name: "command|count", arity: 2, flags: loading | stale, run: commandCount, about: "Count the commands"},
			{name: "command|docs", arity: -2, flags: loading | stale, run: commandDocs, about: "Show what commands do"},
			{name: "command|info", arity: -2, flags: loading | stale, run: commandInfo, about: "Show the arity, flags and keys of commands"},
			{name: "command|list", arity: -2, flags: loading | stale, run: commandList, about: "List the names of commands"},
		}},
		command{name: "config", arity: -2, run: nil, about: "Read or change the configuration", subs: []*command{
			{name: "config|get", arity: -3, flags: admin | noscript | loading | stale, run: configGet, about: "Show parameters"},
			{name: "config|set", arity: -4, flags: admin | noscript | loading | stale, run: configSet, about: "Change parameters"},
			{name: "config|resetstat", arity: 2, flags: admin | noscript | loading | stale, run: configResetstat, about: "Reset the counters"},
			{name: "config|rewrite", arity: 2, flags: admin | noscript | loading | stale, run: configRewrite, about: "Fail, as there is no configuration file"},
		}},
	)
	add("connection",
		command{name: "ping", arity: -1, flags: fast | whileSubscribed, run: ping, about: "Reply with PONG"},
		command{name: "echo", arity: 2, flags: loading | stale | fast, run: echo, about: "Reply with the argument"},
		command{name: "select", arity: 2, flags: loading | stale | fast, run: selectDB, about: "Select a database"},
		command{name: "hello", arity: -1, flags: session, run: hello, about: "Select the protocol version"},
		command{name: "auth", arity: -2, flags: session, run: auth, about: "Authenticate with the password"},
		command{name: "reset", arity: 1, flags: session | whileSubscribed | unqueued, run: reset, about: "Reset the connection"},
		command{name: "quit", arity: -1, flags: session | whileSubscribed | unqueued, run: quit, about: "Close the connection"},
		command{name: "client", arity: -2, run: nil, about: "Manage connections", subs: []*command{
			{name: "client|id", arity: 2, flags: noscript | loading | stale, run: clientID, about: "Return the ID of this connection"},
			{name: "client|getname", arity: 2, flags: noscript | loading | stale, run: clientGetname, about: "Return the name of this connection"},
			{name: "client|setname", arity: 3, flags: noscript | loading | stale, run: clientSetname, about: "Set the name of this connection"},
			{name: "client|setinfo", arity: 4, flags: noscript | loading | stale, run: clientSetinfo, about: "Set the name or version of the client's library"},
			{name: "client|info", arity: 2, flags: noscript | loading | stale, run: clientInfo, about: "Describe this connection"},
			{name: "client|list", arity: -2, flags: admin | noscript | loading | stale, run: clientList, about: "List the connections"},
			{name: "client|kill", arity: -3, flags: admin | noscript | loading | stale, run: clientKill, about: "Close connections"},
			{name: "client|no-evict", arity: 3, flags: admin | noscript | loading | stale, run: clientNoEvict, about: "Accepted without effect"},
		}},
	)
	add("pubsub",
		command{name: "subscribe", arity: -2, flags: listener, run: subscribe, about: "Subscribe to channels"},
		command{name: "psubscribe", arity: -2, flags: listener, run: psubscribe, about: "Subscribe to channels by pattern"},
		command{name: "unsubscribe", arity: -1, flags: listener, run: unsubscribe, about: "Unsubscribe from channels"},
		command{name: "punsubscribe", arity: -1, flags: listener, run: punsubscribe, about: "Unsubscribe from patterns"},
		command{name: "publish", arity: 3, flags: pubsub | loading | stale | fast, run: publish, about: "Publish a message to a channel"},
		command{name: "pubsub", arity: -2, run: nil, about: "Inspect subscriptions", subs: []*command{
			{name: "pubsub|channels", arity: -2, flags: pubsub | loading | stale, run: pubsubChannels, about: "List the channels that have subscribers"},
			{name: "pubsub|numsub", arity: -2, flags: pubsub | loading | stale, run: pubsubNumsub, about: "Count the subscribers of channels"},
			{name: "pubsub|numpat", arity: 2, flags: pubsub | loading | stale, run: pubsubNumpat, about: "Count the patterns that have subscribers"},
		}},
	)
	tx := noscript | loading | stale
	add("transactions",
		command{name: "multi", arity: 1, flags: tx | fast | allowBusy | unqueued, run: multi, about: "Begin a transaction"},
		command{name: "exec", arity: 1, flags: tx | skipSlowlog | unqueued, run: exec, about: "Run the commands of a transaction"},
		command{name: "discard", arity: 1, flags: tx | fast | allowBusy | unqueued, run: discard, about: "Forget the commands of a transaction"},
		command{name: "watch", arity: -2, flags: tx | fast | allowBusy | unqueued, keys: allKeys, run: watch, about: "Make the next transaction fail if a key changes before it"},
		command{name: "unwatch", arity: 1, flags: tx | fast | allowBusy, run: unwatch, about: "Forget the watched keys"},
	)
	add("hidden",
		command{name: "post", arity: -1, flags: noAuth | hidden | whileSubscribed | unqueued, run: hangUp},
		command{name: "host:", arity: -1, flags: noAuth | hidden | whileSubscribed | unqueued, run: hangUp},
	)
	return list
}
