package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/examples/resp/wire"
	"github.com/stator-go/stator/reactor"
)

// An announced length allocates nothing before its bytes arrive.
func TestNoMemoryAhead(t *testing.T) {
	for name, begun := range map[string]string{
		"a bulk of 64 MiB":   "*2\r\n$4\r\nECHO\r\n$67108864\r\n0123456789",
		"a million of bulks": "*1000000\r\n$4\r\nMGET\r\n$1\r\na",
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, small(), "")
			r.dial().ask("+PONG\r\n", "PING")
			before := heap()
			clients := make([]*client, 200)
			for i := range clients {
				clients[i] = r.dial()
				clients[i].send(begun)
			}
			s := r.until("all bytes in", func(s reactor.Stats) bool { return s.BytesIn >= uint64(200*len(begun)) })
			// This includes the test's own read buffers, 64 KiB per client.
			if grown, most := heap()-before, 200*(64<<10)+8<<20; grown > most {
				t.Errorf("the heap grew by %d bytes for %d connections; want at most %d", grown, len(clients), most)
			}
			if s.Held > 1<<20 {
				t.Errorf("ports hold %d bytes; want less than 1 MiB", s.Held)
			}
			runtime.KeepAlive(clients)
		})
	}
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A client that sends commands and never reads is closed and counted. That holds for short
// replies, which the server buffers, and for large ones, which it sends by reference.
func TestClientThatNeverReads(t *testing.T) {
	for name, c := range map[string]struct{ value, patience int }{
		"short replies": {8 << 10, 300},
		"large replies": {1 << 20, 300},
	} {
		t.Run(name, func(t *testing.T) {
			l := small()
			l.output, l.patience = 1<<20, time.Duration(c.patience)*time.Millisecond
			r := run(t, l, "")
			deaf, other := r.dial(), r.dial()
			other.ask("+OK\r\n", "SET", "k", letters(c.value, 'v'))
			go io.WriteString(deaf.Conn, strings.Repeat(command("GET", "k"), 100_000))
			r.until("closed", func(s reactor.Stats) bool { return s.Machines == 2 })
			other.ask("+PONG\r\n", "PING")
			other.Close()
			if s := r.withoutClients(); s.Held != 0 {
				t.Errorf("%d bytes are held", s.Held)
			}
			if s := r.stop(); s.OutputLimit != 1 || s.QueryTimeouts != 0 {
				t.Errorf("output limit %d, query timeouts %d: want 1, 0", s.OutputLimit, s.QueryTimeouts)
			}
		})
	}
}

// A client that sends a command byte by byte is closed after -patience. A client may pause
// for longer than that between commands.
func TestTrickle(t *testing.T) {
	l := small()
	l.patience = 400 * time.Millisecond
	r := run(t, l, "")
	idle := r.dial()
	idle.ask("+PONG\r\n", "PING")
	tricklers := map[string]*client{
		"*2\r\n$4\r\nECHO\r\n$500000\r\n" + letters(40_000, 'l'): r.dial(), // long enough for a buffer of its own
		"*2\r\n$4\r\nECHO\r\n$500\r\n":                           r.dial(),
		command("SET", "k", "v") + "set k ":                      r.dial(), // after a complete command
		"*":                                                      r.dial(),
	}
	began := time.Now()
	for begun, c := range tricklers {
		c.send(begun)
		go func() {
			for {
				time.Sleep(10 * time.Millisecond)
				if _, err := c.Write([]byte("1")); err != nil {
					return
				}
			}
		}()
	}
	for begun, c := range tricklers {
		if strings.HasPrefix(begun, "*3") {
			c.wants("+OK\r\n")
		}
		c.closes()
		if after := time.Since(began); after < l.patience {
			t.Errorf("%.20q: closed after %v, of %v", begun, after, l.patience)
		}
	}
	idle.ask("+PONG\r\n", "PING")
	// Each of several commands in a row has its own time.
	for range 6 {
		idle.send("*1\r\n$4\r\n")
		time.Sleep(l.patience / 5)
		idle.send("PING\r\n")
		idle.wants("+PONG\r\n")
	}
	if s := r.stop(); s.QueryTimeouts != 4 || s.OutputLimit != 0 {
		t.Errorf("query timeouts %d, output limit %d: want 4, 0", s.QueryTimeouts, s.OutputLimit)
	}
}

