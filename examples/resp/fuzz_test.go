package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/examples/resp/wire"
	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// tiny has limits that a few short commands reach.
func tiny() config {
	return config{addr: ":6379", epoch: time.Unix(1_700_000_000, 0), seed: 7, timers: 16,
		limits: limits{clients: 8, bulk: 50_000, output: 150_000, input: 1 << 20, patience: time.Minute, mail: 2}}
}

// Each client has a server of its own, and must get the replies of a naive model, however
// its bytes are divided into pieces.
func TestFuzzCommands(t *testing.T) {
	t.Parallel()
	fuzz.Run(t, lonely())
}

func FuzzCommands(f *testing.F) { fuzz.Native(f, lonely()) }

func lonely() fuzz.Spec {
	c := tiny()
	rows := connRows(c.limits)
	rows[fsm.Any].OnEnter = (*conn).openAlone
	kind := reactor.Must(reactor.NewKind("client", connOptions(c.limits), rows))
	key, value := "key", letters(17_000, 'v') // long enough to be sent by reference
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", c.addr, conn{})
			return err
		},
		Dict: []string{
			command("PING"), command("ping", "x"), command("PING", "x", "y"), command("ECHO", ""), command("ECHO", letters(30_000, 'e')),
			command("GET", key), command("SET", key, "41"), command("SET", key, value), command("SET", key), command("DEL", key, "n", key),
			command("INCR", key), command("INCR", "n"), command("APPEND", key, value), command("APPEND", "n", "0"), command("STRLEN", key),
			command("EXISTS", key, "n", key), command("QUIT"), command("nothing", "a", "\r\n"), "get key\r\n", "set n 9223372036854775807\n",
			command("SET", key, value) + command("GET", key) + command("PING"), // and incomplete or invalid commands:
			"*1\r\n$4\r\nPI", "NG\r\n", "*2\r\n$4\r\nECHO\r\n$2", "0\r\n", "*2\r\n$4\r\necho\r\n$40000\r\n", value, value, "\r\n", "*0\r\n",
			"echo \"a\\x41\" \r\n", "\x00\r\n", "echo 'a", "*x\r\n", "*1\r\n$-1\r\n", "*1\r\n$99999\r\n", "*1\r\n+1\r\n", "*3000000\r\n",
		},
		Oracles:  []fuzz.Oracle{fuzz.PerConn("a naive server", naiveModel(wire.Limits{MaxBulk: c.limits.bulk}))},
		Isolated: true,
	}
}

func (c *conn) openAlone(cx *cx) fsm.State {
	c.server = newServer(tiny(), nil)
	return c.open(cx)
}

// All clients share one server: they publish, let keys expire, watch them and leave. No
// model predicts the replies; the other oracles judge the runs.
func TestFuzzTogether(t *testing.T) {
	t.Parallel()
	fuzz.Run(t, together())
}

// CLIENT LIST shows how much of a client's input has arrived, and limits of the output count
// the replies to all of it. So both depend on how the input was divided into pieces. Output
// beyond a limit is dropped, as Redis drops it.
func TestFuzzBuffers(t *testing.T) {
	t.Parallel()
	s := together()
	s.Dict = append(s.Dict, command("CLIENT", "LIST"),
		command("CONFIG", "SET", "client-output-buffer-limit", "normal 60000 20000 0 pubsub 20000 0 0"))
	s.Without = fuzz.Segmentation | fuzz.LostOutput
	fuzz.Run(t, s)
}

func FuzzTogether(f *testing.F) { fuzz.Native(f, together()) }

func together() fuzz.Spec {
	long := letters(17_000, 'l') // long enough to be sent by reference
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, _, err := start(w.Loop(0), tiny())
			return err
		},
		Dict: []string{
			command("SUBSCRIBE", "c", "d"), command("PSUBSCRIBE", "*", "c*"), command("UNSUBSCRIBE"), command("PUNSUBSCRIBE", "*"),
			command("PUBLISH", "c", "m"), command("PUBLISH", "d", letters(20_000, 'm')), command("PUBSUB", "CHANNELS"), command("PUBSUB", "NUMSUB", "c"),
			command("SET", "k", "1", "PX", "150"), command("SET", "l", long, "EX", "2"), command("EXPIRE", "k", "3"),
			command("PERSIST", "l"), command("PTTL", "k"), command("TIME"), command("KEYS", "*"), command("SCAN", "0", "COUNT", "1"),
			command("RANDOMKEY"), command("DBSIZE"), command("GET", "l"), command("MGET", "l", "k", "l", "l", "l", "l"), command("INCR", "n"),
			command("SELECT", "1"), command("FLUSHALL"), command("HELLO", "3"), command("RESET"), command("QUIT"),
			command("MULTI"), command("EXEC"), command("WATCH", "k"), command("DISCARD"), "*1\r\n$5\r\nMULTI\r\n" + command("GET", "l") + command("EXEC"),
			command("CONFIG", "SET", "requirepass", "p"), command("AUTH", "p"), command("CONFIG", "SET", "requirepass", ""),
			command("SET", "l", long) + command("GET", "l"), strings.Repeat(command("PUBLISH", "c", "m"), 5), "*1\r\n$4\r\nPI", "NG\r\n", "*x\r\n",
			command("CLIENT", "KILL", "TYPE", "pubsub"), command("CLIENT", "KILL", "TYPE", "normal"), command("CLIENT", "KILL", "USER", "default", "SKIPME", "no"),
		},
		Config: reactor.Config{Slots: 16},
	}
}

