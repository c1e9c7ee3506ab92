package main

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor"
)

func subscribed(channel string, n int) string {
	return "*3\r\n" + bulk("subscribe") + bulk(channel) + fmt.Sprintf(":%d\r\n", n)
}

func message(channel, payload string) string {
	return "*3\r\n" + bulk("message") + bulk(channel) + bulk(payload)
}

// Every subscriber gets all messages of a pipeline in order, also if there are many more
// than the mailboxes hold.
func TestPublishInOrder(t *testing.T) {
	many := 300
	if testing.Short() {
		many = 30 // 18,000 messages, not 180,000: on some systems each costs a hundred times as much
	}
	for _, c := range []struct{ messages, subscribers int }{{5000, 3}, {600, many}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			r := run(t, small(), "")
			var subs []*client
			for range c.subscribers {
				s := r.dial()
				s.ask(subscribed("news", 1), "SUBSCRIBE", "news")
				subs = append(subs, s)
			}
			var ask, want strings.Builder
			for i := range c.messages {
				ask.WriteString(command("PUBLISH", "news", fmt.Sprint("message ", i)))
				want.WriteString(message("news", fmt.Sprint("message ", i)))
			}
			p := r.dial()
			go io.WriteString(p.Conn, ask.String())
			p.wants(strings.Repeat(fmt.Sprintf(":%d\r\n", c.subscribers), c.messages))
			for _, s := range subs {
				s.wants(want.String())
			}
			if s := r.stop(); s.OutputLimit != 0 {
				t.Errorf("%d subscribers were closed", s.OutputLimit)
			}
		})
	}
}

// A shutdown does not close a publisher that waits for its subscribers. As these leave, the
// numbers of receivers in the replies fall.
func TestShutdownWhilePublishing(t *testing.T) {
	r := run(t, small(), "")
	for range 20 {
		r.dial().ask(subscribed("news", 1), "SUBSCRIBE", "news")
	}
	p := r.dial()
	const n = 1500 // fits into a socket's buffer, but exceeds limits.mail with 20 subscribers
	p.send(strings.Repeat(command("PUBLISH", "news", "x"), n) + command("ECHO", "end"))
	down := r.shutdown()
	got, _ := p.rest()
	if strings.Count(string(got), "\r\n") != n+2 || !strings.HasSuffix(string(got), bulk("end")) {
		t.Errorf("%d lines of replies, want %d: %s", strings.Count(string(got), "\r\n"), n+2, short(got))
	}
	for _, c := range r.clients {
		c.Close()
	}
	r.ends(<-down)
	if s := r.srv.redis.Stats; s.OutputLimit != 0 {
		t.Errorf("%d subscribers were closed", s.OutputLimit)
	}
}

// A message does not get into the middle of a large reply that is being sent.
func TestMessageDuringLargeReply(t *testing.T) {
	r := run(t, small(), "")
	sub, pub := r.dial(), r.dial()
	value := letters(24<<20, 'v')
	pub.ask("+OK\r\n", "SET", "k", value)
	sub.hello3()
	sub.ask(push(subscribed("news", 1)), "SUBSCRIBE", "news")
	sub.send(command("GET", "k") + command("ECHO", "after"))
	r.until("being sent", func(s reactor.Stats) bool { return s.BytesOut > 1<<20 })
	large := letters(100<<10, 'm')
	pub.send(command("PUBLISH", "news", "one") + command("PUBLISH", "news", large) + command("PUBLISH", "news", "three"))
	pub.wants(":1\r\n:1\r\n:1\r\n")
	sub.wants(bulk(value))
	sub.wants(push(message("news", "one")) + push(message("news", large)) + push(message("news", "three")))
	sub.wants(bulk("after"))
}

