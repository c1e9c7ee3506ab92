package wire

import "bytes"

// An incomplete command stays in the window while parsing it again from its start is cheap.
// The parser takes it out of the window once one of these limits is exceeded.
const (
	keepBytes = 16 << 10 // the bytes that the command needs, as far as is known
	keepArgs  = 64       // the arguments that have arrived
)

// errMore means that the window ends inside the command.
const errMore Error = "more"

// Parser finds the commands in the bytes that one connection sends. It holds no memory
// except for a long command that is incomplete.
type Parser struct {
	want    int      // Next needs a window of at least this length
	partial *partial // the incomplete command that was taken out of the window
	err     Error
}

// Held returns how many bytes an incomplete command needs outside of the window: its own,
// and those of the list of its arguments.
func (p *Parser) Held() int {
	if p.partial == nil {
		return 0
	}
	return cap(p.partial.buf) + len(p.partial.args)*argBytes
}

// Next returns the arguments of the next command in the window in, which is all bytes that
// arrived and were not consumed. n is how many of them to consume: the caller passes the
// rest again in the next call, followed by newer bytes. The arguments may be slices of
// the window; they are valid until the caller reuses the window or a.
//
// If Next returns neither arguments nor an error, it needs more bytes; n may still be
// above 0. An error is always an Error, and all later calls return it again.
func (p *Parser) Next(in []byte, a *Args) (args [][]byte, n int, err error) {
	if a.lent {
		clear(a.list[:cap(a.list)])
		a.lent = false
		if !a.given() {
			a.spare = a.buf[:0]
		}
		a.buf = nil
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
			p.want = 0 // an empty line or array is no command
		case bad == errMore && (p.partial != nil || p.want <= keepBytes):
			return nil, n, nil
		case bad == errMore:
			p.want, p.partial = 0, newPartial(in[n], a)
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
		pos += size + 2 // like redis-server, skip the line end without checking it
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

// partial is an incomplete command whose bytes are taken out of the window as they arrive,
// and never more bytes than belong to it.
type partial struct {
	buf    []byte
	inline bool
	count  int    // announced arguments; 0 before the header, as an empty command is short and never gets here
	size   int    // length of the bulk that begins at pos; -1 before its header
	pos    int    // where the first line or bulk that is not parsed yet begins
	args   []span // complete arguments
}

// span is an argument's place in the buffer. (A slice would become wrong as the buffer
// grows.)
type span struct{ from, to uint32 }

// argBytes is what an argument needs while it is collected and in the list that Next returns.
const argBytes = 8 + 24

func newPartial(first byte, a *Args) *partial {
	q := &partial{buf: a.spare, inline: first != '*', size: -1}
	a.spare = nil
	return q
}

// resume takes the command's next bytes from in. Unless bad is errMore, the command is
// complete or invalid.
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

// bulk takes bytes of the current argument.
func (q *partial) bulk(in []byte) (n int, bad Error) {
	need := q.pos + q.size + 2
	n = min(need-len(q.buf), len(in))
	q.grow(n, need)
	q.buf = append(q.buf, in[:n]...)
	if len(q.buf) < need {
		return n, errMore
	}
	q.args = append(q.args, span{uint32(q.pos), uint32(q.pos + q.size)})
	q.pos, q.size = need, -1
	return n, ""
}

// grow makes room for n more bytes. If a long bulk goes on up to need, the buffer doubles, or
// grows fourfold once it is large: append would copy such a bulk several times more.
func (q *partial) grow(n, need int) {
	old := cap(q.buf)
	if len(q.buf)+n <= old {
		return
	}
	most := 2 * old
	if old >= 1<<20 {
		most = 4 * old
	}
	size := max(len(q.buf)+n, old+old/4, min(need, most))
	q.buf = append(make([]byte, 0, size), q.buf...)
}

// header takes bytes of the header with the command's number of arguments or with a bulk's
// size.
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

// take appends to the buffer the bytes of in that belong to the line at pos: up to the byte
// end and width-1 bytes after it, or as many as show that the line is too long.
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

// list returns the arguments. It uses a's list unless they are too many to keep.
func (q *partial) list(a *Args) [][]byte {
	args := a.list[:0]
	if len(q.args) > keepList {
		args = make([][]byte, 0, len(q.args))
	} else {
		a.list, a.lent, a.buf = args, true, q.buf
	}
	for _, s := range q.args {
		args = append(args, q.buf[s.from:s.to:s.to])
	}
	return args
}
