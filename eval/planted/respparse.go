package planted

import (
	"errors"
	"fmt"
)

// command is a parsed command, or an invalid one.
type command struct {
	args [][]byte
	bad  bool
}

func (c command) String() string {
	if c.bad {
		return "what is no command"
	}
	return fmt.Sprintf("%s", c.args)
}

const (
	respParts = 8   // of a command, at most
	respBulk  = 512 // bytes of a part, at most
)

var (
	errShort = errors.New("not all of it is there")
	errBad   = errors.New("not what it should be")
)

// respParser parses commands. Each call starts at the beginning of the command; fields
// between calls are there only for bugs.
type respParser struct {
	plant *Plant
	half  half
}

// half is a number that was cut off at the end of the input, which a bug takes as whole
// and does not parse again.
type half struct {
	at, value int
	set       bool
}

// command parses the first command of in. It is not ok if the command is incomplete.
func (r *respParser) command(in []byte) (c command, n int, ok bool) {
	count, at, err := r.number(in, 0, '*')
	if err == nil && count < 1 {
		err = errBad
	}
	if tooMany := count > respParts; err == nil && tooMany && !r.plant.Wrong("resp/count-unbounded", tooMany) {
		err = errBad
	}
	for i := 0; i < count && err == nil; i++ {
		var arg []byte
		arg, at, err = r.bulk(in, at)
		c.args = append(c.args, arg)
	}
	switch err {
	case nil:
		return c, at, true
	case errShort:
		return c, 0, false
	}
	return command{bad: true}, len(in), true
}

// bulk parses a part of a command.
func (r *respParser) bulk(in []byte, at int) (b []byte, next int, err error) {
	size, at, err := r.number(in, at, '$')
	if err != nil {
		return nil, 0, err
	}
	if negative := size < 0; negative && !r.plant.Wrong("resp/negative-length", negative) || size > respBulk {
		return nil, 0, errBad
	}
	if len(in) < at+size+2 {
		return nil, 0, errShort
	}
	b = in[at : at+size]
	if wrong := string(in[at+size:at+size+2]) != "\r\n"; wrong && !r.plant.Wrong("resp/end-unchecked", wrong) {
		return nil, 0, errBad
	}
	return b, at + size + 2, nil
}

// number parses a mark, a number and the end of its line.
func (r *respParser) number(in []byte, at int, mark byte) (n, next int, err error) {
	i := at + 1
	switch {
	case at >= len(in):
		return 0, 0, errShort
	case in[at] != mark:
		return 0, 0, errBad
	case i < len(in) && in[i] == '-':
		i++
	}
	first := i
	for ; i < len(in) && '0' <= in[i] && in[i] <= '9'; i++ {
		n = n*10 + int(in[i]-'0')
		if large := n > 1<<30; large && r.plant.Wrong("resp/length-overflow", large) {
			n = int(int32(n))
		} else if large {
			return 0, 0, errBad
		}
	}
	if first == at+2 {
		n = -n
	}
	if cut := i == len(in) && i > first; cut && !r.half.set && r.plant.Wrong("resp/length-split", false) {
		r.half = half{at, n, true}
	}
	if r.half.set && r.half.at == at {
		r.plant.Wrong("resp/length-split", n != r.half.value)
		n = r.half.value
	}
	return n, i + 2, lineEnd(in, i, first)
}

// lineEnd returns nil if a number's digits, from first to i, are followed by the end of
// a line.
func lineEnd(in []byte, i, first int) error {
	switch {
	case i == len(in):
		return errShort
	case i == first || in[i] != '\r':
		return errBad
	case i+1 == len(in):
		return errShort
	case in[i+1] != '\n':
		return errBad
	}
	return nil
}
