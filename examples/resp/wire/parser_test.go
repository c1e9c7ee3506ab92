package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// parsed returns all commands in some bytes, and the error after them, as text. cuts returns
// the length of the next piece.
func parsed(t testing.TB, input []byte, l Limits, cuts func(left int) int) string {
	var p Parser
	a := NewArgs(l)
	var out strings.Builder
	var window, other []byte
	for {
		for {
			args, n, err := p.Next(window, a)
			if args != nil {
				for _, arg := range args {
					fmt.Fprintf(&out, "%q ", arg)
				}
				out.WriteByte('\n')
			}
			window = window[n:]
			if err != nil {
				if again, n, err2 := p.Next(window, a); again != nil || n != 0 || err2 != err {
					t.Fatalf("after %v: %q, %d, %v", err, again, n, err2)
				}
				fmt.Fprintf(&out, "! %v\n", err)
				return out.String()
			}
			if args == nil {
				break
			}
		}
		if len(window) > keepBytes+maxLine {
			t.Fatalf("%d bytes are left in the window", len(window))
		}
		if len(input) == 0 {
			return out.String()
		}
		// Move the window, so that the parser cannot rely on its old place.
		n := min(cuts(len(input)), len(input))
		other = append(append(other[:0], window...), input[:n]...)
		window, other = other, window[:0]
		input = input[n:]
	}
}

func whole(left int) int { return left }

func bytewise(int) int { return 1 }

func TestParse(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	for _, c := range []struct{ in, want string }{
		{"*1\r\n$4\r\nPING\r\n", "\"PING\" \n"},
		{"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$0\r\n\r\n", "\"GET\" \"k\" \n\"\" \n"},
		{"*0\r\n*-1\r\n*-9223372036854775808\r\nPING\r\n", "\"PING\" \n"},
		{"*1\r\n$2\r\nabXXPING\r\n", "\"ab\" \n\"PING\" \n"}, // the line end of a bulk is not checked
		{"*1\rX$2\rYab\r\n", "\"ab\" \n"},                    // nor is the byte after the \r of a header
		{"*1\r\n$70000\r\n" + long + "\r\n*1\r\n$1\r\nz\r\n", fmt.Sprintf("%q \n\"z\" \n", long)},
		{"*2147483647\r\n", ""},
		{"*2147483648\r\n", "! ERR Protocol error: invalid multibulk length\n"},
		{"*99999999999999999999\r\n", "! ERR Protocol error: invalid multibulk length\n"},
		{"*\r\n", "! ERR Protocol error: invalid multibulk length\n"},
		{"*01\r\n", "! ERR Protocol error: invalid multibulk length\n"},
		{"*+1\r\n", "! ERR Protocol error: invalid multibulk length\n"},
		{"*1 \r\n", "! ERR Protocol error: invalid multibulk length\n"},
		{"*1\r\n\r\n", "! ERR Protocol error: expected '$', got ' '\n"},
		{"*1\r\nx", ""},
		{"*1\r\nx\r", ""},
		{"*1\r\nx\r\n", "! ERR Protocol error: expected '$', got 'x'\n"},
		{"*1\r\n$-1\r\n", "! ERR Protocol error: invalid bulk length\n"},
		{"*1\r\n$x\r\n", "! ERR Protocol error: invalid bulk length\n"},
		{"*1\r\n$67108865\r\n", "! ERR Protocol error: invalid bulk length\n"},
		{"PING\r\n*2\r\n$4\r\nECHO\r\n$-3\r\n", "\"PING\" \n! ERR Protocol error: invalid bulk length\n"},
		{"*" + long, "! ERR Protocol error: too big mbulk count string\n"},
		{"*" + strings.Repeat("1", maxLine) + "\r\n", "! ERR Protocol error: too big mbulk count string\n"},
		{"*1\r\n$" + long, "! ERR Protocol error: too big bulk count string\n"},
		{"*1\x00\r\n", ""}, // a NUL hides the end of its line
		{"*1\x00\r\n" + long, "! ERR Protocol error: too big mbulk count string\n"},
		{"PING\x00\r\n", ""},
		{long, "! ERR Protocol error: too big inline request\n"},
		{long + "\n", "! ERR Protocol error: too big inline request\n"},
		{long[:maxLine] + "\n", fmt.Sprintf("%q \n", long[:maxLine])},
		{long[:maxLine+1] + "\n", "! ERR Protocol error: too big inline request\n"},
		{strings.Repeat(" ", 60_000) + "\nPING\n", "\"PING\" \n"},
		{"\r\n\n  \r\nset  k\tv \nGET k\n", "\"set\" \"k\" \"v\" \n\"GET\" \"k\" \n"},
		{`set "a b" 'c d' "\x41\n\"\q\x4" '\'\n' e"f g" ""` + "\n", `"set" "a b" "c d" "A\n\"qx4" "'\\n" "ef g" "" ` + "\n"},
		{"\"a\n", "! ERR Protocol error: unbalanced quotes in request\n"},
		{"'a\n", "! ERR Protocol error: unbalanced quotes in request\n"},
		{"\"a\\\n", "! ERR Protocol error: unbalanced quotes in request\n"},
		{"\"a\"b\n", "! ERR Protocol error: unbalanced quotes in request\n"},
		{"'a'b\n", "! ERR Protocol error: unbalanced quotes in request\n"},
	} {
		for name, cut := range map[string]func(int) int{"whole": whole, "bytewise": bytewise} {
			if got := parsed(t, []byte(c.in), Limits{}, cut); got != c.want {
				t.Errorf("%.60q, %s:\n%.200s\nwant\n%.200s", c.in, name, got, c.want)
			}
		}
	}
}

