package redis_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/examples/resp/redis"
	"github.com/stator-go/stator/internal/testenv"
)

// tolerance is how much the times in two replies may differ, in the reply's own unit, which
// is at the finest milliseconds.
const tolerance = 5000

// TestScripts sends each script of testdata to a redis-server and to a Session, and compares
// the replies. A line is an inline command after these optional marks:
//
//	2> the command is sent on connection 2, opened at its first use; the default is 1
//	~  numbers in the replies may differ by the tolerance
//	#  the elements of the replies may be in any order
//	?  only the kind of the reply is compared
//	!  the connection ends after this command
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.script")
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no scripts")
	}
	addr, secret := startRedis(t), startRedis(t, "--requirepass", "secret")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".script")
		for _, version := range []string{"2", "3"} {
			t.Run(name+"/RESP"+version, func(t *testing.T) {
				p := pair{addr: addr}
				var cfg redis.Config
				if name == "password" {
					p.addr, cfg.Password = secret, "secret"
				}
				p.srv = redis.NewServer(cfg)
				p.script(t, string(text), version)
			})
		}
	}
}

// pair is the two servers and the connections to them.
type pair struct {
	addr  string
	srv   *redis.Server
	peers map[string][2]peer
}

func (p *pair) on(t *testing.T, conn string) [2]peer {
	if p.peers == nil {
		p.peers = make(map[string][2]peer)
	}
	both, ok := p.peers[conn]
	if !ok {
		both = [2]peer{newOurs(p.srv), dialRedis(t, p.addr)}
		p.peers[conn] = both
	}
	return both
}

var lineForm = regexp.MustCompile(`^(?:(\d)> )?([~#?!]*) ?(.*)$`)

func (p *pair) script(t *testing.T, text, version string) {
	p.on(t, "1")[1].say(t, []byte("AUTH secret\r\nFLUSHALL\r\nRESET\r\n"))
	greeted := map[string]bool{}
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		m := lineForm.FindStringSubmatch(strings.ReplaceAll(line, "NOW", strconv.FormatInt(time.Now().Unix(), 10)))
		conn, marks, cmd := m[1], m[2], m[3]+"\r\n"
		if conn == "" {
			conn = "1"
		}
		both := p.on(t, conn)
		if version == "3" && !greeted[conn] && p.addr != "" {
			greeted[conn] = true
			for _, peer := range both {
				peer.say(t, []byte("HELLO 3\r\n"))
			}
		}
		send := peer.say
		if strings.Contains(marks, "!") {
			send = peer.last
			delete(p.peers, conn)
		}
		got, want := send(both[0], t, []byte(cmd)), send(both[1], t, []byte(cmd))
		if !alike(got, want, marks) {
			t.Errorf("line %d: %s\n got %q\nwant %q", i+1, line, got, want)
		}
	}
}

var numbers = regexp.MustCompile(`-?\d+`)

// alike compares two replies by the marks of their line.
func alike(got, want, marks string) bool {
	switch {
	case got == want:
		return true
	case strings.Contains(marks, "~"):
		g, w := numbers.FindAllString(got, -1), numbers.FindAllString(want, -1)
		if len(g) != len(w) || numbers.ReplaceAllString(got, "") != numbers.ReplaceAllString(want, "") {
			return false
		}
		for i := range g {
			x, err1 := strconv.ParseInt(g[i], 10, 64)
			y, err2 := strconv.ParseInt(w[i], 10, 64)
			if err1 != nil || err2 != nil || max(x-y, y-x) > tolerance || (x < 0) != (y < 0) {
				return false
			}
		}
		return true
	case strings.Contains(marks, "#"):
		g, w := strings.Split(got, "$"), strings.Split(want, "$")
		slices.Sort(g)
		slices.Sort(w)
		return slices.Equal(g, w)
	case strings.Contains(marks, "?"):
		return got != "" && want != "" && got[0] == want[0]
	}
	return false
}

