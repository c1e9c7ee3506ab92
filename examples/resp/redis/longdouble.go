package redis

import (
	"bytes"
	"math/big"
	"strings"
)

// long is a number as INCRBYFLOAT computes with: the 80-bit extended format of
// x86, 64 bits of mantissa, so that sums print like those of redis-server
// there.
type long struct {
	f   *big.Float // nil for an infinity
	neg bool       // of the infinity
}

// The format's range: exponents as of big.Float, whose mantissa is below 1.
const (
	longPrec   = 64
	longMaxExp = 16384
	longMinExp = -16381 - 64 // the smallest denormal
	longChars  = 5 * 1024    // no number is longer, as text
)

// parseLong reads a decimal, a hexadecimal float, or an infinity, as strtold
// does: all of b, without a space before it.
func parseLong(b []byte) (v long, ok bool) {
	if len(b) == 0 || len(b) >= longChars || bytes.IndexByte(b, '_') >= 0 {
		return v, false
	}
	s := strings.ToLower(string(b))
	body := strings.TrimLeft(s, "+-")
	if len(s)-len(body) > 1 {
		return v, false
	}
	if body == "inf" || body == "infinity" {
		return long{neg: s[0] == '-'}, true
	}
	base, digits := 10, "0123456789.e+-"
	if strings.HasPrefix(body, "0x") {
		base, digits = 0, "0123456789abcdefx.p+-"
	}
	if body == "" || strings.Trim(body, digits) != "" {
		return v, false
	}
	// Twice the precision and once more, so that rounding the text first does
	// not show.
	f, _, err := big.ParseFloat(s, base, 4*longPrec, big.ToNearestEven)
	if err != nil {
		return v, false
	}
	f.SetPrec(longPrec)
	if f.Sign() != 0 && (f.IsInf() || f.MantExp(nil) > longMaxExp || f.MantExp(nil) < longMinExp) {
		return v, false
	}
	return long{f: f}, true
}

// add is the sum, unless it is infinite or no number.
func (v long) add(w long) (sum long, ok bool) {
	if v.f == nil || w.f == nil {
		return sum, false
	}
	f := new(big.Float).SetPrec(longPrec).Add(v.f, w.f)
	if f.Sign() != 0 && f.MantExp(nil) > longMaxExp {
		return sum, false
	}
	return long{f: f}, true
}

// text is the number with 17 digits behind the point, without the zeros at its
// end.
func (v long) text() []byte {
	b := v.f.Append(nil, 'f', 17)
	b = bytes.TrimRight(b, "0")
	b = bytes.TrimSuffix(b, []byte("."))
	if string(b) == "-0" {
		return []byte("0")
	}
	return b
}
