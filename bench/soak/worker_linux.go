package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a worker waits for what must come at once. It is long, as other
// programs may keep the machine busy: how long things take is in the report.
const patience = time.Minute

// load makes the load of one worker until next returns false. It is begun anew after an
// error, which counts as something wrong.
type load func(*worker) error

// worker is a goroutine that makes load.
type worker struct {
	ctx context.Context
	id  int
	*tally
	every   time.Duration
	due     time.Time
	rand    *rand.Rand
	out, in []byte // of exchange
}

func (w *worker) run(l load) {
	w.due = time.Now().Add(-time.Duration(w.rand.Int64N(int64(w.every)))) // not all at the same moment
	for w.next() {
		if err := l(w); err != nil {
			w.fail(err)
		}
	}
}

// next waits for the time of the worker's next step, and reports whether there is one.
func (w *worker) next() bool {
	w.due = w.due.Add(w.every)
	if behind := time.Since(w.due); behind > w.every {
		w.due = time.Now()
	}
	return w.pause(time.Until(w.due)) && w.ctx.Err() == nil
}

// pause waits, and reports whether the load goes on after that.
func (w *worker) pause(d time.Duration) bool {
	select {
	case <-w.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// dial connects within patience. All that is done on the connection is to be done by then
// as well, unless its deadline is renewed.
func dial(network, addr string) (net.Conn, error) {
	c, err := net.DialTimeout(network, addr, patience)
	if err == nil {
		c.SetDeadline(time.Now().Add(patience))
	}
	return c, err
}

// exchange sends n random bytes, and expects the same back.
func (w *worker) exchange(c io.ReadWriter, n int) error {
	for len(w.out) < n {
		w.out = append(w.out, make([]byte, n)...)
		w.in = append(w.in, make([]byte, n)...)
	}
	out, in := w.out[:n], w.in[:n]
	for i := range out {
		out[i] = byte(w.rand.Uint32())
	}
	if c, ok := c.(net.Conn); ok {
		c.SetDeadline(time.Now().Add(patience))
	}
	began := time.Now()
	if _, err := c.Write(out); err != nil {
		return err
	}
	if got, err := io.ReadFull(c, in); err != nil {
		return fmt.Errorf("%s of the reply came, then: %w", share(got, n), err)
	}
	w.took(time.Since(began))
	if !bytes.Equal(in, out) {
		return errors.New("the reply differs from what was sent")
	}
	w.count(n)
	return nil
}

// share says roughly how much came, so that equal errors have equal texts.
func share(got, of int) string {
	switch got {
	case 0:
		return "nothing"
	case of:
		return "all"
	}
	return "part"
}

// ended expects the end of the input.
func ended(c io.Reader) error {
	n, err := c.Read(make([]byte, 1))
	if n > 0 {
		return errors.New("input after the last reply: want its end")
	}
	if err != io.EOF {
		return fmt.Errorf("instead of the end of input: %w", err)
	}
	return nil
}

// reset closes a connection of TCP so that its peer finds a reset.
func reset(c net.Conn) {
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// wasCut reports whether a connection ended by a reset of its peer.
func wasCut(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, syscall.ENOTCONN) // of CloseWrite
}

// narrow makes a socket that the kernel buffers little for, so that a peer that does not
// read is noticed soon. Several may listen at its address.
func narrow(_, _ string, raw syscall.RawConn) (err error) {
	e := raw.Control(func(fd uintptr) {
		for _, o := range []struct{ option, value int }{
			{unix.SO_SNDBUF, 16 << 10}, {unix.SO_RCVBUF, 8 << 10}, {unix.SO_REUSEPORT, 1},
		} {
			err = errors.Join(err, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, o.option, o.value))
		}
	})
	return errors.Join(e, err)
}

func dialNarrow(addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: patience, Control: narrow}
	c, err := d.Dial("tcp", addr)
	if err == nil {
		c.SetDeadline(time.Now().Add(patience))
	}
	return c, err
}
