package trace

// Dictionary has the texts that peers send, its words. Events name a word by a number.
// Word n is Dictionary[n] for n below the length of the dictionary. Then come the 256
// single bytes, then, for datagrams only, the empty word. Larger numbers wrap around.
//
// The last numbers are fixed: 65,271 is the empty word, for datagrams only, and 65,272+b
// is byte b. They mean the same with every dictionary, however long, so kept traces use
// them; see [Dictionary.Lasting].
//
//	0            n                n+256             65,271        65,272         65,528
//	| dictionary | single bytes   | empty, again... | empty word  | single bytes | again...
type Dictionary []string

const (
	lastingBytes = 1<<16 - 264 // the first of 256; adding AbruptSend to the last does not overflow
	lastingEmpty = lastingBytes - 1
)

func isLastingByte(n uint16) bool { return n >= lastingBytes && n < lastingBytes+256 }

// Word returns the word with number n of a [Send].
func (d Dictionary) Word(n uint16) string { return d.word(n, len(d)+256) }

// DatagramWord returns the word with number n of a [Datagram], which may be empty.
func (d Dictionary) DatagramWord(n uint16) string { return d.word(n, len(d)+257) }

// Empty returns the number of the empty word, for a [Datagram].
func (d Dictionary) Empty() uint16 { return uint16(len(d) + 256) }

// Index returns the index in the dictionary of the word with number n of a [Send]; is is false
// if it is a single byte.
func (d Dictionary) Index(n uint16) (index int, is bool) {
	index = int(n) % (len(d) + 256)
	return index, index < len(d) && !isLastingByte(n)
}

func (d Dictionary) word(n uint16, words int) string {
	switch at := int(n) % words; {
	case isLastingByte(n):
		return string([]byte{byte(n - lastingBytes)})
	case n == lastingEmpty && words > len(d)+256, at == len(d)+256:
		return ""
	case at < len(d):
		return d[at]
	default:
		return string([]byte{byte(at - len(d))})
	}
}

// Lasting returns a trace that means the same as tr and still does when words are appended
// to the dictionary: it names bytes and the empty word by their fixed numbers.
func (d Dictionary) Lasting(tr Trace) Trace {
	out := append(Trace{}, tr...)
	for i := range out {
		switch e := &out[i]; {
		case e.hasWord():
			e.A = d.lasting(e.A)
		case e.Op == Abrupt && e.B >= AbruptSend:
			e.B = AbruptSend + d.lasting(e.B-AbruptSend)
		}
	}
	return out
}

func (d Dictionary) lasting(n uint16) uint16 {
	switch words := len(d); {
	case int(n) >= words && int(n) < words+256:
		return lastingBytes + n - uint16(words)
	case int(n) == words+256:
		return lastingEmpty
	}
	return n
}
