package redis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stator-go/stator/examples/resp/redis"
	"github.com/stator-go/stator/examples/resp/wire"
)

// serving is a session with everything that running a command needs.
type serving struct {
	srv     *redis.Server
	session redis.Session
	parser  wire.Parser
	args    *wire.Args
	out     wire.Output
}

func newServing() *serving {
	s := &serving{srv: redis.NewServer(redis.Config{}), args: wire.NewArgs(wire.Limits{})}
	s.srv.Open(&s.session, nil, "test", 0)
	for i := range 100_000 {
		s.serve(command("SET", fmt.Sprintf("key:%012d", i), "xyz"))
	}
	return s
}

// serve runs all commands in a window and drops the replies.
func (s *serving) serve(window []byte) (replied int) {
	for {
		args, n, err := s.parser.Next(window, s.args)
		if err != nil {
			panic(err)
		}
		if args == nil {
			break
		}
		s.session.Do(&s.out, args, 1_700_000_000_000_000)
		window = window[n:]
	}
	replied = s.out.Len()
	s.out.Reset()
	return replied
}

var steady = []struct {
	name     string
	commands []byte
}{
	{"Get", command("GET", "key:000000004711")},
	{"GetAbsent", command("GET", "nothing")},
	{"Set", command("SET", "key:000000004711", "abc")},
	{"SetEX", command("SET", "key:000000000001", "abc", "EX", "100")},
	{"Incr", command("INCR", "counter")},
	{"Ping", command("PING")},
	{"MGet", command("MGET", "key:000000000001", "key:000000000002", "nothing")},
	{"ExpireTTL", append(command("EXPIRE", "key:000000000003", "100"), command("TTL", "key:000000000003")...)},
	{"Inline", []byte("GET key:000000004711\r\n")},
}

// A command on an existing key does not allocate.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	s := newServing()
	for _, c := range steady {
		s.serve(c.commands)
		if n := testing.AllocsPerRun(200, func() { s.serve(c.commands) }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

// A long value is sent without a copy, and does not change while it is being sent.
func TestLongValueIsNotCopied(t *testing.T) {
	s := newServing()
	old := strings.Repeat("o", 1<<20)
	s.serve(command("SET", "long", old))
	get := command("GET", "long")
	if n := testing.AllocsPerRun(20, func() { s.serve(get) }); n != 0 {
		t.Errorf("%v allocations for a long value", n)
	}
	args, _, _ := s.parser.Next(get, s.args)
	s.session.Do(&s.out, args, 1)
	var held wire.Output
	held.Move(&s.out)
	for _, c := range [][]byte{
		command("SETRANGE", "long", "0", "new"), command("APPEND", "long", "new"),
		command("SET", "long", strings.Repeat("n", 1<<20)), command("DEL", "long"), command("SET", "other", old),
	} {
		s.serve(c)
	}
	if got, want := all(&held), fmt.Sprintf("$%d\r\n%s\r\n", len(old), old); got != want {
		t.Errorf("the value changed while it was sent")
	}
}

func BenchmarkCommand(b *testing.B) {
	s := newServing()
	for _, c := range steady {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.serve(c.commands)
			}
		})
	}
}

// BenchmarkRandomGet reads random keys of a database that is larger than the CPU's caches.
func BenchmarkRandomGet(b *testing.B) {
	s := newServing()
	var commands [][]byte
	for i := range 4096 {
		commands = append(commands, command("GET", fmt.Sprintf("key:%012d", i*7919%100_000)))
	}
	i := 0
	for b.Loop() {
		s.serve(commands[i%4096])
		i++
	}
}
