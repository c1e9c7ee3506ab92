package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/examples/resp/redis"
	"github.com/stator-go/stator/examples/resp/store"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

func TestCommandsOverTCP(t *testing.T) {
	r := run(t, small(), "secret")
	c := r.dial()
	c.ask("-NOAUTH Authentication required.\r\n", "GET", "k")
	c.ask("-WRONGPASS invalid username-password pair or user is disabled.\r\n", "AUTH", "wrong")
	c.ask("+OK\r\n", "AUTH", "secret")
	c.ask("+OK\r\n", "SET", "k", "v")
	c.send("get k\r\n") // inline
	c.wants("$1\r\nv\r\n")
	c.ask("+OK\r\n", "SELECT", "3")
	c.ask("$-1\r\n", "GET", "k")
	c.send(command("SELECT", "0") + command("GET", "k") + command("QUIT") + command("DEL", "k"))
	c.wants("+OK\r\n$1\r\nv\r\n+OK\r\n")
	c.closes()

	// The DEL after QUIT was not run.
	d := r.dial()
	d.ask("+OK\r\n", "AUTH", "secret")
	d.ask(":1\r\n", "EXISTS", "k")
}

// A client that closes its side for writing gets all replies before it is closed.
func TestHalfClose(t *testing.T) {
	r := run(t, small(), "")
	c := r.dial()
	value := letters(3<<20, 'h')
	c.send(command("SET", "k", value) + strings.Repeat(command("GET", "k"), 4) + command("PING"))
	c.Conn.(*net.TCPConn).CloseWrite()
	c.wants("+OK\r\n" + strings.Repeat(bulk(value), 4) + "+PONG\r\n")
	c.closes()
	r.withoutClients()
}

// cut sends s in pieces of random size.
func cut(c *client, s string, most int, rnd *rand.Rand) {
	for len(s) > 0 {
		n := min(len(s), 1+rnd.IntN(most))
		if _, err := io.WriteString(c.Conn, s[:n]); err != nil {
			return // the caller reads how the connection ended
		}
		s = s[n:]
	}
}

func TestPipelineOf100000(t *testing.T) {
	r := run(t, small(), "")
	const n = 100_000
	var ask, want strings.Builder
	for i := range n {
		switch i % 4 {
		case 0:
			ask.WriteString(command("SET", fmt.Sprint("k", i%1000), fmt.Sprint("v", i)))
			want.WriteString("+OK\r\n")
		case 1:
			ask.WriteString(command("GET", fmt.Sprint("k", (i-1)%1000)))
			want.WriteString(bulk(fmt.Sprint("v", i-1)))
		case 2:
			fmt.Fprintf(&ask, "echo %d\r\n", i)
			want.WriteString(bulk(fmt.Sprint(i)))
		default:
			ask.WriteString(command("INCR", "n"))
			fmt.Fprintf(&want, ":%d\r\n", i/4+1)
		}
	}
	t.Run("one write", func(t *testing.T) {
		c := r.dial()
		go io.WriteString(c.Conn, ask.String())
		c.wants(want.String())
	})
	t.Run("cut", func(t *testing.T) {
		c := r.dial()
		c.ask("+OK\r\n", "FLUSHALL")
		go cut(c, ask.String(), 8<<10, rand.New(rand.NewPCG(1, 2)))
		c.wants(want.String())
	})
}

// Replies do not depend on how the bytes of commands are divided: in two pieces anywhere, or
// byte by byte.
func TestEveryCut(t *testing.T) {
	r := run(t, small(), "")
	ask := command("SET", "key", letters(300, 'v')) + "\r\nGET key\r\n*0\r\n" + command("ECHO", "") + "echo \"a\\x41\"\r\n" + command("QUIT")
	want := "+OK\r\n" + bulk(letters(300, 'v')) + bulk("") + bulk("aA") + "+OK\r\n"
	for at := 1; at < len(ask); at += 7 {
		before := r.stats().BytesIn
		c := r.dial()
		c.send(ask[:at])
		r.until("read", func(s reactor.Stats) bool { return s.BytesIn == before+uint64(at) })
		c.send(ask[at:])
		c.wants(want)
		c.closes()
	}
	c := r.dial()
	for i := range len(ask) {
		c.send(ask[i : i+1])
	}
	c.wants(want)
	c.closes()
}

