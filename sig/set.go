package sig

import (
	"math/bits"
	"os"
	"strings"
)

// Set is a set of signals. Create it with [Of], join sets with |, and ask with
// [Set.Has]. The zero value is the empty set.
//
//	 63                            1   0
//	+-------------------------------+---+
//	| signal n is bit n             | ? |
//	+-------------------------------+---+
//
// Signal n is bit n, for the numbers 1 to 63 of this system. Bit 0 stands for every
// signal without such a number; Notify does not accept it.
type Set uint64

// unknown is the bit of signals without a number.
const unknown Set = 1 << 0

// Of returns the set of the given signals, for example
// Of(syscall.SIGHUP, syscall.SIGTERM).
func Of(signals ...os.Signal) (s Set) {
	for _, o := range signals {
		s |= 1 << number(o)
	}
	return s
}

// Has reports whether o is in s. It returns false for a signal without a number from 1
// to 63.
func (s Set) Has(o os.Signal) bool {
	return (s&^unknown)>>number(o)&1 != 0
}

// String returns the names that the operating system gives to the signals, in the
// order of their numbers and separated by a bar, such as "hangup|interrupt". The
// empty set is "none".
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
		b.WriteString(byNumber(n).String())
	}
	return b.String()
}
