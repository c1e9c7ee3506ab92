package sig

import (
	"math/bits"
	"os"
	"strings"
)

// Set is a set of signals by number:
//
//	 63                            1   0
//	+-------------------------------+---+
//	| signal n is bit n             | ? |
//	+-------------------------------+---+
//
// Bit 0, which is no signal's, stands for whatever has no number from 1 to 63 on
// this system; no Source can be asked for it. Sets are joined with |. The zero
// value is empty.
type Set uint64

const unknown Set = 1 << 0

// Of is the set of these signals.
func Of(signals ...os.Signal) (s Set) {
	for _, o := range signals {
		s |= 1 << number(o)
	}
	return s
}

// Has reports that the set has this signal. It has none without a number.
func (s Set) Has(o os.Signal) bool {
	return (s&^unknown)>>number(o)&1 != 0
}

// String lists the signals in the words of the operating system, by number, with
// a bar between them: "hangup|interrupt".
func (s Set) String() string {
	if s == 0 {
		return "none"
	}
	var b strings.Builder
	for ; s != 0; s &= s - 1 {
		if b.Len() > 0 {
			b.WriteByte('|')
		}
		n := bits.TrailingZeros64(uint64(s))
		if n == 0 {
			b.WriteString("signal without a number from 1 to 63")
			continue
		}
		b.WriteString(numbered(n).String())
	}
	return b.String()
}