// A subscriber that never reads is closed and counted. Its publisher and other subscribers
// are not affected.
func TestSubscriberThatNeverReads(t *testing.T) {
	short := 1000
	if testing.Short() {
		short = 8000 // fills the kernel's megabytes in hundreds of rounds, not thousands
	}
	for name, size := range map[string]int{"short messages": short, "large messages": 100 << 10} {
		t.Run(name, func(t *testing.T) {
			l := small()
			l.output = 1 << 20
			r := run(t, l, "")
			deaf, sub, pub := r.dial(), r.dial(), r.dial()
			// A small buffer in the kernel fills in fewer rounds.
			if err := deaf.Conn.(*net.TCPConn).SetReadBuffer(8 << 10); err != nil {
				t.Fatal(err)
			}
			deaf.ask(subscribed("news", 1), "SUBSCRIBE", "news")
			sub.ask(subscribed("news", 1), "SUBSCRIBE", "news")
			payload := letters(size, 'p')
			want := message("news", payload)
			for end := time.Now().Add(patient); ; {
				pub.send(command("PUBLISH", "news", payload))
				line := pub.line()
				sub.wants(want)
				if line == ":1" {
					break // only sub is left
				}
				if time.Now().After(end) {
					t.Fatal("the subscriber that does not read is still there")
				}
			}
			if s := r.stop(); s.OutputLimit != 1 {
				t.Errorf("output limit %d: want 1", s.OutputLimit)
			}
		})
	}
}

