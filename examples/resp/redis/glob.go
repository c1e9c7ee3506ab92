package redis

// match reports whether name matches pattern: * matches any bytes, ? one byte, [a-z] and
// [^a-z] a byte of a set, and \ makes the next byte match itself. As in redis-server, an
// empty name matches only an empty pattern, not even a star.
//
// On a mismatch only the last star takes one more byte, as other matches of earlier stars
// need not be tried. So the time is at most the product of the two lengths.
func match(pattern string, name []byte) bool {
	if len(name) == 0 {
		return pattern == ""
	}
	p, n := 0, 0
	star, from := -1, 0 // the element after the last star; the end of what that star matches
	for n < len(name) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			star, from = p, n
			continue
		}
		if p < len(pattern) {
			if next, ok := one(pattern, p, name[n]); ok {
				p, n = next, n+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		from++
		p, n = star, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// one reports whether c matches the element at pattern[p:], which is no star, and returns
// where the next element begins.
func one(pattern string, p int, c byte) (next int, ok bool) {
	switch pattern[p] {
	case '?':
		return p + 1, true
	case '[':
		return class(pattern, p+1, c)
	case '\\':
		if p+1 < len(pattern) {
			p++
		}
	}
	return p + 1, pattern[p] == c
}

// class reports whether c is in the set whose elements begin at pattern[p:]. A set without
// an end extends to the end of the pattern. Bytes in a range are signed, as in
// redis-server on x86.
func class(pattern string, p int, c byte) (next int, ok bool) {
	not := p < len(pattern) && pattern[p] == '^'
	if not {
		p++
	}
	for ; p < len(pattern) && pattern[p] != ']'; p++ {
		switch {
		case pattern[p] == '\\' && p+1 < len(pattern):
			p++
			ok = ok || pattern[p] == c
		case p+2 < len(pattern) && pattern[p+1] == '-':
			a, b := int8(pattern[p]), int8(pattern[p+2])
			ok = ok || min(a, b) <= int8(c) && int8(c) <= max(a, b)
			p += 2
		default:
			ok = ok || pattern[p] == c
		}
	}
	return min(p+1, len(pattern)), ok != not
}
