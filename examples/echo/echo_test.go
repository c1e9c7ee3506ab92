package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor"
)

// patient bounds every wait of a test, also on a busy machine.
const patient = 20 * time.Second

// running is an echo server in the test's process.
type running struct {
	loop  *reactor.Loop
	addr  string
	ended chan error
}

func run(t *testing.T) *running {
	t.Helper()
	loop, err := reactor.NewLoop(reactor.Config{})
	if errors.Is(err, reactor.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	l, err := newEcho().Listen(loop, "tcp", "127.0.0.1:0", conn{})
	if err != nil {
		t.Fatal(err)
	}
	r := &running{loop: loop, addr: l.String(), ended: make(chan error, 1)}
	go func() { r.ended <- loop.Run(context.Background()) }()
	t.Cleanup(func() { loop.Close() })
	return r
}

func (r *running) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", r.addr, patient)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patient))
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// until polls the loop's counters until cond holds, and returns them.
func (r *running) until(t *testing.T, what string, cond func(reactor.Stats) bool) reactor.Stats {
	t.Helper()
	for end := time.Now().Add(patient); ; time.Sleep(time.Millisecond) {
		s, err := r.loop.Stats()
		if err != nil {
			t.Fatal(err)
		}
		if cond(s) {
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("not %s after %v: %v", what, patient, s)
		}
	}
}

// numbers returns n random bytes, the same each time.
func numbers(n int) []byte {
	b := make([]byte, n)
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// wants reads len(want) bytes, which must be want.
func wants(t *testing.T, c net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil {
		t.Fatalf("%d of %d bytes came back, then %v", n, len(want), err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("the echo differs from what was sent")
	}
}

func TestEcho(t *testing.T) {
	r := run(t)
	c := r.dial(t)
	for _, n := range []int{1, 2, 100, 16 << 10, 16<<10 + 1, 200 << 10} {
		b := numbers(n)
		go c.Write(b)
		wants(t, c, b)
	}
}

// A client that sends much before it reads is held back, not closed: the gate Room bounds
// the replies that the server holds.
func TestClientThatReadsLate(t *testing.T) {
	r := run(t)
	c := r.dial(t)
	b := numbers(32 << 20)
	go c.Write(b)
	const half = 128 << 10 // of the WriteBuffer: there the gate closes
	var before uint64
	s := r.until(t, "holding replies and done reading", func(s reactor.Stats) bool {
		done := s.BytesIn == before
		before = s.BytesIn
		return done && s.Held >= half
	})
	if s.Held > 1<<20 || s.WriteBufferFull != 0 {
		t.Errorf("%d bytes held, %d writes refused: want less than 1 MiB, 0", s.Held, s.WriteBufferFull)
	}
	if s.BytesIn >= uint64(len(b)) {
		t.Errorf("the server read all %d bytes of a client that reads nothing", len(b))
	}
	wants(t, c, b)
}

// A client that has closed its side for writing gets the rest of the echo, then the end.
func TestHalfClose(t *testing.T) {
	r := run(t)
	c := r.dial(t)
	b := numbers(8 << 20)
	go func() {
		c.Write(b)
		c.CloseWrite()
	}()
	wants(t, c, b)
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("read %d bytes, %v; want the end", n, err)
	}
}

// A shutdown sends back what was received, then closes each connection and the listener.
func TestShutdown(t *testing.T) {
	r := run(t)
	var conns []*net.TCPConn
	b := numbers(60 << 10) // fits the socket's buffers, so a Write returns once all has arrived
	for range 300 {        // more connections than a loop takes events for in one turn
		c := r.dial(t)
		if _, err := c.Write(b[:1]); err != nil {
			t.Fatal(err)
		}
		wants(t, c, b[:1])
		conns = append(conns, c)
	}
	for _, c := range conns {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	down := make(chan error, 1)
	go func() { down <- r.loop.Shutdown(ctx) }()
	for _, c := range conns {
		wants(t, c, b)
		if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("read %d bytes, %v; want the end", n, err)
		}
		c.Close()
	}
	if err := errors.Join(<-down, <-r.ended); err != nil {
		t.Error(err)
	}
	if c, err := net.DialTimeout("tcp", r.addr, patient); err == nil {
		c.Close()
		t.Error("the server still listens")
	}
}

// Clients that are gone, half of them with a reset, leave no machine and no buffer behind.
func TestKilledClients(t *testing.T) {
	r := run(t)
	for i := range 300 {
		c := r.dial(t)
		c.Write(numbers(i * 500))
		if i%2 == 0 {
			c.SetLinger(0) // a reset
		}
		c.Close()
	}
	s := r.until(t, "without clients", func(s reactor.Stats) bool {
		return s.Accepted+s.AcceptErrors >= 300 && s.Machines == 0
	})
	if s.Held != 0 || s.Panics != 0 {
		t.Errorf("%d bytes held, %d panics: want none", s.Held, s.Panics)
	}
}
