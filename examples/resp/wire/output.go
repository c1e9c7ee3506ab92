package wire

// Large is the length in bytes from which a value is sent by reference, without a copy.
const Large = 16 << 10

// keepOutput is the capacity of the largest buffer that Reset keeps.
const keepOutput = 64 << 10

// Output collects replies until they are sent: short ones in a buffer, long values by
// reference.
type Output struct {
	// V3 selects RESP3 for the replies that are written from now on; false is RESP2.
	V3 bool

	buf  []byte
	refs []ref // values to be sent between bytes of buf
	head int   // bytes of buf that have been sent
	next int   // refs that have been sent
	held int   // unsent bytes of refs
}

// ref is a value that is to be sent after the first at bytes of buf.
type ref struct {
	at    int
	value []byte
}

// Len returns the number of bytes to send.
func (o *Output) Len() int { return len(o.buf) - o.head + o.held }

// Contiguous reports whether Front returns everything that is to be sent.
func (o *Output) Contiguous() bool { return o.held == 0 }

// Front returns the next bytes to send, or nil if there are none. They are valid until the
// next reply is written.
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

// Sent removes the first n bytes of Front.
func (o *Output) Sent(n int) {
	if o.next < len(o.refs) && o.refs[o.next].at == o.head {
		r := &o.refs[o.next]
		r.value = r.value[n:]
		o.held -= n
		if len(r.value) == 0 {
			r.value = nil // so that the garbage collector can free it
			o.next++
		}
	} else {
		o.head += n
	}
	if o.head == len(o.buf) && o.next == len(o.refs) {
		o.Reset()
	}
}

// Reset removes everything. It frees the buffer if that has grown beyond 64 KiB.
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

// Move appends everything in from and leaves from empty. It does not copy long values, nor
// anything if o is empty and from is long.
func (o *Output) Move(from *Output) {
	if o.Len() == 0 && (!from.Contiguous() || from.Len() > keepOutput) {
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
