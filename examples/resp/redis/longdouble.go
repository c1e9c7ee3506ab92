package redis

import (
	"bytes"
	"math/big"
	"strings"
)

// long is a number of INCRBYFLOAT. It has the 80-bit extended format of x86, with a mantissa
// of 64 bits, so that sums have the same digits as those of redis-server on x86.
type long struct {
	f   *big.Float // nil for an infinity
	neg bool       // of the infinity
}

// The range of that format, with exponents like those of big.Float, whose mantissa is below 1.
const (
	longPrec   = 64
	longMaxExp = 16384
	longMinExp = -16381 - 64 // the smallest denormal
	longChars  = 5 * 1024    // a number has fewer characters than this
)

// parseLong parses all of b as strtold does: a decimal or hexadecimal number, or an infinity.
// Leading spaces are not allowed.
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
	// Parse with far more precision, so that rounding twice gives the same result as
	// rounding once.
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

// add returns the sum. ok is false if the sum is infinite or not a number.
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

// text formats the number with up to 17 digits after the point, without trailing zeros.
func (v long) text() []byte {
	b := v.f.Append(nil, 'f', 17)
	b = bytes.TrimRight(b, "0")
	b = bytes.TrimSuffix(b, []byte("."))
	if string(b) == "-0" {
		return []byte("0")
	}
	return b
}
