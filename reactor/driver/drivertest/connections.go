package drivertest

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

var connections = []testCase{
	{22, "a connection made is writable, once", both, func(e *env) {
		l, addr := e.listen()
		e.watch(l, 1, poll.Readable)
		c, err := e.Dial("tcp", addr)
		e.must(err)
		e.watch(c, 2, poll.Writable)
		if r := e.await(2, poll.Writable); r&(poll.Error|poll.WriteClosed) != 0 {
			e.Fatalf("connected: %v: want writable only", r)
		}
		e.must(e.Finish(c))
		s := e.accept(l, 1)
		e.drainAccepts(l)
		if e.mode == edge {
			e.forget()
			e.silent()
		}
		e.write(c, "hello")
		e.watch(s, 3, poll.Readable)
		if got := e.read(s, 3, 5); got != "hello" {
			e.Fatalf("read %q: want hello", got)
		}
	}},
	{23, "a connection refused reports the error", both, func(e *env) {
		c := e.refused()
		e.watch(c, 1, poll.Writable)
		if r := e.await(1, poll.Writable); r&poll.WriteClosed == 0 {
			e.Fatalf("refused: %v: want write closed", r)
		}
		e.fails(e.Finish(c), errno.ECONNREFUSED)
	}},
	{24, "connecting, then closing at once", both, func(e *env) {
		l, addr := e.listen()
		e.watch(l, 1, poll.Readable)
		c, err := e.Dial("tcp", addr)
		e.must(err)
		e.watch(c, 2, poll.Readable|poll.Writable)
		e.must(e.Close(c))
		s := e.accept(l, 1)
		e.watch(s, 3, poll.Readable)
		if got := e.readAll(s, 3); len(got) != 0 {
			e.Fatalf("read %q: want the end", got)
		}
		e.drainAccepts(l)
		if _, ok := e.came[2]; ok {
			e.Fatal("event of a closed connection")
		}
	}},
	{25, "listening, then closing", both, func(e *env) {
		l, addr := e.listen()
		e.watch(l, 1, poll.Readable)
		c, err := e.Dial("tcp", addr)
		e.must(err)
		e.watch(c, 2, poll.Readable|poll.Writable)
		e.await(2, poll.Writable)
		e.must(e.Finish(c))
		e.must(e.Close(l))
		delete(e.came, 1)
		e.await(2, poll.Readable) // a connection that was not accepted is reset
		if _, err := e.Read(c, make([]byte, 1)); !errors.Is(err, errno.ECONNRESET) && !isEnd(err) {
			e.Fatalf("read: %v: want a reset or the end", err)
		}
		e.forget()
		if e.mode == edge {
			e.silent()
		}
		again, err := e.Dial("tcp", addr)
		if err == nil {
			e.watch(again, 3, poll.Writable)
			e.await(3, poll.Writable)
			err = e.Finish(again)
		}
		e.fails(err, errno.ECONNREFUSED)
	}},
	{26, "a burst of accepts on one edge", both, func(e *env) {
		const burst = 50
		l, addr := e.listen()
		e.watch(l, 1, poll.Readable)
		for range burst {
			_, err := e.Dial("tcp", addr)
			e.must(err)
		}
		got := 0
		for got < burst {
			e.await(1, poll.Readable)
			got += e.drainAccepts(l)
		}
		e.silent()
	}},
	{27, "out of descriptors, accepting neither spins nor stops for ever", edgeOnly, func(e *env) {
		l, addr := e.listen()
		e.watch(l, 1, poll.Readable)
		c, err := e.Dial("tcp", addr)
		e.must(err)
		e.watch(c, 2, poll.Writable)
		e.await(2, poll.Writable)
		e.must(e.Finish(c))
		e.await(1, poll.Readable)
		restore, err := e.Exhaust()
		e.must(err)
		_, full := e.Accept(l)
		n := e.wait(quiet)
		restore()
		e.fails(full, errno.EMFILE)
		if n != 0 {
			e.Fatalf("%d events while no descriptor was available: want 0", n)
		}
		s, err := e.Accept(l) // without a new edge
		e.must(err)
		e.must(e.Close(s))
		e.drainAccepts(l)
		_, err = e.Dial("tcp", addr)
		e.must(err)
		e.accept(l, 1)
	}},
	{28, "data is read before the peer's end", both, func(e *env) {
		e.streams(func(network string, a, b File) {
			e.watch(a, 1, poll.Readable)
			e.write(b, "last words")
			e.must(e.Close(b))
			if got := e.read(a, 1, 10); got != "last words" {
				e.Fatalf("%s: read %q: want last words", network, got)
			}
			if got := e.readAll(a, 1); len(got) != 0 {
				e.Fatalf("%s: then read %q: want the end", network, got)
			}
		})
	}},
	{29, "half-closed each way, and both", both, func(e *env) {
		e.streams(func(network string, a, b File) {
			e.watch(a, 1, poll.Readable)
			e.watch(b, 2, poll.Readable)
			e.must(e.Shutdown(b, driver.ShutWrite))
			if got := e.readAll(a, 1); len(got) != 0 {
				e.Fatalf("%s: read %q: want the end", network, got)
			}
			e.write(a, "still here") // the other direction is still open
			e.must(e.Shutdown(a, driver.ShutWrite))
			if got := e.readAll(b, 2); string(got) != "still here" {
				e.Fatalf("%s: read %q: want still here", network, got)
			}
			_, err := e.Write(a, []byte("x"))
			e.fails(err, errno.EPIPE)
		})
	}},
	{30, "a reset", both, func(e *env) {
		a, b := e.tcp()
		e.watch(a, 1, poll.Readable|poll.Writable)
		e.await(1, poll.Writable)
		e.must(e.Reset(b))
		e.await(1, poll.Readable|poll.ReadClosed|poll.WriteClosed)
		_, err := e.Read(a, make([]byte, 1))
		e.fails(err, errno.ECONNRESET)
		if _, err := e.Read(a, make([]byte, 1)); !isEnd(err) {
			e.Fatalf("a second read: %v: want the end", err)
		}
	}},
	{31, "what was sent before a hang-up is readable after it", both, func(e *env) {
		e.streams(func(network string, a, b File) {
			e.write(b, "last words")
			e.must(e.Close(b))
			e.watch(a, 1, poll.Readable)
			e.await(1, e.reported(poll.Readable|poll.ReadClosed, poll.Readable))
			if got := e.readAll(a, 1); string(got) != "last words" {
				e.Fatalf("%s: read %q: want last words", network, got)
			}
		})
	}},
	{32, "a write to a closed peer: an error, no signal", both, func(e *env) {
		e.streams(func(network string, a, b File) {
			e.watch(a, 1, poll.Readable)
			e.must(e.Close(b))
			e.await(1, poll.Readable)
			var err error
			for end := e.Now() + timeout; err == nil && e.Now() < end; e.sleep(time.Millisecond) {
				_, err = e.Write(a, []byte("anyone?"))
			}
			if !errors.Is(err, errno.EPIPE) && !errors.Is(err, errno.ECONNRESET) {
				e.Fatalf("%s: %v: want a broken pipe or a reset", network, err)
			}
		})
	}},
	{33, "a large write blocks, then there is room again", both, func(e *env) {
		e.streams(func(network string, a, b File) {
			e.watch(a, 1, poll.Writable)
			e.await(1, poll.Writable)
			n := e.fill(a)
			if e.mode == level && network == "unix" { // TCP's buffers still grow
				e.silentFor(time.Millisecond)
			}
			e.forget()
			for got := 0; got < n; got += e.readBytes(b, min(n-got, 1<<20)) {
			}
			e.await(1, poll.Writable)
			n = e.fill(a)
			if got := e.readBytes(b, n); got != n {
				e.Fatalf("%s: read %d bytes: want %d", network, got, n)
			}
		})
	}},
	{34, "writing, then closing, delivers all", both, func(e *env) {
		e.streams(func(network string, a, b File) {
			e.watch(a, 1, poll.Readable)
			want := bytes.Repeat([]byte(strings.Repeat("all of it. ", 10)), 100)
			n, err := e.Write(b, want)
			e.must(err)
			e.must(e.Close(b))
			if got := e.readAll(a, 1); !bytes.Equal(got, want[:n]) {
				e.Fatalf("%s: read %d bytes: want %d", network, len(got), n)
			}
		})
	}},
	{35, "reads and writes of length zero", both, func(e *env) {
		e.streams(func(network string, a, b File) {
			e.watch(a, 1, poll.Readable)
			n, err := e.Write(b, nil)
			if n != 0 || err != nil {
				e.Fatalf("%s: empty write: %d, %v", network, n, err)
			}
			e.silentFor(time.Millisecond)
			e.write(b, "x")
			e.await(1, poll.Readable)
			n, err = e.Read(a, nil)
			if n != 0 || err != nil {
				e.Fatalf("%s: empty read: %d, %v", network, n, err)
			}
			if got, end := e.drain(a); string(got) != "x" || end { // the empty read must not count as the end
				e.Fatalf("%s: read %q, end %v: want x", network, got, end)
			}
		})
	}},
}

// streams runs f with a pair of each kind of stream sockets that the System supports.
func (e *env) streams(f func(network string, a, b File)) {
	e.Helper()
	ran := false
	for _, network := range []string{"tcp", "unix"} {
		a, b, err := e.Pair(network)
		if errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		e.must(err)
		ran = true
		f(network, a, b)
		e.Close(a)
		e.Close(b) // most cases have done so already
		e.forget()
	}
	if !ran {
		panic(skip{"no stream sockets"})
	}
}

// drainAccepts accepts and closes connections until that would block, and returns their
// number.
func (e *env) drainAccepts(l File) (n int) {
	e.Helper()
	for {
		f, err := e.Accept(l)
		if errors.Is(err, ErrWouldBlock) {
			return n
		}
		e.must(err)
		e.must(e.Close(f))
		n++
	}
}

// refused returns a connection to a port without a listener.
func (e *env) refused() File {
	e.Helper()
	l, addr := e.listen()
	e.must(e.Close(l))
	c, err := e.Dial("tcp", addr)
	e.must(err)
	return c
}
