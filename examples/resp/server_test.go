package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/examples/resp/redis"
	"github.com/stator-go/stator/reactor"
)

// patient bounds every wait of a test, also on a busy machine.
const patient = 20 * time.Second

// small returns limits that a test can reach.
func small() limits {
	return limits{clients: 600, bulk: 64 << 20, output: 16 << 20, input: 256 << 20, patience: patient, mail: maxMail}
}

// local configures a server on a free port of this machine.
func local(l limits) config {
	return config{addr: "127.0.0.1:0", limits: l, epoch: time.Now(), timers: wheelTimers}
}

// running is a server in the test's process.
type running struct {
	t     testing.TB
	loop  *reactor.Loop
	srv   *server // belongs to the loop's goroutine until stop
	addr  string
	ended chan error
	over  bool

	clients []*client
}

func run(t testing.TB, l limits, password string) *running {
	t.Helper()
	c := local(l)
	c.password = password
	return runConfig(t, c)
}

func runConfig(t testing.TB, c config) *running {
	t.Helper()
	loop, err := newLoop(c.limits)
	if errors.Is(err, reactor.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	srv, bound, err := start(loop, c)
	if err != nil {
		loop.Close()
		t.Fatal(err)
	}
	r := &running{t: t, loop: loop, srv: srv, addr: bound.String(), ended: make(chan error, 1)}
	go func() { r.ended <- loop.Run(context.Background()) }()
	t.Cleanup(func() { r.stop() })
	return r
}

// stop closes the test's clients, shuts the server down and returns its counters.
func (r *running) stop() redis.Stats {
	r.t.Helper()
	for _, c := range r.clients {
		c.Close()
	}
	if !r.over {
		if s := r.stats(); s.Panics != 0 {
			r.t.Errorf("%d panics", s.Panics)
		}
		r.ends(<-r.shutdown())
	}
	return r.srv.redis.Stats
}

// shutdown begins a shutdown; its result comes on the channel.
func (r *running) shutdown() <-chan error {
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patient)
		defer cancel()
		done <- r.loop.Shutdown(ctx)
	}()
	return done
}

// ends checks how the loop ended and that no client left anything behind.
func (r *running) ends(shutdown error) {
	r.t.Helper()
	r.over = true
	if err := errors.Join(shutdown, <-r.ended); err != nil {
		r.t.Errorf("end: %v", err)
	}
	if n := r.srv.redis.Clients(); n != 0 {
		r.t.Errorf("%d sessions are left", n)
	}
	if r.srv.mailed != 0 || r.srv.unfinished != 0 {
		r.t.Errorf("%d messages and %d bytes of commands are left", r.srv.mailed, r.srv.unfinished)
	}
}

func (r *running) stats() reactor.Stats {
	r.t.Helper()
	s, err := r.loop.Stats()
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// until polls the loop's counters until is returns true, and returns them.
func (r *running) until(what string, is func(reactor.Stats) bool) reactor.Stats {
	r.t.Helper()
	for end := time.Now().Add(patient); ; time.Sleep(time.Millisecond) {
		s := r.stats()
		if is(s) {
			return s
		}
		if time.Now().After(end) {
			r.t.Fatalf("not %s within %v: %v", what, patient, s)
		}
	}
}

// withoutClients waits until the clock is the only machine.
func (r *running) withoutClients() reactor.Stats {
	r.t.Helper()
	return r.until("without clients", func(s reactor.Stats) bool { return s.Machines == 1 })
}

// client is a connection that fails the test if something is not as expected.
type client struct {
	net.Conn
	in *bufio.Reader
	t  testing.TB
}

func (r *running) dial() *client {
	r.t.Helper()
	c := dial(r.t, r.addr)
	r.clients = append(r.clients, c)
	return c
}

func dial(t testing.TB, addr string) *client {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, patient)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patient))
	t.Cleanup(func() { c.Close() })
	return &client{Conn: c, in: bufio.NewReaderSize(c, 64<<10), t: t}
}

func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, s); err != nil {
		c.t.Fatalf("send %.60q: %v", s, err)
	}
}

// wants reads len(want) bytes, which must be want.
func (c *client) wants(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c.in, got)
	if err != nil {
		c.t.Fatalf("got %s, then %v; want %s", short(got[:n]), err, short([]byte(want)))
	}
	if string(got) != want {
		at := 0
		for got[at] == want[at] {
			at++
		}
		c.t.Fatalf("byte %d: got %s, want %s", at, short(got[at:]), short([]byte(want[at:])))
	}
}

// line reads up to the end of a line, and returns the line without that.
func (c *client) line() string {
	c.t.Helper()
	line, err := c.in.ReadString('\n')
	if err != nil {
		c.t.Fatalf("got %q, then %v; want a line", line, err)
	}
	return strings.TrimSuffix(line, "\r\n")
}

// ask sends a command and wants its reply.
func (c *client) ask(reply string, args ...string) {
	c.t.Helper()
	c.send(command(args...))
	c.wants(reply)
}

// hello3 changes the connection's protocol to RESP3.
func (c *client) hello3() {
	c.t.Helper()
	c.send(command("HELLO", "3"))
	for c.line() != "*0" { // the list of modules is the last part of the greeting
	}
}

// push returns a message of RESP2 as RESP3 sends it.
func push(m string) string { return ">" + m[1:] }

// rest returns all bytes until the server closes the connection, and closes it, too. It
// reports whether the connection ended with a reset, which may have lost bytes.
func (c *client) rest() (got []byte, reset bool) {
	c.t.Helper()
	defer c.Close()
	got, err := io.ReadAll(c.in)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		c.t.Fatalf("the server does not close; it sent %s", short(got))
	}
	return got, err != nil
}

// closes wants the server to close the connection without sending another byte.
func (c *client) closes() {
	c.t.Helper()
	if got, _ := c.rest(); len(got) > 0 {
		c.t.Fatalf("got %s; want the connection closed", short(got))
	}
}

func short(b []byte) string {
	if len(b) > 200 {
		return fmt.Sprintf("%q... of %d bytes", b[:200], len(b))
	}
	return fmt.Sprintf("%q", b)
}

// command encodes a command as clients do.
func command(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b.String()
}

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

// letters returns n bytes in which a moved or lost byte shows.
func letters(n int, seed byte) string {
	return string(bytes.Repeat([]byte{seed, 'b', 'c', 'd', 'e', 'f', 'g'}, n/7+1)[:n])
}