// The unfinished commands of all clients together have a limit.
func TestInputLimit(t *testing.T) {
	l := small()
	l.input = 1 << 20
	r := run(t, l, "")
	a, b := r.dial(), r.dial()
	whole := command("SET", "k", letters(700<<10, 'v'))
	a.send(whole[:600<<10])
	r.until("in", func(s reactor.Stats) bool { return s.BytesIn >= 600<<10 })
	go io.WriteString(b.Conn, whole[:600<<10])
	b.closes()
	a.send(whole[600<<10:])
	a.wants("+OK\r\n")
	// A finished command frees its part of the limit; a command that arrives at once needs none.
	c := r.dial()
	c.ask("+OK\r\n", "SET", "k", letters(900<<10, 'v'))
	c.ask(":921600\r\n", "STRLEN", "k")
}

// What MULTI queues counts as unfinished commands do.
func TestInputLimitOfTransactions(t *testing.T) {
	l := small()
	l.input = 1 << 20
	r := run(t, l, "")
	a, b := r.dial(), r.dial()
	set := command("SET", "k", letters(300<<10, 'v'))
	for _, c := range []*client{a, b} {
		c.ask("+OK\r\n", "MULTI")
	}
	for range 3 {
		a.send(set)
		a.wants("+QUEUED\r\n")
	}
	go io.WriteString(b.Conn, set)
	b.closes()
	a.ask("*3\r\n+OK\r\n+OK\r\n+OK\r\n", "EXEC")
	c := r.dial()
	c.ask("+OK\r\n", "MULTI")
	for range 3 { // EXEC freed its part of the limit
		c.send(set)
		c.wants("+QUEUED\r\n")
	}
}

const tooMany = "-ERR max number of clients reached\r\n"

// A client beyond -maxclients gets an error and is counted, whatever it has sent. Existing
// clients are served. Each client that leaves lets another one in.
func TestTooManyClients(t *testing.T) {
	l := small()
	l.clients = 3
	r := run(t, l, "")
	var in []*client
	for range l.clients {
		c := r.dial()
		c.ask("+PONG\r\n", "PING")
		in = append(in, c)
	}
	for i := range 4 {
		c := r.dial()
		if i%2 == 0 {
			io.WriteString(c.Conn, command("PING")) // it may be refused before
		}
		c.wants(tooMany)
		c.closes()
	}
	in[0].send(command("INFO", "stats") + "*x\r\n")
	info, _ := in[0].rest()
	for _, want := range []string{"\r\nrejected_connections:4\r\n", "\r\ntotal_connections_received:3\r\n"} {
		if !strings.Contains(string(info), want) {
			t.Errorf("INFO is %q; want %q in it", info, want)
		}
	}
	r.until("one has left", func(s reactor.Stats) bool { return s.Machines == 3 })
	r.dial().ask("+PONG\r\n", "PING")
	for _, c := range in[1:] {
		c.ask("+PONG\r\n", "PING")
	}
	if s := r.stop(); s.Rejected != 4 {
		t.Errorf("%d were rejected; want 4", s.Rejected)
	}
}

// If more clients come at once than there are slots to refuse them, accepting pauses, and
// they are refused as slots become free, also if they never close.
func TestManyRefused(t *testing.T) {
	t.Parallel()
	const many = surplus + 10
	l := small()
	l.clients = 1
	r := run(t, l, "")
	in := r.dial()
	in.ask("+PONG\r\n", "PING")
	var more []*client
	for range many {
		more = append(more, r.dial())
	}
	r.until("paused", func(s reactor.Stats) bool { return s.SlotPauses > 0 })
	if s := r.stats(); s.Machines != l.clients+surplus+1 || s.Accepted != uint64(l.clients+surplus) {
		t.Errorf("%d machines, %d accepted: want %d, %d", s.Machines, s.Accepted, l.clients+surplus+1, l.clients+surplus)
	}
	in.ask("+PONG\r\n", "PING")
	for _, c := range more {
		c.wants(tooMany)
	}
	r.until("over", func(s reactor.Stats) bool { return s.Machines == 2 })
	if s := r.stop(); s.Rejected != many {
		t.Errorf("%d were rejected; want %d", s.Rejected, many)
	}
}

