package main

import (
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// field returns a number of the line of CLIENT LIST that contains which, or -1 if there is
// no such line.
func (c *client) field(which, name string) int {
	c.t.Helper()
	c.send(command("CLIENT", "LIST"))
	size, err := strconv.Atoi(strings.TrimPrefix(c.line(), "$"))
	list := make([]byte, max(0, size)+2)
	if _, err2 := io.ReadFull(c.in, list); err != nil || err2 != nil {
		c.t.Fatal(err, err2)
	}
	for _, line := range strings.Split(string(list), "\n") {
		if !strings.Contains(line, which) {
			continue
		}
		m := regexp.MustCompile(` ` + name + `=(-?\d+) `).FindStringSubmatch(line)
		if m == nil {
			c.t.Fatalf("%q has no number %s", line, name)
		}
		v, _ := strconv.Atoi(m[1])
		return v
	}
	return -1
}

func TestClientListShowsBuffers(t *testing.T) {
	r := run(t, small(), "")
	c, other := r.dial(), r.dial()
	c.ask("+OK\r\n", "CLIENT", "SETNAME", "seen")
	if got, want := c.field("name=seen", "qbuf"), len(command("CLIENT", "LIST")); got != want {
		t.Errorf("qbuf is %d while the command runs, want its own %d bytes", got, want)
	}
	if got := other.field("name=seen", "qbuf"); got != 0 {
		t.Errorf("qbuf is %d between commands", got)
	}
	if got := c.field("name=seen", "obl"); got != 0 {
		t.Errorf("obl is %d after all replies were read", got)
	}
	c.send("*2\r\n$4\r\nECHO\r\n$100000\r\n" + letters(60_000, 'e'))
	awaits(t, "60,000 bytes in qbuf", func() bool { return other.field("name=seen", "qbuf") >= 60_000 })
	c.send(letters(40_000, 'e') + "\r\n")
	awaits(t, "an empty qbuf", func() bool { return other.field("name=seen", "qbuf") == 0 })
	c.skip(len("$100000\r\n") + 100_002)
	c.ask("+OK\r\n", "MULTI")
	c.ask("+QUEUED\r\n", "SET", "k", letters(1000, 'v'))
	if got := other.field("name=seen", "multi-mem"); got < 1000 {
		t.Errorf("multi-mem is %d", got)
	}
	c.ask("*1\r\n+OK\r\n", "EXEC")
	// Output is shown while the client does not read it, and no longer.
	c.ask("+OK\r\n", "SET", "k", letters(100, 'v'))
	const gets = 100_000
	go io.WriteString(c.Conn, strings.Repeat(command("GET", "k"), gets))
	awaits(t, "unread output", func() bool { return other.field("name=seen", "omem") > 100_000 })
	c.skip(gets * len(bulk(letters(100, 'v'))))
	awaits(t, "no output", func() bool { return other.field("name=seen", "omem") == 0 })
}

// skip reads n bytes and drops them.
func (c *client) skip(n int) {
	c.t.Helper()
	if _, err := io.CopyN(io.Discard, c.in, int64(n)); err != nil {
		c.t.Fatal(err)
	}
}

func awaits(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patient); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no ", what)
		}
	}
}

const outputLimit = "client-output-buffer-limit"

// A client with more unread replies than the hard limit is closed, and gets none of the
// reply that exceeded it.
func TestHardOutputLimit(t *testing.T) {
	r := run(t, small(), "")
	c, deaf, admin := r.dial(), r.dial(), r.dial()
	admin.ask("+OK\r\n", "SET", "k", letters(150_000, 'k'))
	admin.ask("+OK\r\n", "CONFIG", "SET", outputLimit, "normal 100000 0 0 pubsub 200000 0 0")
	c.send(command("GET", "k"))
	c.closes()
	deaf.ask("*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n", "SUBSCRIBE", "c")
	deaf.ask("*2\r\n$4\r\npong\r\n$0\r\n\r\n", "PING")
	seen := 0
	for range 100_000 {
		admin.send(command("PUBLISH", "c", letters(10_000, 'm')))
		admin.skip(len(":0\r\n"))
		omem := admin.field("sub=1", "omem")
		if omem < 0 {
			break
		}
		seen = omem
	}
	if seen < 100_000 || seen >= 200_000 {
		t.Errorf("the subscriber was closed when it had %d bytes unread, or not at all; want nearly 200000", seen)
	}
	if s := r.stop(); s.OutputLimit != 2 {
		t.Errorf("%d clients exceeded a limit of output, want 2", s.OutputLimit)
	}
}

// A client that has more unread replies than the soft limit is closed after that limit's
// time, with or without further replies, but not before.
func TestSoftOutputLimit(t *testing.T) {
	t.Parallel()
	for _, more := range []bool{false, true} {
		r := run(t, small(), "")
		deaf, admin := r.dial(), r.dial()
		admin.ask("+OK\r\n", "CONFIG", "SET", outputLimit, "pubsub 0 100000 1")
		deaf.ask("*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n", "SUBSCRIBE", "c")
		publish := func() {
			admin.send(command("PUBLISH", "c", letters(10_000, 'm')))
			admin.skip(len(":1\r\n"))
		}
		for admin.field("sub=1", "omem") < 100_000 {
			publish()
		}
		over := time.Now()
		awaits(t, "end of the subscriber", func() bool {
			if more {
				publish()
			}
			return admin.field("sub=1", "omem") < 0
		})
		if after := time.Since(over); after < 900*time.Millisecond {
			t.Errorf("more messages %v: closed after %v", more, after)
		}
		r.stop()
	}
}