func TestLargeValues(t *testing.T) {
	r := run(t, small(), "")
	c := r.dial()
	a, b := letters(20<<20, 'a'), letters(20<<20+3, 'b')
	go func() {
		io.WriteString(c.Conn, command("SET", "a", a)+command("SET", "b", b)+command("STRLEN", "a"))
		io.WriteString(c.Conn, command("GET", "a")+command("ECHO", "between")+command("GET", "b")+command("MGET", "b", "none", "a"))
		// A value that is being sent does not change when the key gets a new one.
		io.WriteString(c.Conn, command("GET", "a")+command("SET", "a", "new")+command("GET", "a"))
	}()
	c.wants(fmt.Sprintf("+OK\r\n+OK\r\n:%d\r\n", len(a)))
	c.wants(bulk(a) + bulk("between") + bulk(b) + "*3\r\n" + bulk(b) + "$-1\r\n" + bulk(a))
	c.wants(bulk(a) + "+OK\r\n" + bulk("new"))
	if s := r.stats(); s.Held > 1<<20 {
		t.Errorf("ports hold %d bytes: large values must be sent by reference", s.Held)
	}
}

// The time for an unfinished command also runs if the command began behind a large value
// that was still being sent.
func TestTrickleBehindLargeReply(t *testing.T) {
	l := small()
	l.patience = 300 * time.Millisecond
	r := run(t, l, "")
	c := r.dial()
	value := letters(20<<10, 'v') // sent by reference, and in one call
	c.ask("+OK\r\n", "SET", "k", value)
	begun := command("SET", "k", letters(100<<10, 'w'))
	c.send(command("GET", "k") + begun[:40<<10])
	c.wants(bulk(value))
	c.closes()
	if s := r.stop(); s.QueryTimeouts != 1 || s.OutputLimit != 0 {
		t.Errorf("query timeouts %d, output limit %d: want 1, 0", s.QueryTimeouts, s.OutputLimit)
	}
}

func TestExpiryByTheWheel(t *testing.T) {
	r := run(t, small(), "")
	c := r.dial()
	var ask strings.Builder
	for i := range 3000 {
		ask.WriteString(command("SET", fmt.Sprint("k", i), "v", "PX", fmt.Sprint(150+i%50)))
	}
	c.ask("+OK\r\n", "SET", "later", "v", "EX", "1000")
	c.ask("+OK\r\n", "SET", "far", "v", "EXAT", "9000000000000")
	c.ask("+OK\r\n", "SET", "stays", "v")
	c.send(ask.String())
	c.wants(strings.Repeat("+OK\r\n", 3000))
	dbsize := func() (n int) {
		c.send(command("DBSIZE"))
		fmt.Sscanf(c.line(), ":%d", &n)
		return n
	}
	end := time.Now().Add(patient)
	for dbsize() != 3 {
		if time.Now().After(end) {
			t.Fatalf("%d keys are left; want 3", dbsize())
		}
		time.Sleep(5 * time.Millisecond)
	}
	// A deadline earlier than the one that the clock's timer is armed for.
	c.ask(":1\r\n", "PEXPIRE", "later", "30")
	for dbsize() != 2 {
		if time.Now().After(end) {
			t.Fatal("a key whose deadline was brought forward does not expire")
		}
		time.Sleep(5 * time.Millisecond)
	}
	// A key whose deadline was put off stays; the clock goes on to the next deadline.
	c.ask("+OK\r\n", "SET", "k", "v", "PX", "20")
	c.ask(":1\r\n", "PEXPIRE", "k", "1000000")
	c.ask("+OK\r\n", "SET", "probe", "v", "PX", "60")
	for dbsize() != 3 {
		if time.Now().After(end) {
			t.Fatal("the clock has stopped")
		}
		time.Sleep(5 * time.Millisecond)
	}
	c.ask(":1\r\n", "EXISTS", "k")
}

