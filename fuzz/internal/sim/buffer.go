package sim

// buffer is a queue of bytes. It keeps its memory when it becomes empty.
type buffer struct {
	b   []byte
	off int
}

func (q *buffer) len() int { return len(q.b) - q.off }

func (q *buffer) bytes() []byte { return q.b[q.off:] }

func (q *buffer) put(p []byte) {
	if q.off > 0 && len(q.b)+len(p) > cap(q.b) {
		q.b = q.b[:copy(q.b, q.b[q.off:])]
		q.off = 0
	}
	q.b = append(q.b, p...)
}

func (q *buffer) take(p []byte) int {
	n := copy(p, q.b[q.off:])
	q.drop(n)
	return n
}

func (q *buffer) drop(n int) {
	if q.off += n; q.off == len(q.b) {
		q.b, q.off = q.b[:0], 0
	}
}

// truncate keeps the first n bytes.
func (q *buffer) truncate(n int) {
	if n < q.len() {
		q.b = q.b[:q.off+n]
		q.drop(0)
	}
}

func (q *buffer) clear() { q.b, q.off = q.b[:0], 0 }
