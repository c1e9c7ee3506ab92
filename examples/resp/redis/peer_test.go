package redis_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/examples/resp/redis"
	"github.com/stator-go/stator/examples/resp/wire"
)

// peer is a connection to a server: ours or redis-server.
type peer interface {
	// say sends bytes and returns all replies once they have been run.
	say(t testing.TB, b []byte) string
	// last sends bytes, ends the client's side and returns all replies until the connection
	// ends.
	last(t testing.TB, b []byte) string
}

// mark is a command that is unknown in every state of the connection. Its error shows that
// all commands sent before it have been run. In a transaction it would make EXEC fail, so
// there the mark is MULTI, whose error changes nothing.
const (
	mark      = "the-end-of-it\r\n"
	markReply = "-ERR unknown command 'the-end-of-it', with args beginning with: \r\n"

	markInTx      = "MULTI\r\n"
	markInTxReply = "-ERR MULTI calls can not be nested\r\n"
)

// ours is a session without a connection.
type ours struct {
	srv    *redis.Server
	s      redis.Session
	parser wire.Parser
	args   *wire.Args
	window []byte
	mail   []*redis.Message
	hungUp bool
}

func (o *ours) Deliver(m *redis.Message) { o.mail = append(o.mail, m) }

func (o *ours) HangUp() { o.hungUp = true }

func newOurs(srv *redis.Server) *ours {
	o := &ours{srv: srv, args: wire.NewArgs(wire.Limits{})}
	srv.Open(&o.s, o, "test", time.Now().UnixMicro())
	return o
}

func (o *ours) say(t testing.TB, b []byte) string {
	var out wire.Output
	for _, m := range o.mail {
		o.s.Message(&out, m)
	}
	o.mail = nil
	o.window = append(o.window, b...)
	for !o.hungUp && !o.s.Closing() {
		o.args.Unauthenticated = o.s.Unauthenticated()
		args, n, err := o.parser.Next(o.window, o.args)
		if err != nil {
			o.s.Violation(&out, err)
			break
		}
		if args != nil {
			o.s.Do(&out, args, time.Now().UnixMicro())
		}
		o.window = o.window[n:]
		if args == nil {
			break
		}
	}
	return all(&out)
}

func (o *ours) last(t testing.TB, b []byte) string {
	defer o.s.Close()
	return o.say(t, b)
}

// all returns everything in an Output and empties it.
func all(out *wire.Output) string {
	var b []byte
	for out.Len() > 0 {
		front := out.Front()
		b = append(b, front...)
		out.Sent(len(front))
	}
	return string(b)
}

// theirs is a connection to redis-server.
type theirs struct {
	net.Conn
	inTx bool // between MULTI and EXEC
}

func (p *theirs) say(t testing.TB, b []byte) string {
	t.Helper()
	p.SetDeadline(time.Now().Add(20 * time.Second))
	end, endReply := mark, markReply
	switch word := firstWord(b); {
	case word == "MULTI" && !p.inTx: // the reply says which mark it needs
		p.send(t, b)
		got := p.until(t, "\r\n")
		p.inTx = got == "+OK\r\n"
		return got
	case word == "EXEC", word == "RESET", word == "DISCARD" && !strings.Contains(string(b), "DISCARD x"):
		p.inTx = false
	}
	if p.inTx {
		end, endReply = markInTx, markInTxReply
	}
	p.send(t, append(b[:len(b):len(b)], end...))
	return strings.TrimSuffix(p.until(t, endReply), endReply)
}

// firstWord returns the name of the first command in b, in upper case.
func firstWord(b []byte) string {
	if rest, ok := bytes.CutPrefix(b, []byte("*")); ok {
		_, rest, _ = bytes.Cut(rest, []byte("\n"))
		_, b, _ = bytes.Cut(rest, []byte("\n"))
	}
	return strings.ToUpper(string(b[:max(0, bytes.IndexAny(b, " \r"))]))
}

func (p *theirs) send(t testing.TB, b []byte) {
	t.Helper()
	if _, err := p.Write(b); err != nil {
		t.Fatal(err)
	}
}

// until reads until the replies end with end.
func (p *theirs) until(t testing.TB, end string) string {
	t.Helper()
	var got []byte
	room := make([]byte, 64<<10)
	for !bytes.HasSuffix(got, []byte(end)) {
		n, err := p.Read(room)
		got = append(got, room[:n]...)
		if err != nil {
			t.Fatalf("redis-server: %v, after %q", err, got)
		}
	}
	return string(got)
}

func (p *theirs) last(t testing.TB, b []byte) string {
	t.Helper()
	p.SetDeadline(time.Now().Add(20 * time.Second))
	go func() { // blocks or fails if the server closes before it has read everything
		p.Write(b)
		p.Conn.(*net.TCPConn).CloseWrite()
	}()
	got, _ := io.ReadAll(p) // a reset ends the reply as well
	return string(got)
}

// startRedis runs a redis-server until the test ends, and returns its address.
func startRedis(t testing.TB, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().(*net.TCPAddr)
	free.Close()
	var log bytes.Buffer
	cmd := exec.Command(path, append([]string{"--port", fmt.Sprint(addr.Port), "--bind", "127.0.0.1",
		"--save", "", "--appendonly", "no", "--proto-max-bulk-len", "64mb", "--dir", t.TempDir()}, args...)...)
	cmd.Stdout = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr.String()); err == nil {
			c.Close()
			return addr.String()
		}
		if time.Now().After(deadline) {
			cmd.Process.Kill()
			cmd.Wait()
			t.Fatalf("redis-server does not answer: %s", log.String())
		}
	}
}

func dialRedis(t testing.TB, addr string) *theirs {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &theirs{Conn: c}
}

// command encodes a command as clients do.
func command(args ...string) []byte {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b
}
