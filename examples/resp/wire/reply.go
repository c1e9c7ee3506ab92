package wire

import (
	"math"
	"strconv"
)

// Simple writes a status such as "+OK". s must not contain a line end.
func (o *Output) Simple(s string) {
	o.buf = append(append(append(o.buf, '+'), s...), '\r', '\n')
}

// Raw writes bytes that are already encoded.
func (o *Output) Raw(s string) { o.buf = append(o.buf, s...) }

// Error writes an error; s is its code, a space and a text. Line ends at the end of s are
// removed, others become spaces.
func (o *Output) Error(s string) {
	for len(s) > 0 && (s[len(s)-1] == '\r' || s[len(s)-1] == '\n') {
		s = s[:len(s)-1]
	}
	o.buf = append(o.buf, '-')
	for i := range len(s) {
		c := s[i]
		if c == '\r' || c == '\n' {
			c = ' '
		}
		o.buf = append(o.buf, c)
	}
	o.buf = append(o.buf, '\r', '\n')
}

// Int writes an integer.
func (o *Output) Int(v int64) {
	if uint64(v) < 10 {
		o.buf = append(o.buf, ':', byte('0'+v), '\r', '\n')
		return
	}
	o.buf = append(strconv.AppendInt(append(o.buf, ':'), v, 10), '\r', '\n')
}

// Bulk writes a copy of b.
func (o *Output) Bulk(b []byte) {
	o.buf = append(append(o.mark('$', len(b)), b...), '\r', '\n')
}

// Text writes s as a bulk.
func (o *Output) Text(s string) {
	o.buf = append(append(o.mark('$', len(s)), s...), '\r', '\n')
}

// Value writes a bulk. If b is at least Large, it keeps a reference to b and returns true:
// then b must not change until it has been sent.
func (o *Output) Value(b []byte) (kept bool) {
	if len(b) < Large {
		o.Bulk(b)
		return false
	}
	o.buf = o.mark('$', len(b))
	o.refer(b)
	o.buf = append(o.buf, '\r', '\n')
	return true
}

// Verbatim writes a verbatim string, whose format has three letters: a bulk in RESP2.
func (o *Output) Verbatim(format, s string) {
	if !o.V3 {
		o.Text(s)
		return
	}
	o.buf = append(append(o.mark('=', len(s)+4), format...), ':')
	o.buf = append(append(o.buf, s...), '\r', '\n')
}

// Null writes a null.
func (o *Output) Null() {
	if o.V3 {
		o.Raw("_\r\n")
	} else {
		o.Raw("$-1\r\n")
	}
}

// Bool writes a boolean: an integer in RESP2.
func (o *Output) Bool(v bool) {
	switch {
	case o.V3 && v:
		o.Raw("#t\r\n")
	case o.V3:
		o.Raw("#f\r\n")
	case v:
		o.Int(1)
	default:
		o.Int(0)
	}
}

// Double writes a number: a bulk in RESP2.
func (o *Output) Double(v float64) {
	var room [32]byte
	var text []byte
	switch {
	case math.IsInf(v, 1):
		text = append(room[:0], "inf"...)
	case math.IsInf(v, -1):
		text = append(room[:0], "-inf"...)
	case math.IsNaN(v):
		text = append(room[:0], "nan"...)
	default:
		text = strconv.AppendFloat(room[:0], v, 'g', -1, 64)
	}
	if !o.V3 {
		o.Bulk(text)
		return
	}
	o.buf = append(append(append(o.buf, ','), text...), '\r', '\n')
}

// Array begins an array; the next n replies are its elements.
func (o *Output) Array(n int) { o.buf = o.mark('*', n) }

// Map begins a map of n pairs: an array of 2n elements in RESP2.
func (o *Output) Map(n int) {
	if o.V3 {
		o.buf = o.mark('%', n)
	} else {
		o.buf = o.mark('*', 2*n)
	}
}

// Set begins a set of n elements: an array in RESP2.
func (o *Output) Set(n int) {
	if o.V3 {
		o.buf = o.mark('~', n)
	} else {
		o.buf = o.mark('*', n)
	}
}

// Push begins a push message of n elements, which is no reply: an array in RESP2.
func (o *Output) Push(n int) {
	if o.V3 {
		o.buf = o.mark('>', n)
	} else {
		o.buf = o.mark('*', n)
	}
}

// mark returns buf with a header appended: a type byte, a length and a line end.
func (o *Output) mark(kind byte, n int) []byte {
	if n < 10 {
		return append(o.buf, kind, byte('0'+n), '\r', '\n')
	}
	if n < 100 {
		return append(o.buf, kind, byte('0'+n/10), byte('0'+n%10), '\r', '\n')
	}
	return append(strconv.AppendInt(append(o.buf, kind), int64(n), 10), '\r', '\n')
}

// Place is a position between two replies, for inserting the header of an array whose
// length is not known before its elements have been written.
type Place struct{ at, refs int }

// Mark returns the current end of the output. It is valid until the next Sent or Reset.
func (o *Output) Mark() Place { return Place{len(o.buf), len(o.refs)} }

// InsertArray inserts the header of an array of n elements at p.
func (o *Output) InsertArray(p Place, n int) { o.insertMark(p, '*', n) }

// InsertSet inserts the header of a set of n elements at p: an array in RESP2.
func (o *Output) InsertSet(p Place, n int) {
	if o.V3 {
		o.insertMark(p, '~', n)
	} else {
		o.insertMark(p, '*', n)
	}
}

func (o *Output) insertMark(p Place, kind byte, n int) {
	var room [24]byte
	o.insert(p, append(strconv.AppendInt(append(room[:0], kind), int64(n), 10), '\r', '\n'))
}

// InsertText inserts s as a bulk at p.
func (o *Output) InsertText(p Place, s string) {
	end := Output{}
	end.Text(s)
	o.insert(p, end.buf)
}

func (o *Output) insert(p Place, b []byte) {
	o.buf = append(o.buf, b...)
	copy(o.buf[p.at+len(b):], o.buf[p.at:len(o.buf)-len(b)])
	copy(o.buf[p.at:], b)
	for i := p.refs; i < len(o.refs); i++ {
		o.refs[i].at += len(b)
	}
}