// TestViolations sends bytes that violate the protocol, or nearly, and compares all replies
// until the connection ends.
func TestViolations(t *testing.T) {
	addr := startRedis(t)
	long := strings.Repeat("x", 70_000)
	for _, in := range []string{
		"*0\r\nPING\r\n", "*-1\r\nPING\r\n", "*\r\nPING\r\n", "*a\r\nPING\r\n", "*1a\r\n", "*01\r\n", "*+1\r\n", "*-0\r\n",
		"*99999999999999999999\r\n", "*2147483648\r\n", "*1\r\n", "*1\r\n\r\n", "*1\r\n\n\r\n", "*1\r\n:1\r\n", "*1\r\n$\r\n",
		"*1\r\n$-1\r\n", "*1\r\n$-9\r\n", "*1\r\n$4\r\nPINGxxPING\r\n", "*1\rx$4\rxPINGxxPING\r\n", "*1\r\n$67108865\r\n",
		"*1\r\n$99999999999999999999\r\n", "*2\r\n$4\r\nECHO\r\nhello\r\n", "*1\x00\r\nPING\r\n", "PING\x00\r\nPING\r\n",
		"\r\n\r\n\n  \n PING \n", "ECHO \"a\n", "ECHO 'a\n", "ECHO \"a\"b\n", "ECHO 'a'b\n", "ECHO a\"b c\"\n", "ECHO a'b c'\n",
		`ECHO "\x41\x4g\n\r\t\b\a\q\""` + "\n", `ECHO '\n\''` + "\n", "ECHO a\vb\n", "ECHO \v\fa\n", "ECHO \"\"\n", "PING\r\r\n",
		"Host: x\r\nPING\r\n", "POST / HTTP/1.1\r\nPING\r\n", "PING\r\nPOST / HTTP/1.1\r\nPING\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "SUBSCRIBE a\r\nhost:\r\n", "MULTI\r\nPING\r\nPOST\r\nEXEC\r\n", "HELLO 3\r\n*1\r\n$4\r\npost\r\n",
		strings.Repeat(" ", 65_530) + "PING\r\nPING\r\n", strings.Repeat(" ", 70_000), "PING\r\nQUIT\r\nPING\r\n", "quit a b\r\n", "PING\r\n*1\r\nx\r\n",
		long, "*" + long, "*1\r\n$" + long, "PING\r\n" + long, "*1\x00" + long, "ECHO " + long[:65000] + "\r\nPING\r\n",
		"*1\r\n$0\r\n\r\n", "*2\r\n$0\r\n\r\n$1\r\na\r\n", "\x16\x03\x01\r\n", "*1048576\r\n$1\r\na\r\n",
	} {
		mine := newOurs(redis.NewServer(redis.Config{}))
		got, want := mine.last(t, []byte(in)), dialRedis(t, addr).last(t, []byte(in))
		if got != want {
			t.Errorf("%.80q:\n got %.300q\nwant %.300q", in, got, want)
		}
	}
}

// TestUnauthenticated does the same with a client that has not sent the password.
func TestUnauthenticated(t *testing.T) {
	addr := startRedis(t, "--requirepass", "secret")
	const auth = "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n"
	ten := strings.Repeat("$1\r\na\r\n", 10)
	for _, in := range []string{
		"*10\r\n" + ten + "PING\r\n", "*11\r\n", "*11\r\n" + ten, "PING\r\n*11\r\n", auth + "*11\r\n" + ten + "$1\r\na\r\nPING\r\n",
		"*2147483647\r\n", "*2147483648\r\n", "*x\r\n", "*-11\r\nPING\r\n", "a b c d e f g h i j k l m\r\n",
		"*1\r\n$16384\r\n" + strings.Repeat("x", 16384) + "\r\nPING\r\n", "*1\r\n$16385\r\n", "*2\r\n$4\r\nPING\r\n$16385\r\n",
		"*1\r\n$67108864\r\n", "*1\r\n$67108865\r\n", "*1\r\n$-1\r\n", "*1\r\nx16385\r\n", auth + "*2\r\n$4\r\nECHO\r\n$20000\r\n" + strings.Repeat("x", 20000) + "\r\n",
		auth + "RESET\r\n*11\r\n", auth + "AUTH wrong\r\n*11\r\n" + ten + "$1\r\na\r\n", "echo " + strings.Repeat("x", 20000) + "\r\n",
	} {
		mine := newOurs(redis.NewServer(redis.Config{Password: "secret"}))
		got, want := mine.last(t, []byte(in)), dialRedis(t, addr).last(t, []byte(in))
		if got != want {
			t.Errorf("%.80q:\n got %.300q\nwant %.300q", in, got, want)
		}
	}
}

