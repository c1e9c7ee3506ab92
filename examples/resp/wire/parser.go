package wire

import "bytes"

// A piece of a command that is cut off stays in the window while it is cheap
// to parse again from its start, and fits there.
const (
	keepBytes = 16 << 10 // a command known to be longer is taken out of the window
	keepArgs  = 64       // so is one that has shown more arguments than this
)

// errMore says that the window ends inside the command.
const errMore Error = "more"

// Parser finds the commands in what one connection sends. It holds no memory
// but while a long command is cut off.
type Parser struct {
	want    int      // the shortest window that can hold the command at its start
	partial *partial // a command that was taken out of the window
	err     Error
}

// Held is the number of bytes taken out of the window and not yet given.
func (p *Parser) Held() int {
	if p.partial == nil {
		return 0
	}
	return len(p.partial.buf)
}

// Next finds the next command in the window in: all bytes that came and were
// not consumed. The caller consumes n of them once it is done with the
// arguments, which are valid until then and until a's next use, and shows the
// rest again, with what came after it, at the next call.
//
// No arguments and no error: more bytes are needed first, and n may have been
// taken all the same. An error is an Error; it is final, and every further
// call repeats it.
func (p *Parser) Next(in []byte, a *Args) (args [][]byte, n int, err error) {
	if a.lent {
		clear(a.list[:cap(a.list)])
		a.lent = false
	}
	for p.err == "" {
		var used int
		var bad Error
		switch {
		case p.partial != nil:
			if args, used, bad = p.partial.resume(in[n:], a); bad != errMore {
				p.partial = nil
			}
		case len(in) == n || len(in)-n < p.want:
			return nil, n, nil
		case in[n] == '*':
			args, used, bad = p.multibulk(in[n:], a)
		default:
			args, used, bad = p.inline(in[n:], a)
		}
		n += used
		switch {
		case len(args) > 0:
			p.want = 0
			return args, n, nil
		case bad == "":
			p.want = 0 // an empty line or an empty array: look on
		case bad == errMore && (p.partial != nil || p.want <= keepBytes):
			return nil, n, nil
		case bad == errMore:
			p.want, p.partial = 0, newPartial(in[n])
		default:
			p.err = bad
		}
	}
	return nil, n, p.err
}

// multibulk parses the command at the start of in, in place.
func (p *Parser) multibulk(in []byte, a *Args) ([][]byte, int, Error) {
	count, pos, bad := header(in, ErrCountString)
	if bad == "" {
		bad = a.checkCount(count)
	}
	if bad != "" {
		p.want = len(in) + 1
		return nil, 0, bad
	}
	args := a.list[:0]
	for len(args) < count {
		size, n, bad := header(in[pos:], ErrBulkString)
		if bad == "" {
			bad = a.checkBulk(in[pos], size, pos+n)
			pos += n
		}
		if bad == "" && len(in)-pos < size+2 {
			p.want, bad = pos+size+2, errMore
		} else if bad != "" {
			p.want = len(in) + 1
		}
		if bad != "" {
			if len(args) > keepArgs {
				p.want = max(p.want, keepBytes+1)
			}
			a.list = args[:0]
			return nil, 0, bad
		}
		args = append(args, in[pos:pos+size:pos+size])
		pos += size + 2 // the line's end is not looked at: redis-server doesn't either
	}
	a.list = args[:0]
	return args, pos, ""
}

// inline parses the line at the start of in.
func (p *Parser) inline(in []byte, a *Args) ([][]byte, int, Error) {
	end, bad := line(in, '\n', ErrInline)
	if bad != "" {
		p.want = len(in) + 1
		return nil, 0, bad
	}
	args, bad := a.split(in[:end])
	return args, end + 1, bad
}

// partial is a command that is taken out of the window bit by bit: never a
// byte more than belongs to it.
type partial struct {
	buf    []byte
	inline bool
	count  int    // arguments announced, 0 before the header (an empty command is short, so it is never here)
	size   int    // length of the bulk that begins at pos, -1 before its header
	pos    int    // where the first piece not understood begins: a line, or a bulk
	args   []span // arguments so far
}

// span is where an argument lies in the buffer, which moves as it grows.
type span struct{ from, to uint32 }

func newPartial(first byte) *partial { return &partial{inline: first != '*', size: -1} }

// resume takes what it can use of in. Any answer but errMore ends the command.
func (q *partial) resume(in []byte, a *Args) (args [][]byte, n int, bad Error) {
	if q.inline {
		n = q.take(in, '\n', 1)
		end, bad := line(q.buf, '\n', ErrInline)
		if bad != "" {
			return nil, n, bad
		}
		args, bad = a.split(q.buf[:end])
		return args, n, bad
	}
	for q.count == 0 || len(q.args) < q.count {
		var used int
		if q.size >= 0 {
			used, bad = q.bulk(in[n:])
		} else {
			used, bad = q.header(in[n:], a)
		}
		n += used
		if bad != "" {
			return nil, n, bad
		}
	}
	return q.list(a), n, ""
}

// bulk takes the bytes of an argument.
func (q *partial) bulk(in []byte) (n int, bad Error) {
	need := q.pos + q.size + 2
	n = min(need-len(q.buf), len(in))
	q.buf = append(q.buf, in[:n]...)
	if len(q.buf) < need {
		return n, errMore
	}
	q.args = append(q.args, span{uint32(q.pos), uint32(q.pos + q.size)})
	q.pos, q.size = need, -1
	return n, ""
}

// header takes the line of the command's count, or of a bulk's size.
func (q *partial) header(in []byte, a *Args) (n int, bad Error) {
	tooLong := ErrBulkString
	if q.count == 0 {
		tooLong = ErrCountString
	}
	n = q.take(in, '\r', 2)
	v, length, bad := header(q.buf[q.pos:], tooLong)
	if bad != "" {
		return n, bad
	}
	first := q.buf[q.pos]
	q.pos += length
	if q.count == 0 {
		q.count = v
		return n, a.checkCount(v)
	}
	q.size = v
	return n, a.checkBulk(first, v, q.pos)
}

// take moves the rest of the line that begins at pos from in to the buffer:
// up to its end and width-1 bytes behind, or as much as proves it too long.
func (q *partial) take(in []byte, end byte, width int) int {
	line := q.buf[q.pos:]
	n := len(in)
	if at := index(line, end); at >= 0 {
		n = at + width - len(line)
	} else if at := index(in, end); at >= 0 && bytes.IndexByte(line, 0) < 0 {
		n = at + width
	}
	n = min(n, len(in), maxLine+width-len(line))
	q.buf = append(q.buf, in[:n]...)
	return n
}

// list makes the arguments out of the spans. A long list is not kept.
func (q *partial) list(a *Args) [][]byte {
	args := a.list[:0]
	if len(q.args) > keepList {
		args = make([][]byte, 0, len(q.args))
	} else {
		a.list, a.lent = args, true
	}
	for _, s := range q.args {
		args = append(args, q.buf[s.from:s.to:s.to])
	}
	return args
}