// Every key with a deadline has a timer, however many there are.
func TestMoreKeysThanTimersOfAWheel(t *testing.T) {
	const keys, most = 350, 64
	conf := local(small())
	conf.timers = most
	r := runConfig(t, conf)
	c := r.dial()
	set := func(options ...string) {
		var ask strings.Builder
		for i := range keys {
			ask.WriteString(command(append([]string{"SET", fmt.Sprint("k", i), "v"}, options...)...))
		}
		c.send(ask.String())
		c.wants(strings.Repeat("+OK\r\n", keys))
	}
	set("EX", "1000")
	set() // cancels the timers
	set("PX", "100")
	for end := time.Now().Add(patient); ; time.Sleep(5 * time.Millisecond) {
		c.send(command("DBSIZE"))
		size := c.line()
		if size == ":0" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%s keys are left", size[1:])
		}
	}
}

// All times are derived from the loop's clock and config.epoch.
func TestTimeIsThatOfTheConfig(t *testing.T) {
	conf := local(small())
	conf.epoch = time.Unix(1_000_000_000, 0)
	r := runConfig(t, conf)
	c := r.dial()
	c.send(command("TIME"))
	c.wants("*2\r\n$10\r\n10000000") // the first three minutes
	if _, err := c.in.Discard(len("00\r\n$")); err != nil {
		t.Fatal(err)
	}
	c.line() // the number of digits of the microseconds
	c.line()
	c.ask("+OK\r\n", "SET", "k", "v", "EXAT", "1000001000")
	c.ask(":1000001000\r\n", "EXPIRETIME", "k")
	c.ask(":1\r\n", "EXPIREAT", "k", "1000000000")
	c.ask("$-1\r\n", "GET", "k")
}

// INFO and CONFIG GET show the server's address and limit.
func TestServerKnowsItself(t *testing.T) {
	r := run(t, small(), "")
	c := r.dial()
	_, port, _ := net.SplitHostPort(r.addr)
	for name, value := range map[string]string{"port": port, "bind": "127.0.0.1", "maxclients": "600"} {
		c.ask("*2\r\n"+bulk(name)+bulk(value), "CONFIG", "GET", name)
	}
	c.send(command("INFO") + "*x\r\n")
	info, _ := c.rest()
	for _, form := range []string{`\r\ntcp_port:` + port + `\r\n`, `\r\nrun_id:[0-9a-f]{40}\r\n`, `\r\nmaxclients:600\r\n`} {
		if !regexp.MustCompile(form).Match(info) {
			t.Errorf("INFO is %q; want %s in it", info, form)
		}
	}
}

// What was received before a shutdown is answered, also if the client reads slowly.
func TestShutdownAnswers(t *testing.T) {
	r := run(t, small(), "")
	value := letters(8<<20, 'v')
	var clients []*client
	for i := range 6 {
		c := r.dial()
		c.ask("+OK\r\n", "SET", "k", value)
		if i%2 == 0 {
			c.send(command("GET", "k") + command("GET", "k") + command("PING"))
		} else {
			c.send(strings.Repeat(command("INCR", fmt.Sprint("n", i)), 2000))
		}
		clients = append(clients, c)
	}
	idle := r.dial()
	idle.ask("+PONG\r\n", "PING")
	// On loopback a sent command has reached the server's socket.
	down := r.shutdown()
	idle.closes()
	for i, c := range clients {
		if i%2 == 0 {
			c.wants(bulk(value) + bulk(value) + "+PONG\r\n")
		} else {
			for n := range 2000 {
				c.wants(fmt.Sprintf(":%d\r\n", n+1))
			}
		}
		c.closes()
	}
	r.ends(<-down)
}

// The same holds for more clients than a loop takes events for in one turn.
func TestShutdownAnswersEveryone(t *testing.T) {
	r := run(t, small(), "")
	busy := r.dial()
	var keys strings.Builder
	for i := range 50_000 {
		keys.WriteString(command("SET", fmt.Sprint("key", i), "v"))
	}
	go io.WriteString(busy.Conn, keys.String())
	busy.wants(strings.Repeat("+OK\r\n", 50_000))
	clients := make([]*client, 500)
	for i := range clients {
		clients[i] = r.dial()
		clients[i].ask("+PONG\r\n", "PING")
	}
	// Keep the loop in one long call while the other clients send. While it runs there is
	// nothing to wait for; if it has not begun, the test still passes.
	busy.send(strings.Repeat(command("KEYS", "*a*b*c"), 40))
	time.Sleep(5 * time.Millisecond)
	for i, c := range clients {
		c.send(command("ECHO", fmt.Sprint(i)))
	}
	down := r.shutdown()
	busy.wants(strings.Repeat("*0\r\n", 40))
	busy.closes()
	for i, c := range clients {
		c.wants(bulk(fmt.Sprint(i)))
		c.closes()
	}
	r.ends(<-down)
}