// A client that sends a deep pipeline before it reads gets every reply, however small the
// output limit: its input waits while its replies do.
func TestDeepPipeline(t *testing.T) {
	const commands, size = 20_000, 1 << 10
	l := small()
	l.output, l.patience = 256<<10, time.Minute
	r := run(t, l, "")
	c := r.dial()
	c.ask("+OK\r\n", "SET", "k", letters(size, 'v'))
	go io.WriteString(c.Conn, strings.Repeat(command("GET", "k"), commands))
	r.until("the output is full", func(s reactor.Stats) bool { return s.Held >= l.output/4 })
	reply := fmt.Sprintf("$%d\r\n%s\r\n", size, letters(size, 'v'))
	got := make([]byte, len(reply))
	for i := range commands {
		if _, err := io.ReadFull(c.Conn, got); err != nil || string(got) != reply {
			t.Fatalf("reply %d of %d: %.20q…, %v", i, commands, got, err)
		}
	}
	c.Close()
	r.withoutClients()
}

// A client that reads gets its reply, also if that is longer than the limit of unread output,
// and made of values that are too short to be sent by reference.
func TestLongReplyOfShortValues(t *testing.T) {
	l := small()
	l.output = 300 << 10
	r := run(t, l, "")
	c := r.dial()
	value := letters(10_000, 'v')
	c.ask("+OK\r\n", "SET", "k", value)
	for _, n := range []int{29, 31, 90, 2000} {
		get := command(append([]string{"MGET"}, strings.Split(strings.Repeat("k", n), "")...)...)
		reply := fmt.Sprintf("*%d\r\n", n) + strings.Repeat(bulk(value), n)
		c.send(get + get + command("PING"))
		c.wants(reply + reply + "+PONG\r\n")
		c.send(command("SET", "n", "0") + get + command("INCR", "n") + command("SUBSCRIBE", "news"))
		c.wants("+OK\r\n" + reply + ":1\r\n" + subscribed("news", 1))
		c.send(command("PING") + command("UNSUBSCRIBE", "news"))
		c.wants("*2\r\n" + bulk("pong") + bulk("") + "*3\r\n" + bulk("unsubscribe") + bulk("news") + ":0\r\n")
	}
	c.Close()
	if s := r.withoutClients(); s.Held != 0 {
		t.Errorf("%d bytes are held", s.Held)
	}
	if s := r.stop(); s.OutputLimit != 0 {
		t.Errorf("output limit %d: want 0", s.OutputLimit)
	}
}

// A command may be as long as the largest value that -max-bulk accepts.
func TestLongestValueIsNoLongCommand(t *testing.T) {
	l := small()
	l.bulk = mostBytes
	srv := newServer(local(l), nil)
	var p wire.Parser
	if _, _, err := p.Next(fmt.Appendf(nil, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n", l.bulk), srv.args); err != nil {
		t.Error(err)
	}
}

// The memory of commands that clients did not finish is free soon after they have left.
func TestMemoryOfClientsThatLeft(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // as on a server that allocates nothing else
	r := run(t, small(), "")
	r.dial().ask("+PONG\r\n", "PING")
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	most := m.HeapAlloc + dropFrom/2
	begun := command("SET", "k", letters(dropFrom, 'v'))[:dropFrom*3/4]
	clients := []*client{r.dial(), r.dial()}
	for _, c := range clients {
		c.send(begun)
	}
	r.until("in", func(s reactor.Stats) bool { return s.BytesIn >= uint64(2*len(begun)) })
	begun = ""
	for _, c := range clients {
		c.Close()
	}
	r.until("freed", func(reactor.Stats) bool {
		runtime.ReadMemStats(&m)
		return m.HeapAlloc < most
	})
}
