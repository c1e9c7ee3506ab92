package wire

import (
	"bytes"
	"math"
	"strconv"
)

// index is where c first stands in b, or -1. A NUL before it hides it:
// redis-server looks for the ends of lines with a string function, and goes on
// collecting a line with a NUL in it until it is too long.
func index(b []byte, c byte) int {
	at := bytes.IndexByte(b, c)
	if at > 0 && bytes.IndexByte(b[:at], 0) >= 0 {
		return -1
	}
	return at
}

// line is where the line at the start of b has its end, c: errMore when it is
// not there yet, and tooLong once it can only come too late.
func line(b []byte, c byte, tooLong Error) (end int, bad Error) {
	end = index(b, c)
	switch {
	case end > maxLine || end < 0 && len(b) > maxLine:
		return 0, tooLong
	case end < 0:
		return 0, errMore
	}
	return end, ""
}

// badNumber is the value of a header that holds no number.
const badNumber = math.MinInt

// header reads a line of a mark and a number, "$12\r\n", at the start of b:
// the number, and the length of the line. The mark is the caller's to judge.
func header(b []byte, tooLong Error) (v, length int, bad Error) {
	// Up to nine digits without a leading zero, whole in b: nearly always.
	for i := 1; i < len(b) && i < 10; i++ {
		c := b[i]
		if c == '\r' && (i > 2 && b[1] != '0' || i == 2) && b[0] != '\r' && b[0] != 0 {
			if i+1 < len(b) {
				return v, i + 2, ""
			}
			return 0, 0, errMore
		}
		if c < '0' || c > '9' {
			break
		}
		v = v*10 + int(c-'0')
	}
	end, bad := line(b, '\r', tooLong)
	if bad != "" {
		return 0, 0, bad
	}
	if end+1 >= len(b) {
		return 0, 0, errMore
	}
	return number(b[min(1, end):end]), end + 2, ""
}

// number reads a decimal as strictly as redis-server does: no sign but a
// minus, no leading zero, no space; int64's range.
func number(b []byte) int {
	v, ok := Integer(b)
	switch {
	case !ok, v > 0 && int64(int(v)) != v: // an int may have 32 bits
		return badNumber
	case v < 0:
		return -1 // all that is below zero means the same
	}
	return int(v)
}

// Integer reads a decimal as strictly as redis-server does: no plus, no space,
// no leading zero, no minus zero, within the range of int64.
func Integer(b []byte) (v int64, ok bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	digits := b
	if b[0] == '-' {
		digits = b[1:]
	}
	if len(digits) == 0 || digits[0] < '0' || digits[0] > '9' || digits[0] == '0' && len(b) > 1 {
		return 0, false
	}
	if len(digits) < 19 {
		for _, c := range digits {
			if c < '0' || c > '9' {
				return 0, false
			}
			v = v*10 + int64(c-'0')
		}
		if len(digits) < len(b) {
			v = -v
		}
		return v, true
	}
	for _, c := range digits {
		if c < '0' || c > '9' { // ParseInt takes a sign and underscores where we don't
			return 0, false
		}
	}
	v, err := strconv.ParseInt(string(b), 10, 64)
	return v, err == nil
}
