package wire

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// drain sends everything in pieces of random length, and returns it.
func drain(o *Output, rnd *rand.Rand) string {
	var got []byte
	for o.Len() > 0 {
		front := o.Front()
		n := 1 + rnd.IntN(len(front))
		got = append(got, front[:n]...)
		before := o.Len()
		if o.Sent(n); o.Len() != before-n {
			panic("Len does not follow Sent")
		}
	}
	if o.Front() != nil {
		panic("something is left behind the end")
	}
	return string(got)
}

func TestReplies(t *testing.T) {
	for _, c := range []struct {
		write      func(*Output)
		two, three string
	}{
		{func(o *Output) { o.Simple("OK") }, "+OK\r\n", "+OK\r\n"},
		{func(o *Output) { o.Error("ERR a\r\nb\n\r\n") }, "-ERR a  b\r\n", "-ERR a  b\r\n"},
		{func(o *Output) { o.Int(7); o.Int(-7); o.Int(math.MinInt64) }, ":7\r\n:-7\r\n:-9223372036854775808\r\n", ":7\r\n:-7\r\n:-9223372036854775808\r\n"},
		{func(o *Output) { o.Bulk(nil); o.Text("0123456789") }, "$0\r\n\r\n$10\r\n0123456789\r\n", "$0\r\n\r\n$10\r\n0123456789\r\n"},
		{func(o *Output) { o.Text(strings.Repeat("x", 100)) }, "$100\r\n" + strings.Repeat("x", 100) + "\r\n", "$100\r\n" + strings.Repeat("x", 100) + "\r\n"},
		{func(o *Output) { o.Null() }, "$-1\r\n", "_\r\n"},
		{func(o *Output) { o.Bool(true); o.Bool(false) }, ":1\r\n:0\r\n", "#t\r\n#f\r\n"},
		{func(o *Output) { o.Double(1.5); o.Double(math.Inf(-1)) }, "$3\r\n1.5\r\n$4\r\n-inf\r\n", ",1.5\r\n,-inf\r\n"},
		{func(o *Output) { o.Double(math.Inf(1)); o.Double(math.NaN()) }, "$3\r\ninf\r\n$3\r\nnan\r\n", ",inf\r\n,nan\r\n"},
		{func(o *Output) { o.Verbatim("txt", "ab") }, "$2\r\nab\r\n", "=6\r\ntxt:ab\r\n"},
		{func(o *Output) { o.Array(12); o.Map(2); o.Set(3); o.Push(4) }, "*12\r\n*4\r\n*3\r\n*4\r\n", "*12\r\n%2\r\n~3\r\n>4\r\n"},
		{func(o *Output) {
			at := o.Mark()
			o.Int(1)
			o.InsertSet(at, 1)
			o.InsertText(at, "c")
			o.InsertArray(at, 2)
		}, "*2\r\n$1\r\nc\r\n*1\r\n:1\r\n", "*2\r\n$1\r\nc\r\n~1\r\n:1\r\n"},
	} {
		var two, three Output
		three.V3 = true
		c.write(&two)
		c.write(&three)
		if got := string(two.Front()); got != c.two {
			t.Errorf("got %q, want %q", got, c.two)
		}
		if got := string(three.Front()); got != c.three {
			t.Errorf("got %q, want %q", got, c.three)
		}
	}
}

// TestOutputModel writes random replies of all lengths, inserts array headers before them,
// moves outputs into others, and reads the result in pieces.
func TestOutputModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	value := bytes.Repeat([]byte("0123456789abcdef"), 4*Large/16)
	for range 60 {
		var o Output
		var want []byte
		for range rnd.IntN(40) {
			switch rnd.IntN(5) {
			case 0:
				o.Int(rnd.Int64N(1000))
				want = append(want, o.buf[bytes.LastIndexByte(o.buf, ':'):]...)
			case 1, 2:
				v := value[:rnd.IntN(len(value))]
				if kept := o.Value(v); kept != (len(v) >= Large) {
					t.Fatalf("%d bytes kept: %v", len(v), kept)
				}
				var copied Output
				copied.Bulk(v)
				want = append(want, copied.buf...)
			case 3:
				at, from := o.Mark(), len(want)
				o.Value(value)
				o.Text("behind")
				o.InsertArray(at, 2)
				var copied Output
				copied.Array(2)
				copied.Bulk(value)
				copied.Text("behind")
				want = append(want[:from], copied.buf...)
			case 4:
				var other Output
				other.Move(&o)
				if o.Len() != 0 {
					t.Fatal("something stayed behind")
				}
				if rnd.IntN(2) == 0 {
					o.Text("first")
					other.Text("behind")
					want = append([]byte("$5\r\nfirst\r\n"), append(want, "$6\r\nbehind\r\n"...)...)
				}
				o.Move(&other)
			}
		}
		if o.Len() != len(want) {
			t.Fatalf("Len %d, want %d", o.Len(), len(want))
		}
		if got := drain(&o, rnd); got != string(want) {
			t.Fatalf("%d bytes differ from the %d wanted", len(got), len(want))
		}
		if cap(o.buf) > keepOutput || o.Len() != 0 || !o.Contiguous() {
			t.Fatalf("%d bytes kept", cap(o.buf))
		}
	}
}

// Long values are sent without a copy.
func TestValueIsNotCopied(t *testing.T) {
	value := make([]byte, Large)
	var o, late Output
	o.Value(value)
	late.Move(&o)
	late.Sent(len(late.Front()))
	if &late.Front()[0] != &value[0] {
		t.Error("the value was copied")
	}
}
