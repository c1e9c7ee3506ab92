package fuzz

// Bytes of go test -fuzz are records of 8, each an event:
//
//	   0     1      2 3        4 5      6 7
//	| op | hold | target lo hi | A lo hi | B lo hi |
//
// Its minimizer likes the byte '0' best, so that each is taken as its distance from
// that, and 0 is what does least. Its mutations change bytes, and copy, drop and insert
// runs of them: so whatever the bytes, they are events that mean something. An op has
// as many values as it is worth; targets are taken modulo what there is; the high byte
// of A says whether a word is of the dictionary, that of B whether it is sent more than
// once.

const record = 8

// opBytes is the op of each value of a record's first byte.
var opBytes = func() (t [256]Op) {
	at := 1 // the first is opNone
	put := func(op Op, n int) {
		for range n {
			t[at] = op
			at++
		}
	}
	for op := opTurn; op < opCount; op++ {
		put(op, max(2*usual[op], 2))
	}
	put(opSend, len(t)-at)
	return t
}()

// targets is how many of a kind of target there are.
func (s *Spec) targets(on target) int {
	switch on {
	case onConn, onPen:
		return 2 * s.Conns
	case onLoop:
		return s.Loops
	case onAction:
		return 16
	}
	return 1
}

const (
	otherByte = 192 // A's high byte from here on: a single byte
	noLetter  = 255 // nothing at all
	manyTimes = 128 // B's high byte from here on: more than once
)

// trace reads a trace: whatever the bytes, they are one. What is missing at the end is
// zeros.
func (s *Spec) trace(b []byte) (tr Trace) {
	for len(b) > 0 && len(tr) < 1<<10 {
		r := [record]byte{'0', '0', '0', '0', '0', '0', '0', '0'}
		b = b[copy(r[:], b):]
		for i := range r {
			r[i] -= '0'
		}
		word := func(at int) uint16 { return uint16(r[at]) | uint16(r[at+1])<<8 }
		e := Event{Op: opBytes[r[0]], Hold: r[1]&1 != 0, A: word(4), B: word(6)}
		e.On = word(2) % uint16(s.targets(ops[e.Op].on))
		if e.Op == opSend || e.Op == opLetter {
			e.A = s.word(r[4], r[5])
		}
		if e.Op == opSend || e.Op == opAct {
			if e.B &= 1<<12 - 1; r[7] < manyTimes {
				e.B = 0
			}
		}
		tr = append(tr, e)
	}
	return tr
}

// word is the word that A's bytes mean.
func (s *Spec) word(lo, hi byte) uint16 {
	n := len(s.Dict)
	switch {
	case hi == noLetter:
		return uint16(n + 256)
	case hi >= otherByte || n == 0:
		return uint16(n) + uint16(lo)
	}
	return uint16((int(lo) + int(hi)<<8) % n)
}

// bytes are those that trace reads a trace from.
func (s *Spec) bytes(tr Trace) (b []byte) {
	for _, e := range tr {
		var r [record]byte
		for opBytes[r[0]] != e.Op {
			r[0]++
		}
		if e.Hold {
			r[1] = 1
		}
		put := func(at int, v uint16) { r[at], r[at+1] = byte(v), byte(v>>8) }
		put(2, e.On)
		put(4, e.A)
		put(6, e.B)
		if e.Op == opSend || e.Op == opLetter {
			switch other := int(e.A) - len(s.Dict); {
			case other == 256:
				r[4], r[5] = 0, noLetter
			case other >= 0:
				r[4], r[5] = byte(other), otherByte
			}
		}
		if e.B > 0 && (e.Op == opSend || e.Op == opAct) {
			r[7] |= manyTimes
		}
		for i := range r {
			r[i] += '0'
		}
		b = append(b, r[:]...)
	}
	return b
}