// A killed client is gone at once, whatever it is doing: it gets no more messages, its unread
// output is dropped, and other clients are not affected.
func TestClientKill(t *testing.T) {
	r := run(t, small(), "")
	killer := r.dial()
	killer.ask("+OK\r\n", "SET", "k", letters(8<<20, 'v'))
	idle, listener, busy, begun := r.dial(), r.dial(), r.dial(), r.dial()
	idle.ask("+PONG\r\n", "PING")
	listener.ask(subscribed("news", 1), "SUBSCRIBE", "news")
	begun.send("*2\r\n$4\r\nECHO\r\n$100\r\n")
	busy.send(strings.Repeat(command("GET", "k"), 10))
	r.until("being sent", func(s reactor.Stats) bool { return s.BytesOut > 1<<20 })
	killer.ask(":1\r\n", "CLIENT", "KILL", "TYPE", "pubsub")
	killer.ask(":0\r\n", "PUBLISH", "news", "x")
	killer.ask(":3\r\n", "CLIENT", "KILL", "TYPE", "normal")
	killer.ask(":0\r\n", "CLIENT", "KILL", "TYPE", "normal")
	for _, c := range []*client{idle, listener, begun} {
		c.closes()
	}
	if got, _ := busy.rest(); len(got) >= 80<<20 {
		t.Error("the killed client got all of its replies")
	}
	killer.ask(":1\r\n", "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
	killer.closes()
	if s := r.withoutClients(); s.Held != 0 {
		t.Errorf("ports hold %d bytes and there is no client", s.Held)
	}
}

func TestPatternsAndUnsubscribe(t *testing.T) {
	r := run(t, small(), "")
	s, p := r.dial(), r.dial()
	s.ask("*3\r\n"+bulk("psubscribe")+bulk("n*")+":1\r\n", "PSUBSCRIBE", "n*")
	s.ask(subscribed("news", 2), "SUBSCRIBE", "news")
	p.ask(":2\r\n", "PUBLISH", "news", "x")
	s.wants(message("news", "x") + "*4\r\n" + bulk("pmessage") + bulk("n*") + bulk("news") + bulk("x"))
	s.ask("*3\r\n"+bulk("unsubscribe")+bulk("news")+":1\r\n", "UNSUBSCRIBE", "news")
	p.ask(":1\r\n", "PUBLISH", "news", "y")
	s.wants("*4\r\n" + bulk("pmessage") + bulk("n*") + bulk("news") + bulk("y"))
	s.ask("*3\r\n"+bulk("punsubscribe")+bulk("n*")+":0\r\n", "PUNSUBSCRIBE")
	s.ask("$1\r\nz\r\n", "ECHO", "z")
}

// A message that the reply to PUBLISH counts comes before the reply to what its subscriber
// sends in the same turn of the loop, and is not lost if that ends the subscription.
func TestMessageBeforeReply(t *testing.T) {
	r := run(t, small(), "")
	busy, pub := r.dial(), r.dial()
	var ask strings.Builder
	for i := range 50_000 {
		ask.WriteString(command("SET", fmt.Sprint("key", i), "v"))
	}
	go io.WriteString(busy.Conn, ask.String())
	busy.wants(strings.Repeat("+OK\r\n", 50_000))
	unsubscribed := "*3\r\n" + bulk("unsubscribe") + bulk("news") + ":0\r\n"
	first := 0 // cases in which PUBLISH came first
	for _, c := range []struct{ sent, reply string }{
		{command("UNSUBSCRIBE", "news"), unsubscribed},
		{command("UNSUBSCRIBE"), unsubscribed},
		{command("RESET"), "+RESET\r\n"},
		{command("QUIT"), "+OK\r\n"},
		{"*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
	} {
		sub := r.dial()
		sub.ask(subscribed("news", 1), "SUBSCRIBE", "news")
		if sendBoth(busy, pub, sub, command("PUBLISH", "news", "m"), c.sent); pub.line() == ":1" {
			first++
			sub.wants(message("news", "m"))
		}
		sub.wants(c.reply)
		sub.Close()
	}
	// Where the subscription stays, a key tells which input the loop found first.
	for _, c := range []struct{ sent, reply string }{
		{command("PING"), "+PONG\r\n"},
		{command("SUBSCRIBE", "more"), push(subscribed("more", 2))},
		{command("PUNSUBSCRIBE"), ">3\r\n" + bulk("punsubscribe") + "_\r\n:1\r\n"},
	} {
		pub.send(command("DEL", "published"))
		pub.line()
		sub := r.dial()
		sub.hello3()
		sub.ask(push(subscribed("news", 1)), "SUBSCRIBE", "news")
		sendBoth(busy, pub, sub, command("SET", "published", "yes")+command("PUBLISH", "news", "m"), command("EXISTS", "published")+c.sent)
		pub.wants("+OK\r\n:1\r\n")
		head, err := sub.in.Peek(1)
		if err != nil {
			t.Fatal(err)
		}
		if head[0] == '>' {
			first++
			sub.wants(push(message("news", "m")) + ":1\r\n" + c.reply)
		} else {
			sub.wants(":0\r\n" + c.reply + push(message("news", "m")))
		}
		sub.ask("+OK\r\n", "QUIT")
	}
	if first == 0 {
		t.Error("PUBLISH never came first")
	}
}

// sendBoth sends what pub and sub say while busy keeps the loop in one long call, so that the
// loop finds both in its next turn.
func sendBoth(busy, pub, sub *client, published, sent string) {
	busy.send(strings.Repeat(command("KEYS", "*a*b*c"), 10))
	time.Sleep(5 * time.Millisecond)
	pub.send(published)
	sub.send(sent)
	busy.wants(strings.Repeat("*0\r\n", 10))
}

// One PUBLISH may have more receivers than any queue has room for.
func TestPublishToManyPatterns(t *testing.T) {
	const clients, patterns = 100, 700
	r := run(t, small(), "")
	var subs []*client
	args, topics := []string{"PSUBSCRIBE"}, []string{}
	for i := range patterns {
		topics = append(topics, strings.Repeat("*", i+1))
	}
	args = append(args, topics...)
	var confirmed, want strings.Builder
	for i, topic := range topics {
		confirmed.WriteString("*3\r\n" + bulk("psubscribe") + bulk(topic) + fmt.Sprintf(":%d\r\n", i+1))
		want.WriteString("*4\r\n" + bulk("pmessage") + bulk(topic) + bulk("news") + bulk("x"))
	}
	for range clients {
		s := r.dial()
		s.ask(confirmed.String(), args...)
		subs = append(subs, s)
	}
	r.dial().ask(fmt.Sprintf(":%d\r\n", clients*patterns), "PUBLISH", "news", "x")
	for _, s := range subs {
		s.wants(want.String())
	}
	if s := r.stop(); s.OutputLimit != 0 {
		t.Errorf("%d subscribers were closed", s.OutputLimit)
	}
}