// A command may have more arguments than redis-server allowed before 7.0: 1,048,576.
func TestManyArguments(t *testing.T) {
	const many = 1_100_000
	names := make([]string, many)
	for i := range names {
		names[i] = strconv.Itoa(i % 10)
	}
	mine, addr := newOurs(redis.NewServer(redis.Config{})), startRedis(t)
	for _, name := range []string{"MSET", "DEL"} {
		in := command(append([]string{name}, names...)...)
		if got, want := mine.say(t, in), dialRedis(t, addr).say(t, in); got != want {
			t.Errorf("%s of %d arguments: got %.200q, want %.200q", name, many, got, want)
		}
	}
}

// TestPatterns lists keys by random patterns. Keys and patterns have bytes of all kinds, and
// one key is empty.
func TestPatterns(t *testing.T) {
	p := pair{addr: startRedis(t), srv: redis.NewServer(redis.Config{})}
	both := p.on(t, "1")
	rnd := rand.New(rand.NewPCG(3, 4))
	word := func(letters string, most int) string {
		b := make([]byte, rnd.IntN(most))
		for i := range b {
			b[i] = letters[rnd.IntN(len(letters))]
		}
		return string(b)
	}
	set := command("SET", "", "")
	for range 200 {
		set = append(set, command("SET", word("aabc-]\\^*\x00\x7f\xe4\xff", 6), "")...)
	}
	for _, peer := range both {
		peer.say(t, set)
	}
	found := 0
	patterns := []string{"", "*", "**", "***", "?", "*?", "[", "[^", "[^]", "\\", "*\\", "[a-", "[\\", "*a*"}
	for range 1500 {
		patterns = append(patterns, word("aabc**?[[]]^--\\\x00\x7f\xe4\xff", 9))
	}
	for _, pattern := range patterns {
		for _, ask := range [][]byte{command("KEYS", pattern), command("SCAN", "0", "COUNT", "1000", "MATCH", pattern)} {
			got, want := both[0].say(t, ask), both[1].say(t, ask)
			if !alike(got, want, "#") {
				t.Errorf("%q:\n got %.200q\nwant %.200q", ask, got, want)
			}
			if strings.Count(want, "$") > 1 { // SCAN's cursor is the first
				found++
			}
		}
	}
	if found < 500 {
		t.Errorf("%d times a key was found: the input is too poor", found)
	}
}

// TestRandomProgram runs the same random commands on both.
func TestRandomProgram(t *testing.T) {
	addr := startRedis(t)
	for _, version := range []string{"2", "3"} {
		seed := uint64(20 + len(version))
		rnd := rand.New(rand.NewPCG(seed, uint64(version[0])))
		p := pair{addr: addr, srv: redis.NewServer(redis.Config{})}
		both := p.on(t, "1")
		both[1].say(t, []byte("FLUSHALL\r\n"))
		for _, peer := range both {
			peer.say(t, command("HELLO", version))
		}
		var done []string
		for range testenv.Pick(2000, 6000) {
			marks, args := randomCommand(rnd)
			done = append(done, fmt.Sprintf("%q", args))
			got, want := both[0].say(t, command(args...)), both[1].say(t, command(args...))
			if !alike(got, want, marks) {
				t.Fatalf("RESP%s\n%s\n got %q\nwant %q", version,
					strings.Join(done[max(0, len(done)-15):], "\n"), got, want)
			}
		}
		t.Logf("RESP%s: %d commands, %d errors, %d keys", version, p.srv.Stats.Commands, p.srv.Stats.Errors, p.srv.Keys.DBs[0].Len())
	}
}

