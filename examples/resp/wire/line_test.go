package wire

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// Integer agrees with strconv except for the forms that redis-server rejects.
func TestInteger(t *testing.T) {
	for _, s := range []string{"", "-", "+1", "01", "-0", "-01", "00", " 1", "1 ", "1_0", "0x1", "a", "9223372036854775808",
		"-9223372036854775809", "99999999999999999999", "-99999999999999999999", "111111111111111111111", "1\x00", "--1"} {
		if v, ok := Integer([]byte(s)); ok {
			t.Errorf("%q is %d", s, v)
		}
	}
	check := func(v int64) {
		s := strconv.FormatInt(v, 10)
		if got, ok := Integer([]byte(s)); !ok || got != v {
			t.Errorf("%s is %d, %v", s, got, ok)
		}
	}
	for _, v := range []int64{0, 1, -1, 9, 10, 1<<63 - 1, -1 << 63, 999999999999999999, 1000000000000000000, -999999999999999999} {
		check(v)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		check(int64(rnd.Uint64()) >> rnd.IntN(64))
	}
}

func FuzzInteger(f *testing.F) {
	f.Add([]byte("-9223372036854775808"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, ok := Integer(b)
		// A number in the form that FormatInt writes is always accepted.
		want, err := strconv.ParseInt(string(b), 10, 64)
		canonical := err == nil && strconv.FormatInt(want, 10) == string(b)
		if ok != canonical || ok && v != want {
			t.Errorf("%q is %d, %v", b, v, ok)
		}
	})
}