// protocolBytes returns random bytes in which the elements of the protocol are frequent.
func protocolBytes(rnd *rand.Rand) []byte {
	var b []byte
	for range 1 + rnd.IntN(8) {
		switch rnd.IntN(12) {
		case 0:
			b = append(b, "set k \"a b\" 'c'\r\n"...)
		case 1:
			b = append(b, "*0\r\n"...)
		case 2:
			b = append(b, "\r\n"...)
		case 3:
			b = fmt.Appendf(b, "*%d\r\n", rnd.IntN(200))
			for range rnd.IntN(200) {
				b = append(b, "$1\r\nx\r\n"...)
			}
		case 4:
			b = append(b, "*1\r\n$-1\r\n"[rnd.IntN(4):]...)
		default:
			n := 1 + rnd.IntN(4)
			b = fmt.Appendf(b, "*%d\r\n", n)
			for range n {
				size := rnd.IntN(20)
				if rnd.IntN(20) == 0 {
					size = rnd.IntN(60_000)
				}
				b = fmt.Appendf(b, "$%d\r\n%s\r\n", size, bytes.Repeat([]byte{'v'}, size))
			}
		}
	}
	if rnd.IntN(3) == 0 {
		b[rnd.IntN(len(b))] = "\r\n*$\x00\"'0 a-"[rnd.IntN(11)]
	}
	return b
}

func TestCutAnywhere(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	small := Limits{MaxBulk: 50_000, MaxArgs: 150, MaxCommand: 80_000}
	errors, commands := 0, 0
	for range 800 {
		in := protocolBytes(rnd)
		want := parsed(t, in, small, whole)
		errors += strings.Count(want, "! ")
		commands += strings.Count(want, "\n")
		most := 1 << rnd.IntN(16)
		if got := parsed(t, in, small, func(int) int { return 1 + rnd.IntN(most) }); got != want {
			t.Fatalf("%.2000q:\n%.2000s\nwant\n%.2000s", in, got, want)
		}
	}
	if errors < 50 || commands < 1500 {
		t.Errorf("%d commands and %d errors: the input is too poor", commands, errors)
	}
}