// randomCommand returns a command, which is valid more often than not, and the marks for
// comparing its replies.
func randomCommand(rnd *rand.Rand) (marks string, args []string) {
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	key := func() string { return "k" + strconv.Itoa(rnd.IntN(12)) }
	value := func() string {
		switch rnd.IntN(8) {
		case 0:
			return strconv.FormatInt(int64(rnd.Uint64()), 10)
		case 1:
			return strconv.FormatFloat(rnd.NormFloat64()*1e6, 'g', -1, 64)
		case 2:
			return strings.Repeat("long ", rnd.IntN(8000))
		case 3:
			return pick("", "abc", " 1", "1 ", "+1", "-0", "007", "1e3", "inf", "-inf", "nan", "0x10", "9223372036854775807", "-9223372036854775808", "\x00\r\n", "3.0e-7", "1e400", "1e5000")
		}
		return strconv.Itoa(rnd.IntN(2000) - 1000)
	}
	number := func() string {
		if rnd.IntN(5) == 0 {
			return value()
		}
		return strconv.Itoa(rnd.IntN(60) - 30)
	}
	later := func() string { return strconv.Itoa(100_000 + rnd.IntN(50_000_000)) }
	future := func() string { return strconv.FormatInt(time.Now().UnixMilli()+100_000_000+rnd.Int64N(1e9), 10) }
	letters := func(s string) string { // in random case
		b := []byte(s)
		for i := range b {
			if rnd.IntN(2) == 0 {
				b[i] |= 0x20
			}
		}
		return string(b)
	}
	say := func(a ...string) (string, []string) {
		a[0] = letters(a[0])
		if rnd.IntN(50) == 0 {
			a = append(a, value()) // one too many
		}
		if rnd.IntN(50) == 0 {
			a = a[:len(a)-1]
		}
		if len(a) == 0 {
			a = []string{""}
		}
		return "", a
	}
	options := func() (list []string) {
		for range rnd.IntN(4) {
			switch o := pick("NX", "XX", "GET", "KEEPTTL", "EX", "PX", "PXAT", "PERSIST", "junk"); o {
			case "EX", "PX":
				list = append(list, letters(o), later())
			case "PXAT":
				list = append(list, o, future())
			default:
				list = append(list, letters(o))
			}
		}
		return list
	}
	switch rnd.IntN(34) {
	case 0, 1, 2:
		return say("SET", key(), value())
	case 3:
		return say(append([]string{"SET", key(), value()}, options()...)...)
	case 4, 5:
		return say("GET", key())
	case 6:
		return say(append([]string{"GETEX", key()}, options()...)...)
	case 7:
		return say(pick("GETSET", "SETNX", "APPEND"), key(), value())
	case 8:
		return say(pick("GETDEL", "STRLEN", "TYPE", "PERSIST"), key())
	case 9:
		return say(pick("SETEX", "PSETEX"), key(), pick(later(), later(), later(), number()+"000000"), value())
	case 10:
		return say(pick("DEL", "UNLINK", "EXISTS", "TOUCH"), key(), key(), key())
	case 11, 12:
		return say(pick("INCR", "DECR"), key())
	case 13, 14:
		return say(pick("INCRBY", "DECRBY"), key(), number())
	case 15, 16, 17:
		return say("INCRBYFLOAT", key(), pick(number(), value()))
	case 18, 19:
		return say(pick("GETRANGE", "SUBSTR"), key(), number(), number())
	case 20:
		return say("SETRANGE", key(), number(), pick(value(), ""))
	case 21:
		return say("MGET", key(), key(), key())
	case 22:
		return say(pick("MSET", "MSETNX"), key(), value(), key(), value())
	case 23, 24:
		a := []string{pick("EXPIRE", "PEXPIRE"), key(), pick(later(), later(), number()+"0000000")}
		for range rnd.IntN(3) {
			a = append(a, letters(pick("NX", "XX", "GT", "LT")))
		}
		return say(a...)
	case 25:
		return say("PEXPIREAT", key(), pick(future(), future(), "1"))
	case 26:
		_, a := say(pick("TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"), key())
		return "~", a
	case 27:
		return "#", []string{"KEYS", pick("*", "k*", "k?", "k[1-3]", "k[^1-3]*", "*1", "k1*", "[a-z]1?", "\\k1", "k[3-1]", "k[", "k[1", "k\\")}
	case 28:
		return "#", []string{"SCAN", "0", "COUNT", "1000", "MATCH", pick("*", "k1*", "x")}
	case 29:
		return say(pick("RENAME", "RENAMENX"), key(), key())
	case 30:
		return say("DBSIZE")
	case 31:
		return say(pick("PING", "ECHO", "SELECT", "QUITE", "CLIENT", "CONFIG", ""), pick("0", "0", "0", value()))
	case 32:
		if rnd.IntN(10) == 0 {
			return say(pick("FLUSHALL", "FLUSHDB"))
		}
	}
	return say("SET", key(), strconv.Itoa(rnd.IntN(100)))
}
