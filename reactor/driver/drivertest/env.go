package drivertest

import (
	"errors"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/poll"
)

// patience bounds a wait for what has to come; a quiet time is long enough to
// see what must not.
const (
	patience = 10 * time.Second
	quiet    = 5 * time.Millisecond
)

// env is what a case works with.
type env struct {
	*testing.T
	System
	mode poll.Interest
	of   Backend
	came map[poll.Token]poll.Ready // events not yet asked for by await
	buf  [64]poll.Event
}

// lacks is what env panics with to leave a part that cannot run.
type lacks struct{ what string }

// part runs f, and answers why it could not.
func (e *env) part(f func()) (why string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case lacks:
			why = r.what
		default:
			panic(r)
		}
	}()
	f()
	return ""
}

// parts runs the parts of a case that the System has the means for, and leaves
// the case if that is none.
func (e *env) parts(fs ...func()) {
	e.Helper()
	var first string
	ran := false
	for _, f := range fs {
		switch why := e.part(f); {
		case why == "":
			ran = true
		case first == "":
			first = why
		}
		e.forget()
	}
	if !ran {
		panic(lacks{first})
	}
}

// must ends the case when err is not nil: skipped when the System lacks
// something, else failed.
func (e *env) must(err error) {
	e.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		panic(lacks{err.Error()})
	}
	if err != nil {
		e.Fatal(err)
	}
}

// fails ends the case unless err is want.
func (e *env) fails(err, want error) {
	e.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		panic(lacks{err.Error()})
	}
	if !errors.Is(err, want) {
		e.Fatalf("error %v: want %v", err, want)
	}
}

// watch registers f in the case's mode.
func (e *env) watch(f File, t poll.Token, i poll.Interest) {
	e.Helper()
	e.must(e.Register(f, t, i|e.mode))
}

// look takes in the events of one Wait.
func (e *env) look(timeout time.Duration) int {
	e.Helper()
	n, err := e.Wait(e.buf[:], timeout)
	e.must(err)
	for _, ev := range e.buf[:n] {
		e.came[ev.Token] |= ev.Ready
	}
	return n
}

// await waits until all of want have come for t, and answers what else has.
func (e *env) await(t poll.Token, want poll.Ready) poll.Ready {
	e.Helper()
	for end := e.Now() + patience; e.came[t]&want != want; {
		left := end - e.Now()
		if left <= 0 {
			e.Fatalf("token %#x: %v: want %v; others: %v", uint64(t), e.came[t], want, e.came)
		}
		e.look(left)
	}
	r := e.came[t]
	delete(e.came, t)
	return r
}

// told is what an event with interest i tells of r.
func (e *env) told(r poll.Ready, i poll.Interest) poll.Ready {
	if e.of.Apart {
		r = apart(r, i)
	}
	if e.of.Unhinted && r&poll.WriteClosed == 0 {
		r &^= poll.ReadClosed
	}
	return r
}

// apart is what is left of r where an event tells of its own directions.
func apart(r poll.Ready, i poll.Interest) poll.Ready {
	r &^= poll.Error
	if i&poll.Readable == 0 {
		r &^= poll.Readable | poll.ReadClosed
	}
	if i&poll.Writable == 0 {
		r &^= poll.Writable | poll.WriteClosed
	}
	return r
}

// silent fails the case when any event comes in the quiet time, or came before
// and was not asked for.
func (e *env) silent() {
	e.Helper()
	e.silentFor(quiet)
}

func (e *env) silentFor(d time.Duration) {
	e.Helper()
	for end := e.Now() + d; len(e.came) == 0; {
		left := end - e.Now()
		if left <= 0 {
			return
		}
		e.look(left)
	}
	e.Fatalf("events %v: want none", e.came)
}

// forget drops what came: in level mode events repeat for as long as their
// reason lasts.
func (e *env) forget() { clear(e.came) }

// read reads until n bytes are there, waiting for t in between.
func (e *env) read(f File, t poll.Token, n int) string {
	e.Helper()
	var got []byte
	b := make([]byte, n)
	for len(got) < n {
		k, err := e.Read(f, b[:n-len(got)])
		if errors.Is(err, ErrWouldBlock) {
			e.await(t, poll.Readable)
			continue
		}
		if err != nil {
			e.Fatalf("read %q, then: %v", got, err)
		}
		got = append(got, b[:k]...)
	}
	return string(got)
}

// drain reads until it would block, without a wait, and answers what it read
// and whether that was the end.
func (e *env) drain(f File) (got []byte, end bool) {
	e.Helper()
	b := make([]byte, 4096)
	for {
		n, err := e.Read(f, b)
		switch {
		case errors.Is(err, ErrWouldBlock):
			return got, false
		case isEnd(err):
			return got, true
		}
		e.must(err)
		got = append(got, b[:n]...)
	}
}

// readAll reads to the end, waiting for t in between.
func (e *env) readAll(f File, t poll.Token) []byte {
	e.Helper()
	for got := []byte(nil); ; e.await(t, poll.Readable) {
		more, end := e.drain(f)
		if got = append(got, more...); end {
			return got
		}
	}
}

// write writes all of s, which is short enough to fit.
func (e *env) write(f File, s string) {
	e.Helper()
	n, err := e.Write(f, []byte(s))
	e.must(err)
	if n != len(s) {
		e.Fatalf("wrote %d of %d bytes", n, len(s))
	}
}

// fill writes until it would block, and answers how much.
func (e *env) fill(f File) (total int) {
	e.Helper()
	b := make([]byte, 64<<10)
	for {
		n, err := e.Write(f, b)
		if errors.Is(err, ErrWouldBlock) {
			return total
		}
		e.must(err)
		total += n
	}
}

// pair is a connected pair of stream sockets, by TCP if the System has no
// socketpair.
func (e *env) pair() (a, b File) {
	e.Helper()
	a, b, err := e.Pair("unix")
	if errors.Is(err, errors.ErrUnsupported) {
		a, b, err = e.Pair("tcp")
	}
	e.must(err)
	return a, b
}

// tcp is a connected pair of TCP sockets.
func (e *env) tcp() (a, b File) {
	e.Helper()
	a, b, err := e.Pair("tcp")
	e.must(err)
	return a, b
}

// listen is a TCP listener.
func (e *env) listen() (File, string) {
	e.Helper()
	l, addr, err := e.Listen("tcp", "127.0.0.1:0")
	e.must(err)
	return l, addr
}

// accept waits for a connection at l.
func (e *env) accept(l File, t poll.Token) File {
	e.Helper()
	for {
		f, err := e.Accept(l)
		if !errors.Is(err, ErrWouldBlock) {
			e.must(err)
			return f
		}
		e.await(t, poll.Readable)
	}
}

// sleep lets time pass on the System's clock.
func (e *env) sleep(d time.Duration) {
	e.Helper()
	for end := e.Now() + d; ; {
		left := end - e.Now()
		if left <= 0 {
			return
		}
		e.look(left)
	}
}