// naive is a server of one client.
type naive struct {
	keys map[string]string
	over bool // it has said goodbye
}

// sentence is a command, or an error of the protocol.
type sentence struct {
	args  []string
	error string
}

func naiveModel(l wire.Limits) fuzz.Model[naive, sentence] {
	args := wire.NewArgs(l)
	return fuzz.Model[naive, sentence]{
		New: func() naive { return naive{keys: map[string]string{}} },
		Input: func(in []byte) (s sentence, n int, ok bool) {
			var p wire.Parser // new for each command, so it gets all bytes at once
			list, n, err := p.Next(in, args)
			if err != nil {
				return sentence{error: err.Error()}, len(in), true
			}
			for _, a := range list {
				s.args = append(s.args, string(a))
			}
			return s, n, list != nil
		},
		Step: (*naive).step,
		Over: func(m naive) bool { return m.over },
	}
}

func (m *naive) step(s sentence) string {
	switch {
	case m.over:
		return ""
	case s.error != "":
		m.over = true
		return "-" + s.error + "\r\n"
	}
	name := strings.ToLower(s.args[0])
	least, most := 0, 0
	switch name {
	case "ping":
		least, most = 1, 2
	case "echo", "get", "incr", "strlen":
		least, most = 2, 2
	case "set": // the dictionary has no options of SET
		least, most = 3, len(s.args)
	case "append":
		least, most = 3, 3
	case "del", "exists", "mget": // a byte in front of "get key" makes the last one
		least, most = 2, len(s.args)
	case "mset":
		least, most = 3, len(s.args)
	case "quit":
		m.over = true
		return "+OK\r\n"
	default:
		return unknown(s.args)
	}
	if n := len(s.args); n < least || n > most || name == "mset" && n%2 == 0 {
		return fmt.Sprintf("-ERR wrong number of arguments for '%s' command\r\n", name)
	}
	return m.do(name, s.args[1:])
}

func (m *naive) do(name string, args []string) string {
	key := append(args, "")[0]
	old, found := m.keys[key]
	switch name {
	case "ping":
		if len(args) == 0 {
			return "+PONG\r\n"
		}
		return bulk(args[0])
	case "echo":
		return bulk(args[0])
	case "get":
		if !found {
			return "$-1\r\n"
		}
		return bulk(old)
	case "mget":
		all := fmt.Sprintf("*%d\r\n", len(args))
		for _, key := range args {
			all += m.do("get", []string{key})
		}
		return all
	case "mset":
		for i := 0; i < len(args); i += 2 {
			m.keys[args[i]] = args[i+1]
		}
		return "+OK\r\n"
	case "strlen":
		return fmt.Sprintf(":%d\r\n", len(old))
	case "set":
		if len(args) > 2 {
			return "-ERR syntax error\r\n"
		}
		m.keys[key] = args[1]
		return "+OK\r\n"
	case "append":
		if len(old)+len(args[1]) > tiny().limits.bulk {
			return "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"
		}
		m.keys[key] = old + args[1]
		return fmt.Sprintf(":%d\r\n", len(m.keys[key]))
	case "incr":
		return m.incr(key)
	}
	n := 0
	for _, key := range args {
		if _, found := m.keys[key]; found {
			n++
		}
		if name == "del" {
			delete(m.keys, key)
		}
	}
	return fmt.Sprintf(":%d\r\n", n)
}

func (m *naive) incr(key string) string {
	v := int64(0)
	if old, found := m.keys[key]; found {
		var err error
		if v, err = strconv.ParseInt(old, 10, 64); err != nil || strconv.FormatInt(v, 10) != old {
			return "-ERR value is not an integer or out of range\r\n"
		}
	}
	if v+1 < v {
		return "-ERR increment or decrement would overflow\r\n"
	}
	m.keys[key] = strconv.FormatInt(v+1, 10)
	return fmt.Sprintf(":%d\r\n", v+1)
}

// unknown returns the reply to an unknown command. It shows the first 128 bytes of the
// arguments, each up to a NUL.
func unknown(args []string) string {
	cut := func(s string, most int) string {
		s, _, _ = strings.Cut(s[:min(len(s), most)], "\x00")
		return s
	}
	text, given := "-ERR unknown command '"+cut(args[0], 128)+"', with args beginning with: ", ""
	for _, a := range args[1:] {
		if len(given) < 128 {
			given += "'" + cut(a, 128-len(given)) + "' "
		}
	}
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(text+given) + "\r\n"
}
