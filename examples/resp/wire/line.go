package wire

import (
	"bytes"
	"math"
	"strconv"
)

// index returns the index of the first c in b, or -1 if there is none or if a NUL comes
// before it. redis-server finds line ends with a C string function, which stops at a NUL,
// so it keeps collecting such a line until it is too long.
func index(b []byte, c byte) int {
	at := bytes.IndexByte(b, c)
	if at > 0 && bytes.IndexByte(b[:at], 0) >= 0 {
		return -1
	}
	return at
}

// line returns the index of c, which ends the line at the start of b. bad is errMore if the
// end has not arrived yet, and tooLong if the line is longer than maxLine.
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

// badNumber is the value of a header without a valid number.
const badNumber = math.MinInt

// header parses the line at the start of b, a type byte and a number such as "$12\r\n". It
// returns the number and the length of the line; the caller checks the type byte.
func header(b []byte, tooLong Error) (v, length int, bad Error) {
	// The usual case, done fast: a complete line of up to nine digits, no leading zero.
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

// number parses the number of a header like Integer. It returns badNumber if there is none,
// and -1 for every number below zero.
func number(b []byte) int {
	v, ok := Integer(b)
	switch {
	case !ok, v > 0 && int64(int(v)) != v: // an int may have 32 bits
		return badNumber
	case v < 0:
		return -1
	}
	return int(v)
}

// Integer parses a decimal integer by the rules of redis-server: no plus sign, no spaces, no
// leading zeros, no minus zero, and within the range of int64.
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
		if c < '0' || c > '9' { // ParseInt would accept a second sign
			return 0, false
		}
	}
	v, err := strconv.ParseInt(string(b), 10, 64)
	return v, err == nil
}
