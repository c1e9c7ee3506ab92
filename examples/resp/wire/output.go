package wire

// Large is the length from which on a value is sent from where it lies.
const Large = 16 << 10

// keepOutput bounds the buffer that an Output keeps once all is sent.
const keepOutput = 64 << 10

// Output collects replies until they are sent: short ones in a buffer, long
// values by reference.
type Output struct {
	// V3 says that the client speaks RESP3. Replies that differ look at it as
	// they are written.
	V3 bool

	buf  []byte
	refs []ref // values that stand between bytes of buf
	head int   // bytes of buf that are sent
	next int   // refs that are sent
	held int   // bytes of the refs that are not sent
}

// ref is a value that is sent when buf's first at bytes are.
type ref struct {
	at    int
	value []byte
}

// Len is the number of bytes to send.
func (o *Output) Len() int { return len(o.buf) - o.head + o.held }

// Contiguous tells whether all that there is to send is one piece, Front.
func (o *Output) Contiguous() bool { return o.held == 0 }

// Front is the next piece to send, nil when all is sent. It is valid until
// the next reply is written.
func (o *Output) Front() []byte {
	if o.next < len(o.refs) {
		r := &o.refs[o.next]
		if r.at == o.head {
			return r.value
		}
		return o.buf[o.head:r.at]
	}
	if o.head == len(o.buf) {
		return nil
	}
	return o.buf[o.head:]
}

// Sent drops the first n bytes of Front.
func (o *Output) Sent(n int) {
	if o.next < len(o.refs) && o.refs[o.next].at == o.head {
		r := &o.refs[o.next]
		r.value = r.value[n:]
		o.held -= n
		if len(r.value) == 0 {
			r.value = nil // the collector may have it
			o.next++
		}
	} else {
		o.head += n
	}
	if o.head == len(o.buf) && o.next == len(o.refs) {
		o.Reset()
	}
}

// Reset drops everything. A buffer that grew beyond 64 KiB is not kept.
func (o *Output) Reset() {
	clear(o.refs)
	o.buf, o.refs = o.buf[:0], o.refs[:0]
	if cap(o.buf) > keepOutput {
		o.buf = nil
	}
	if cap(o.refs) > keepOutput/16 {
		o.refs = nil
	}
	o.head, o.next, o.held = 0, 0, 0
}

// Move appends all that from holds, and leaves it empty: values are still not
// copied.
func (o *Output) Move(from *Output) {
	if o.Len() == 0 && !from.Contiguous() {
		v3, other := o.V3, from.V3
		*o, *from = *from, *o
		o.V3, from.V3 = v3, other
		return
	}
	for from.Len() > 0 {
		b := from.Front()
		if from.next < len(from.refs) && from.refs[from.next].at == from.head {
			o.refer(b)
		} else {
			o.buf = append(o.buf, b...)
		}
		from.Sent(len(b))
	}
}

func (o *Output) refer(b []byte) {
	o.refs = append(o.refs, ref{len(o.buf), b})
	o.held += len(b)
}