func FuzzParser(f *testing.F) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 8 {
		f.Add(protocolBytes(rnd), uint64(1))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		l := Limits{MaxBulk: 1000, MaxArgs: 100, MaxCommand: 3000}
		want := parsed(t, in, l, whole)
		if got := parsed(t, in, l, bytewise); got != want {
			t.Fatalf("%.2000q bytewise:\n%.2000s\nwant\n%.2000s", in, got, want)
		}
		rnd := rand.New(rand.NewPCG(seed, 0))
		if got := parsed(t, in, l, func(int) int { return 1 + rnd.IntN(64) }); got != want {
			t.Fatalf("%.2000q in pieces:\n%.2000s\nwant\n%.2000s", in, got, want)
		}
	})
}

// The buffer of a long command grows with the bytes that arrive, not with their announced number.
func TestNoMemoryInAdvance(t *testing.T) {
	var p Parser
	a := NewArgs(Limits{})
	in := []byte("*2\r\n$67108864\r\nabc")
	if _, n, err := p.Next(in, a); n != len(in) || err != nil {
		t.Fatal(n, err)
	}
	if got := cap(p.partial.buf); got > 64 {
		t.Errorf("%d bytes kept for the %d that came", got, len(in))
	}
	for came := len(in); came < 1<<20; came += 1000 {
		p.Next(make([]byte, 1000), a)
		if got := cap(p.partial.buf); got > 2*(came+1000)+64 {
			t.Fatalf("%d bytes kept for the %d that came", got, came+1000)
		}
	}
	if got := cap(a.list); got > 64 {
		t.Errorf("a list of %d arguments was made in advance", got)
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	in := []byte(strings.Repeat("*3\r\n$3\r\nSET\r\n$5\r\nkey:1\r\n$5\r\nvalue\r\n", 16) + "GET key:1\r\n*1\r\n$4\r\nPI")
	var p Parser
	a := NewArgs(Limits{})
	drain := func() {
		window, count := in, 0
		for {
			args, n, err := p.Next(window, a)
			if err != nil {
				t.Fatal(err)
			}
			window = window[n:]
			if args == nil {
				break
			}
			count++
		}
		p.want = 0 // the next run begins with other bytes
		if count != 17 || string(window) != "*1\r\n$4\r\nPI" {
			t.Fatalf("%d commands, and %q", count, window)
		}
	}
	drain()
	if n := testing.AllocsPerRun(100, drain); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParseSet(b *testing.B) {
	in := []byte("*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$3\r\nxyz\r\n")
	var p Parser
	a := NewArgs(Limits{})
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if args, _, _ := p.Next(in, a); len(args) != 3 {
			b.Fatal(args)
		}
	}
}

// The buffer of a long command is freed at the next call.
func TestLongCommandIsLetGo(t *testing.T) {
	var p Parser
	a := NewArgs(Limits{})
	in := fmt.Appendf(nil, "*2\r\n$3\r\nGET\r\n$100000\r\n")
	if _, n, _ := p.Next(in, a); n != len(in) {
		t.Fatalf("%d bytes taken of %d", n, len(in))
	}
	args, _, err := p.Next(make([]byte, 100_002), a)
	if len(args) != 2 || err != nil || p.Held() != 0 {
		t.Fatal(len(args), err, p.Held())
	}
	p.Next(nil, a)
	for _, arg := range a.list[:cap(a.list)] {
		if arg != nil {
			t.Errorf("%d bytes are held on to", len(arg))
		}
	}
}

// Arguments count as held even if they have no bytes of their own.
func TestHeldCountsArguments(t *testing.T) {
	var p Parser
	a := NewArgs(Limits{})
	in := []byte("*2000000\r\n" + strings.Repeat("$0\r\n\r\n", 1_500_000))
	for len(in) > 0 {
		args, n, err := p.Next(in[:min(len(in), 64<<10)], a)
		if args != nil || err != nil || n == 0 {
			t.Fatal(args, n, err)
		}
		in = in[n:]
	}
	if got := p.Held(); got < 1_500_000*(6+argBytes) {
		t.Errorf("%d bytes held", got)
	}
}
