package redis_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/examples/resp/redis"
)

// A watched key that expires is a change, whether or not anything removed it before EXEC. A
// key that had expired when it was watched is none.
func TestWatchExpiry(t *testing.T) {
	p := pair{addr: startRedis(t), srv: redis.NewServer(redis.Config{})}
	watcher, other := p.on(t, "1"), p.on(t, "2")
	for i, lines := range [][]string{
		{"SET a 1 PX 30", "WATCH a", "SLEEP", "MULTI", "EXEC"},
		{"SET a 1 PX 30", "WATCH a", "SLEEP", "2 GET a", "MULTI", "EXEC"},
		{"SET a 1 PX 30", "WATCH a", "SLEEP", "MULTI", "SET b 1", "EXEC", "GET b"},
		{"SET a 1 PX 30", "SLEEP", "WATCH a", "MULTI", "EXEC"},
		{"SET a 1 PX 30", "SLEEP", "WATCH a", "2 GET a", "2 DEL a", "MULTI", "EXEC"},
		{"SET a 1 PX 30", "SLEEP", "WATCH a", "2 SET a 2", "MULTI", "EXEC"},
		{"SET a 1 PX 30", "SLEEP", "WATCH a", "2 FLUSHDB", "MULTI", "EXEC"},
		{"SET a 1 PX 30", "WATCH a", "2 PERSIST a", "SLEEP", "MULTI", "EXEC"},
		{"SET a 1 PX 30", "WATCH b a", "MULTI", "SLEEP", "GET a", "EXEC"},
		{"SET a 1 PX 30", "MULTI", "GET a", "SLEEP", "EXEC"},
	} {
		for _, line := range lines {
			both := watcher
			if line == "SLEEP" {
				time.Sleep(60 * time.Millisecond)
				continue
			} else if rest, ok := strings.CutPrefix(line, "2 "); ok {
				both, line = other, rest
			}
			got, want := both[0].say(t, []byte(line+"\r\n")), both[1].say(t, []byte(line+"\r\n"))
			if got != want {
				t.Errorf("case %d %q, %s:\n got %q\nwant %q", i, lines, line, got, want)
			}
		}
	}
}

// TestRandomTransactions runs the same random commands of three clients on both servers.
func TestRandomTransactions(t *testing.T) {
	addr := startRedis(t)
	for _, version := range []string{"2", "3"} {
		rnd := rand.New(rand.NewPCG(30, uint64(version[0])))
		p := pair{addr: addr, srv: redis.NewServer(redis.Config{})}
		p.on(t, "0")[1].say(t, []byte("FLUSHALL\r\n"))
		for i := range 3 {
			for _, peer := range p.on(t, strconv.Itoa(i)) {
				peer.say(t, command("HELLO", version))
			}
		}
		var done []string
		aborted, failed, ran := 0, 0, 0
		for range 8000 {
			conn := strconv.Itoa(rnd.IntN(3))
			marks, args := randomInTransaction(rnd)
			done = append(done, fmt.Sprintf("%s> %q", conn, args))
			both := p.on(t, conn)
			got, want := both[0].say(t, command(args...)), both[1].say(t, command(args...))
			if !alike(got, want, marks) {
				t.Fatalf("RESP%s\n%s\n got %q\nwant %q", version, strings.Join(done[max(0, len(done)-25):], "\n"), got, want)
			}
			if args[0] == "EXEC" {
				switch {
				case strings.HasPrefix(want, "-EXECABORT"):
					failed++
				case want == "*-1\r\n", want == "_\r\n":
					aborted++
				case want[0] == '*':
					ran++
				}
			}
		}
		if aborted < 50 || failed < 20 || ran < 100 {
			t.Errorf("RESP%s: EXEC returned null %d times, failed %d and ran %d times: too few", version, aborted, failed, ran)
		}
	}
}

func randomInTransaction(rnd *rand.Rand) (marks string, args []string) {
	key := func() string { return "k" + strconv.Itoa(rnd.IntN(12)) }
	switch rnd.IntN(20) {
	case 0, 1:
		return "", []string{"MULTI"}
	case 2, 3, 4:
		return "~", []string{"EXEC"} // it may contain a TTL
	case 5:
		return "", []string{"WATCH", key()}
	case 6:
		return "", []string{"WATCH", key(), key()}
	case 7:
		switch rnd.IntN(6) {
		case 0:
			return "", []string{"DISCARD"}
		case 1:
			return "", []string{"UNWATCH"}
		case 2:
			return "", []string{"EXEC", "x"}
		case 3:
			return "", []string{"SELECT", strconv.Itoa(rnd.IntN(2))}
		case 4:
			return "", []string{"FLUSHDB"}
		}
	}
	for {
		marks, args = randomCommand(rnd)
		// An EXEC with these would need another comparison of its reply.
		if marks != "#" && args[0] != "" && (rnd.IntN(8) == 0 || !strings.Contains(strings.ToUpper(args[0]), "GETEX")) {
			return marks, args
		}
	}
}
