package search

import (
	"slices"

	"github.com/stator-go/stator/fuzz/trace"
)

// Bytes of go test -fuzz are records of 4, each an event:
//
//	|   0    |      1        |  2  |  3  |
//	|   op   | hold:1 on:7   |  A  |  B  |   op below 128
//	| word   | hold:1 on:7   | +   | more|   128 and above: a send of word plus the third
//
// Its minimizer prefers the byte '0'. So each byte is taken as its distance from that, and
// 0 does least: no op, no hold, the target of the event before. Its mutations change
// bytes, and copy, drop and insert runs of them. So all bytes are events, and one byte is
// enough for what matters most, the next word.

const (
	record    = 4
	sends     = 128 // the first byte from here on: a send of a word
	holds     = 128 // of the second byte: hold
	otherByte = 192 // A of a send from here on: a single byte, B
	mostBytes = 64  // events
)

// opBytes has the op of each value of a record's first byte below sends. A Repeat has none:
// runs of go test -fuzz are short. Ops behind it are at the end: most bytes that were kept before
// they were there mean the same.
var opBytes = func() (t [sends]trace.Op) {
	at := 1 // the first is trace.Settle
	put := func(op trace.Op, n int) {
		for range n {
			t[at] = op
			at++
		}
	}
	for op := trace.Turn; op < trace.Repeat; op++ {
		put(op, max(1, min(usual[op], 4)))
	}
	later := trace.NumOps - trace.Repeat - 1
	put(trace.Dial, len(t)-at-int(later))
	for op := trace.Repeat + 1; op < trace.NumOps; op++ {
		put(op, 1)
	}
	return t
}()

// targets returns how many targets of a kind there are.
func (c *Config) targets(on trace.Target) int {
	switch on {
	case trace.OnConn, trace.OnDatagramPeer:
		return 2 * c.Conns
	case trace.OnLoop:
		return c.Loops
	case trace.OnAction:
		return 16
	}
	return 1
}

// expand returns the argument of a byte: each number below 128, then eight of each power
// of two.
func expand(v byte) uint16 {
	if v < 128 {
		return uint16(v)
	}
	if v == 255 {
		return trace.MaxArg
	}
	power := (v - 128) / 8
	return 1<<power | uint16(v%8)<<max(power, 3)>>3
}

// contract returns the least byte that expands to at least so much.
func contract(x uint16) (v byte) {
	best := byte(255)
	for v := range byte(255) {
		if e := expand(v); e >= x && e < expand(best) {
			best = v
		}
	}
	return best
}

// Trace reads a trace from bytes, of which all are one. What is missing at the end is
// zeros.
func (c *Config) Trace(b []byte) (tr trace.Trace) {
	var last [trace.OnDatagramPeer + 1]uint16 // target of each kind
	words := c.numbers()
	for len(b) > 0 && len(tr) < mostBytes {
		r := [record]byte{'0', '0', '0', '0'}
		b = b[copy(r[:], b):]
		for i := range r {
			r[i] -= '0'
		}
		e := trace.Event{Op: trace.Send, Hold: r[1]&holds != 0, B: expand(r[3])}
		n := len(c.Dict)
		switch {
		case r[0] >= sends:
			e.A = words[(int(r[0]-sends)+int(r[2]))%len(words)]
		case opBytes[r[0]] == trace.Send && !c.WordsOnly && (r[2] >= otherByte || n == 0):
			e.A, e.B = uint16(n)+uint16(r[3]), 0
		case opBytes[r[0]] == trace.Send:
			e.A = words[int(r[2])%len(words)]
		default:
			e.Op, e.A = opBytes[r[0]], expand(r[2])
		}
		on := e.Op.Target()
		if at := uint16(r[1] &^ holds); at > 0 {
			last[on] = (at - 1) % uint16(c.targets(on))
		}
		e.On = last[on]
		if !c.Faults.OffEvent(e) {
			tr = append(tr, e)
		}
	}
	return tr
}

// Bytes returns the bytes from which Trace reads tr, or a trace like it: no byte stands
// for some large arguments.
func (c *Config) Bytes(tr trace.Trace) (b []byte) {
	var last [trace.OnDatagramPeer + 1]uint16
	words := c.numbers()
	for _, e := range tr {
		if e.Op == trace.Repeat {
			continue
		}
		r := [record]byte{2: contract(e.A), 3: contract(e.B)}
		at := slices.Index(words, e.A)
		word := e.Op == trace.Send && at >= 0
		if word && at < 256-sends {
			r[0], r[2] = sends+byte(at), 0
		} else {
			for opBytes[r[0]] != e.Op {
				r[0]++
			}
		}
		switch {
		case word && at < 256-sends:
		case word:
			r[2] = byte(min(at, otherByte-1))
		case e.Op == trace.Send:
			r[2], r[3] = otherByte, byte(int(e.A)-len(c.Dict))
		}
		on := e.Op.Target()
		if e.On != last[on] {
			r[1], last[on] = byte(e.On%126)+1, e.On
		}
		if e.Hold {
			r[1] |= holds
		}
		for i := range r {
			r[i] += '0'
		}
		b = append(b, r[:]...)
	}
	return b
}