// Clients that vanish at any point leave no machine and no buffer behind.
func TestKilledClients(t *testing.T) {
	r := run(t, small(), "")
	setup := r.dial()
	big := letters(2<<20, 'v')
	setup.ask("+OK\r\n", "SET", "big", big)
	scripts := []string{
		strings.Repeat(command("INCR", "n"), 500),
		strings.Repeat(command("GET", "big"), 20),
		command("SUBSCRIBE", "news", "more") + command("PSUBSCRIBE", "n*"),
		strings.Repeat(command("PUBLISH", "news", letters(200, 'p')), 300),
		command("PUBLISH", "news", big) + command("PUBLISH", "news", "x"),
		command("HELLO", "3") + command("SUBSCRIBE", "news") + strings.Repeat(command("GET", "big"), 3),
		command("SET", "k", letters(300<<10, 'k')),
		command("MGET", "big", "k", "big") + command("QUIT"),
		"*3\r\n$3\r\nSET\r\n$x\r\n",
	}
	const workers = 8
	done := make(chan int, workers)
	stop := time.Now().Add(testenv.Pick(300*time.Millisecond, time.Second))
	for w := range workers {
		go func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 7))
			n := 0
			for ; time.Now().Before(stop); n++ {
				c, err := net.DialTimeout("tcp", r.addr, patient)
				if err != nil {
					continue
				}
				script := scripts[rnd.IntN(len(scripts))] + scripts[rnd.IntN(len(scripts))]
				io.WriteString(c, script[:rnd.IntN(len(script)+1)])
				if rnd.IntN(2) == 0 {
					c.SetReadDeadline(time.Now().Add(time.Duration(rnd.IntN(3000)) * time.Microsecond))
					io.CopyN(io.Discard, c, rnd.Int64N(4<<20))
				}
				if rnd.IntN(4) > 0 {
					c.(*net.TCPConn).SetLinger(0) // a reset
				}
				c.Close()
			}
			done <- n
		}()
	}
	total := 0
	for range workers {
		total += <-done
	}
	setup.ask("+PONG\r\n", "PING")
	setup.Close()
	s := r.withoutClients()
	if s.Held != 0 {
		t.Errorf("ports hold %d bytes and there is no client", s.Held)
	}
	if total < 50 {
		t.Errorf("%d connections in a second", total)
	}
	t.Logf("%d connections: %v", total, s)
}

// A panic in a handler ends one client, and no other client gets its replies.
func TestPanicStaysWithItsClient(t *testing.T) {
	r := run(t, small(), "")
	r.srv.redis.Keys.DBs[0] = store.DB{} // a SET panics here
	r.stats()                            // synchronizes with the loop
	c := r.dial()
	c.send(command("ECHO", "private") + command("SET", "k", "v"))
	c.rest()
	d := r.dial()
	d.send("*x\r\n")
	d.wants("-ERR Protocol error: invalid multibulk length\r\n")
	d.closes()
	s := r.withoutClients()
	if s.Panics != 1 {
		t.Errorf("%d panics, want 1", s.Panics)
	}
	r.ends(<-r.shutdown())
}

func TestTakenAddress(t *testing.T) {
	r := run(t, small(), "")
	r.dial().ask("+PONG\r\n", "PING") // the loop runs, so that it can be shut down
	loop, err := reactor.NewLoop(reactor.Config{Slots: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer loop.Close()
	taken := local(small())
	taken.addr = r.addr
	_, _, err = start(loop, taken)
	if err == nil || !strings.Contains(err.Error(), "address already in use") || !strings.Contains(err.Error(), r.addr) {
		t.Errorf("listening twice on %s: %v", r.addr, err)
	}
}

var _ redis.Mail = (*conn)(nil)
