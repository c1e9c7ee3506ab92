package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/internal/testenv"
)

// redisServer starts a redis-server to compare with.
func redisServer(t testing.TB, l limits) (addr string) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = free.Addr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command(path, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
		"--proto-max-bulk-len", strconv.Itoa(l.bulk), "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for end := time.Now().Add(patient); ; time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return addr
		}
		if time.Now().After(end) {
			t.Fatal("redis-server does not listen")
		}
	}
}

// outcome is how a server reacts to some bytes.
type outcome struct {
	reply  string
	closed bool // the server closed the connection
}

// react sends input, in random pieces if cuts is set, and returns the outcome: what the server
// sends until it closes the connection or is quiet for the time quiet.
func react(t testing.TB, addr, input string, quiet time.Duration, cuts *rand.Rand) outcome {
	t.Helper()
	var o outcome
	for range 5 {
		c := dial(t, addr)
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			if cuts == nil {
				io.WriteString(c.Conn, input)
			} else {
				cut(c, input, 1+len(input)/3, cuts)
			}
		}()
		var got bytes.Buffer
		var err error
		for b := make([]byte, 32<<10); err == nil; {
			n := 0
			c.SetReadDeadline(time.Now().Add(quiet))
			n, err = c.Read(b)
			got.Write(b[:n])
		}
		var waited net.Error
		o = outcome{got.String(), !(errors.As(err, &waited) && waited.Timeout())}
		c.Close()
		<-sent
		if err == io.EOF || !o.closed {
			return o
		}
		// The server closed with unread input, so a reset may have destroyed the reply: retry.
	}
	return o
}

func badInputs() map[string]string {
	bad := map[string]string{
		"million arguments":   "*1000000\r\n" + strings.Repeat("$1\r\na\r\n", 1_000_000) + "*1\r\n$4\r\nQUIT\r\n",
		"over 2^20 arguments": "*1100000\r\n$3\r\ndel\r\n" + strings.Repeat("$1\r\na\r\n", 1_099_999) + "*1\r\n$4\r\nQUIT\r\n",
		"inline over 64 KiB":  strings.Repeat("x", 70<<10),
		"inline of 64 KiB":    "ECHO " + strings.Repeat("x", 64<<10-8) + "\r\nQUIT\r\n",
		"spaces over 64 KiB":  strings.Repeat(" ", 66<<10),
		"long count":          "*" + strings.Repeat("1", 70<<10),
		"long bulk length":    "*1\r\n$" + strings.Repeat("1", 70<<10),
		"commands before it":  command("SET", "k", "v") + command("GET", "k") + "*x\r\n" + command("GET", "k"),
		"bulk at the limit":   "*2\r\n$4\r\nECHO\r\n$1048576\r\n" + letters(1<<20, 'l') + "\r\nQUIT\r\n",
		"bulk over the limit": "*2\r\n$4\r\nECHO\r\n$1048577\r\n" + letters(100<<10, 'l'),
		"null bytes":          "\x00\x00\x00\x00\r\nPING\r\nQUIT\r\n",
		"http":                "POST / HTTP/1.1\r\nHost: x\r\n\r\n",
	}
	for _, s := range []string{
		"*x\r\n", "*-2\r\nQUIT\r\n", "*0\r\nQUIT\r\n", "*\r\nQUIT\r\n", "*+1\r\n", "* 1\r\n", "*01\r\n", "*1x\r\n", "*-x\r\n",
		"*2147483648\r\n", "*99999999999999999999\r\n", "*-99999999999999999999\r\n", "*1048576\r\n",
		"*1048577\r\n", "*2147483647\r\n",
		"*1\r\n$-1\r\n", "*1\r\n$-0\r\n", "*1\r\n$x\r\n", "*1\r\n$\r\n", "*1\r\n$+4\r\n", "*1\r\n$4294967296\r\n",
		"*1\r\n$9223372036854775807\r\n", "*1\r\n$9223372036854775808\r\n", "*1\r\n$-9223372036854775809\r\n",
		"*1\r\n:4\r\n", "*1\r\n\r\n", "*1\r\nPING\r\n", "*2\r\n$4\r\nECHO\r\n*1\r\n", "*1\r\n\xff\r\n", "*1\r\n\n\n\n",
		"*1\n$4\nPING\n", "*1\r\n$4\r\nPINGxxQUIT\r\n", "*1\r\n$0\r\n\r\nQUIT\r\n",
		"set k \"unbalanced\r\n", "set k 'unbalanced\r\n", "echo \"a\"b\r\n", "echo 'a'b\r\n", "echo \"\\x4\"\r\nQUIT\r\n",
		"echo \"\\\r\n", "echo 'it\\'s'\r\nQUIT\r\n", "\r\n\r\nQUIT\r\n", "\n\nquit\n", " \t \r\nQUIT\r\n", "quit\r", "\"\"\r\nQUIT\r\n",
		"$4\r\nQUIT\r\n", "+OK\r\nQUIT\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "Host: x\r\n\r\n",
	} {
		bad[fmt.Sprintf("%.40q", s)] = s
	}
	return bad
}

