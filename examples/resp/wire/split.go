package wire

// split splits an inline command into its arguments. Spaces separate words. Escapes in
// double quotes are \n, \r, \t, \b, \a and \xHH, in single quotes only \'. A closing quote
// ends its word.
func (a *Args) split(b []byte) ([][]byte, Error) {
	if n := len(b); n > 0 && b[n-1] == '\r' {
		b = b[:n-1]
	}
	if cap(a.scratch) < len(b) {
		a.scratch = make([]byte, 0, max(len(b), 256))
	}
	words, args := a.scratch[:0], a.list[:0]
	for i := 0; ; {
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		if i == len(b) {
			break
		}
		from := len(words)
		var ok bool
		if words, i, ok = word(words, b, i); !ok {
			a.list = args[:0]
			return nil, ErrQuotes
		}
		args = append(args, words[from:len(words):len(words)])
	}
	a.list = args[:0]
	return args, ""
}

// word appends the word at b[i:] to dst and returns the index of its end. A quote in the
// middle of a word also opens a quotation.
func word(dst, b []byte, i int) (out []byte, end int, ok bool) {
	for ; i < len(b); i++ {
		switch c := b[i]; c {
		case ' ', '\n', '\r', '\t':
			return dst, i, true
		case '"', '\'':
			if dst, i, ok = quoted(dst, b, i+1, c); !ok {
				return dst, i, false
			}
			return dst, i, true
		default:
			dst = append(dst, c)
		}
	}
	return dst, i, true
}

// quoted appends the quotation at b[i:] to dst and returns the index after its closing
// quote. ok is false if there is no closing quote, or if no space or end follows it.
func quoted(dst, b []byte, i int, quote byte) (out []byte, end int, ok bool) {
	for ; i < len(b); i++ {
		c := b[i]
		switch {
		case c == quote:
			i++
			return dst, i, i == len(b) || isSpace(b[i])
		case c != '\\' || i+1 == len(b):
			dst = append(dst, c)
		case quote == '\'':
			if b[i+1] == '\'' {
				i++
			}
			dst = append(dst, b[i])
		case b[i+1] == 'x' && i+3 < len(b) && isHex(b[i+2]) && isHex(b[i+3]):
			dst = append(dst, unhex(b[i+2])<<4|unhex(b[i+3]))
			i += 3
		default:
			i++
			dst = append(dst, unescape(b[i]))
		}
	}
	return dst, i, false
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	}
	return c
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
