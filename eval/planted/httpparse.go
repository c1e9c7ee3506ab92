package planted

import (
	"bytes"
	"math"
	"net/textproto"
	"strconv"
	"strings"
)

// httpParser parses requests. Each call starts at the beginning of the request; fields
// between calls are there only for bugs.
type httpParser struct {
	plant   *Plant
	half    half // http/chunk-size-split
	seen    int  // http/head-split: bytes that were searched
	chunked bool // http/chunked-kept
}

const (
	httpHead = 256 // bytes, at most
	httpBody = 256
)

var headEnd = []byte("\r\n\r\n")

// head is the information of a request's head about its body.
type head struct {
	length  int // -1: none was given
	chunked bool
	last    bool
}

// request parses the first request of in. It is not ok if the request is incomplete.
func (h *httpParser) request(in []byte) (r request, n int, ok bool) {
	r, n, err := h.parse(in)
	if err == errShort {
		return r, 0, false
	}
	h.half, h.seen = half{}, 0
	if err != nil {
		return request{bad: true}, len(in), true
	}
	return r, n, true
}

func (h *httpParser) parse(in []byte) (r request, n int, err error) {
	end := bytes.Index(in[:min(len(in), httpHead)], headEnd)
	if split := end >= 0 && end+len(headEnd) > h.seen && end < h.seen; h.plant.Wrong("http/head-split", split) && split {
		end = -1
	}
	h.seen = len(in)
	switch {
	case end < 0 && len(in) >= httpHead:
		return r, 0, errBad
	case end < 0:
		return r, 0, errShort
	}
	d, err := h.head(string(in[:end]))
	if err != nil {
		return r, 0, err
	}
	r.last, n = d.last, end+len(headEnd)
	switch {
	case d.chunked:
		r.body, n, err = h.chunks(in, n)
	case d.length > len(in)-n:
		err = errShort
	case d.length >= 0 || d.length < -1:
		r.body, n = string(in[n:n+d.length]), n+d.length
	}
	return r, n, err
}

// head parses the lines before the body.
func (h *httpParser) head(text string) (d head, err error) {
	lines := strings.Split(text, "\r\n")
	if f := strings.Split(lines[0], " "); len(f) != 3 || f[2] != "HTTP/1.1" {
		return d, errBad
	}
	d.length = -1
	if h.plant.Wrong("http/chunked-kept", h.chunked) {
		d.chunked = h.chunked
	}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			return d, errBad
		}
		if err = h.field(&d, name, value); err != nil {
			return d, err
		}
	}
	h.chunked = d.chunked
	if both := d.chunked && d.length >= 0; both && !h.plant.Wrong("http/both-lengths", both) {
		return d, errBad
	}
	return d, nil
}

func (h *httpParser) field(d *head, name, value string) error {
	if usual := textproto.CanonicalMIMEHeaderKey(name); !h.plant.Wrong("http/case", name != usual) {
		name = usual
	}
	switch name {
	case "Content-Length":
		n, err := strconv.Atoi(value)
		if negative := n < 0; err != nil || n > httpBody || negative && !h.plant.Wrong("http/negative-length", negative) {
			return errBad
		}
		if differ := d.length >= 0 && d.length != n; differ && !h.plant.Wrong("http/two-lengths", differ) {
			return errBad
		}
		d.length = n
	case "Transfer-Encoding":
		if value != "chunked" {
			return errBad
		}
		d.chunked = true
	case "Connection":
		d.last = value == "close"
	}
	return nil
}

// chunks parses a chunked body.
func (h *httpParser) chunks(in []byte, at int) (body string, next int, err error) {
	for {
		size, next, err := h.size(in, at)
		if err != nil {
			return "", 0, err
		}
		if len(body)+size > httpBody {
			return "", 0, errBad
		}
		if early := size == 0; early && h.plant.Wrong("http/last-line", early) {
			return body, next, nil
		}
		at = next + size + 2
		switch {
		case len(in) < at:
			return "", 0, errShort
		case string(in[at-2:at]) != "\r\n":
			return "", 0, errBad
		case size == 0:
			return body, at, nil
		}
		body += string(in[next : next+size])
	}
}

// size parses the line before a chunk.
func (h *httpParser) size(in []byte, at int) (n, next int, err error) {
	i, sum := at, uint64(0)
	for ; i < len(in); i++ {
		digit, err := strconv.ParseUint(string(in[i:i+1]), 16, 4)
		if err != nil {
			break
		}
		sum = sum<<4 | digit
		if large := sum >= 1<<32; large && h.plant.Wrong("http/chunk-overflow", large) {
			sum &= 1<<32 - 1
		} else if large {
			return 0, 0, errBad
		}
	}
	n = int(min(sum, math.MaxInt)) // so many bytes never arrive
	if cut := i == len(in) && i > at; cut && !h.half.set && h.plant.Wrong("http/chunk-size-split", false) {
		h.half = half{at, n, true}
	}
	if h.half.set && h.half.at == at {
		h.plant.Wrong("http/chunk-size-split", n != h.half.value)
		n = h.half.value
	}
	return n, i + 2, lineEnd(in, i, at)
}