// Invalid input gets the same reply and the same end as from redis-server, however it is
// divided into pieces.
func TestBadInputAsRedis(t *testing.T) {
	l := small()
	l.bulk = 1 << 20
	real, r := redisServer(t, l), run(t, l, "")
	const quiet = 60 * time.Millisecond
	slots := make(chan struct{}, 8) // these subtests mostly wait
	t.Run("", func(t *testing.T) {
		for name, input := range badInputs() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				slots <- struct{}{}
				defer func() { <-slots }()
				wait := quiet
				if len(input) > 1<<20 {
					wait = time.Second
				}
				want := react(t, real, input, wait, nil)
				if want.closed {
					wait = patient // then ours must close as well
				}
				got := react(t, r.addr, input, wait, nil)
				if got != want { // on a busy machine redis-server may have been slow
					want = react(t, real, input, 20*quiet, nil)
				}
				compare(t, "in one piece", got, want)
				if len(input) > 1<<20 {
					return
				}
				for seed := range uint64(3) {
					cuts := rand.New(rand.NewPCG(seed, 5))
					compare(t, fmt.Sprint("cut, seed ", seed), react(t, r.addr, input, wait, cuts), want)
				}
			})
		}
	})
	r.stop()
}

// For HTTP, both drop the replies that were not sent yet, which depends on how the input was
// cut.
func TestBadInputOwnLimits(t *testing.T) {
	r := run(t, small(), "")
	for input, reply := range map[string]string{
		"GET / HTTP/1.0\r\nHost: x\r\n\r\n": "",
	} {
		want := outcome{reply, true}
		if got := react(t, r.addr, input, patient, nil); got != want {
			t.Errorf("%q: replied %q, closed: %v; want %q", input, got.reply, got.closed, reply)
		}
	}
}

func compare(t *testing.T, how string, got, want outcome) {
	t.Helper()
	if got != want {
		t.Errorf("%s: replied %s, closed: %v; redis-server: %s, %v",
			how, short([]byte(got.reply)), got.closed, short([]byte(want.reply)), want.closed)
	}
}

// Random sequences of bytes that mean something to the protocol get the same reply and the
// same end as from redis-server.
func TestGarbageAsRedis(t *testing.T) {
	l := small()
	l.bulk = 1 << 20
	real, r := redisServer(t, l), run(t, l, "")
	pieces := []string{"*", "$", "\r\n", "\r\n", "\n", "1", "2", "3", "-", "0", "4", "PING", "ECHO", "a", "\"", "'", "\\", " ", "\x00", "\xff",
		"*1\r\n$4\r\nPING\r\n", "*2\r\n$4\r\nECHO\r\n", "$1\r\na\r\n", "echo "}
	rnd := rand.New(rand.NewPCG(11, 12))
	for round := range testenv.Pick(100, 400) {
		var b strings.Builder
		for range 1 + rnd.IntN(12) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		input := b.String()
		// PINGs at the end make sure that there is a reply, however the input is understood.
		ends := input + strings.Repeat("\r\nPING\r\n", 3)
		want, got := halfClosed(t, real, ends), halfClosed(t, r.addr, ends)
		for range 3 { // redis-server may see the end before it has sent the replies
			if got == want {
				break
			}
			time.Sleep(5 * time.Millisecond)
			want = halfClosed(t, real, ends)
		}
		if got != want {
			t.Errorf("round %d, %q: got %q; redis-server: %q", round, ends, got, want)
		}
	}
	r.stop()
}

// halfClosed sends input, closes the client's side for writing and returns the reply.
func halfClosed(t testing.TB, addr, input string) string {
	t.Helper()
	c := dial(t, addr)
	c.send(input)
	time.Sleep(200 * time.Microsecond) // for redis-server, which may not reply once it has seen the end
	c.Conn.(*net.TCPConn).CloseWrite()
	got, _ := c.rest()
	return string(got)
}

// No input makes the server panic.
func FuzzBytes(f *testing.F) {
	for _, input := range badInputs() {
		if len(input) < 4<<10 {
			f.Add([]byte(input), uint16(7))
		}
	}
	f.Add([]byte(command("SUBSCRIBE", "a")+command("PUBLISH", "a", "x")+command("GET", "k")), uint16(1))
	l := small()
	l.bulk, l.output, l.input, l.patience = 1<<20, 1<<20, 8<<20, time.Second
	r := run(f, l, "")
	good := r.dial()
	f.Fuzz(func(t *testing.T, input []byte, cut uint16) {
		bad := dial(t, r.addr)
		at := int(cut) % (len(input) + 1)
		bad.Write(input[:at])
		bad.Write(input[at:]) // fails if the server has closed the connection, which it may
		// End with a reset, after the loop has read the input: normal closes would use up the
		// machine's ports.
		other := &client{Conn: good.Conn, in: good.in, t: t}
		other.SetDeadline(time.Now().Add(patient))
		other.ask(bulk("alive"), "ECHO", "alive")
		bad.Conn.(*net.TCPConn).SetLinger(0)
		bad.Close()
		if s, err := r.loop.Stats(); s.Panics != 0 || err != nil {
			t.Fatalf("%q, cut at %d: %d panics, %v", input, at, s.Panics, err)
		}
	})
}

func TestMain(m *testing.M) {
	if child := os.Getenv("RESP_TEST_CHILD"); child != "" {
		os.Exit(runChild(child))
	}
	testenv.ShortSearches()
	os.Exit(m.Run())
}
