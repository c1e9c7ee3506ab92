package fuzz

// What peers say is a number: a word of Spec.Dict, a single byte behind those, or, as a
// letter, nothing at all behind both. So a longer dictionary has other numbers for the
// same bytes. In traces that are kept, bytes have numbers that every dictionary leaves
// to them, and are written as bytes.

const (
	lastingBytes = 1<<16 - 264 // the first of 256; what abrupt adds has room yet
	lastingEmpty = lastingBytes - 1
)

// said is the word of a number, of those that a send has, or a letter as well.
func (s *Spec) said(a uint16, letter bool) string {
	n := len(s.Dict)
	all := n + 256
	if letter {
		all++
	}
	switch at := int(a) % all; {
	case a >= lastingBytes && a < lastingBytes+256:
		return string([]byte{byte(a - lastingBytes)})
	case a == lastingEmpty && letter, at == n+256:
		return ""
	case at < n:
		return s.Dict[at]
	default:
		return string([]byte{byte(at - n)})
	}
}

func (s *Spec) letter(a uint16) string { return s.said(a, true) }

// lasting is the number by which a word is kept.
func (s *Spec) lasting(a uint16) uint16 {
	switch n := len(s.Dict); {
	case int(a) >= n && int(a) < n+256:
		return lastingBytes + a - uint16(n)
	case int(a) == n+256:
		return lastingEmpty
	}
	return a
}

// kept is a trace whose words mean the same for a longer dictionary.
func (s *Spec) kept(tr Trace) Trace {
	out := append(Trace{}, tr...)
	for i := range out {
		switch e := &out[i]; {
		case e.saysWord():
			e.A = s.lasting(e.A)
		case e.Op == opAbrupt && e.B >= abruptWords:
			e.B = abruptWords + s.lasting(e.B-abruptWords)
		}
	}
	return out
}

// saysWord tells whether A is a word.
func (e Event) saysWord() bool { return e.Op == opSend || e.Op == opLetter }
