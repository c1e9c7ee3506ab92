package drivertest

import (
	"errors"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/poll"
)

const (
	timeout = 10 * time.Second     // for events that must come
	quiet   = 5 * time.Millisecond // to check that no event comes
)

// env is the environment of a running case: the test, the System and the events that came.
type env struct {
	*testing.T
	System
	mode    poll.Interest
	backend Backend
	came    map[poll.Token]poll.Ready // events that await did not return yet
	buf     [64]poll.Event
}

// skip is the value of a panic that leaves a part of a case that cannot run.
type skip struct{ why string }

// try runs f. It returns the reason if f cannot run.
func (e *env) try(f func()) (why string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case skip:
			why = r.why
		default:
			panic(r)
		}
	}()
	f()
	return ""
}

// tryAll runs the parts of a case that the System supports. If it supports none, the case is
// skipped.
func (e *env) tryAll(fs ...func()) {
	e.Helper()
	var first string
	ran := false
	for _, f := range fs {
		switch why := e.try(f); {
		case why == "":
			ran = true
		case first == "":
			first = why
		}
		e.forget()
	}
	if !ran {
		panic(skip{first})
	}
}

// must ends the case if err is not nil: the case is skipped if the System does not support
// the operation, and fails otherwise.
func (e *env) must(err error) {
	e.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		panic(skip{err.Error()})
	}
	if err != nil {
		e.Fatal(err)
	}
}

// fails ends the case unless err is want.
func (e *env) fails(err, want error) {
	e.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		panic(skip{err.Error()})
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

// wait calls Wait once and adds its events to came.
func (e *env) wait(timeout time.Duration) int {
	e.Helper()
	n, err := e.Wait(e.buf[:], timeout)
	e.must(err)
	for _, ev := range e.buf[:n] {
		e.came[ev.Token] |= ev.Ready
	}
	return n
}

// await waits until all of want came for t, and returns everything that came for t.
func (e *env) await(t poll.Token, want poll.Ready) poll.Ready {
	e.Helper()
	for end := e.Now() + timeout; e.came[t]&want != want; {
		left := end - e.Now()
		if left <= 0 {
			e.Fatalf("token %#x: %v: want %v; others: %v", uint64(t), e.came[t], want, e.came)
		}
		e.wait(left)
	}
	r := e.came[t]
	delete(e.came, t)
	return r
}

// reported returns the part of r that the backend reports with interest i.
func (e *env) reported(r poll.Ready, i poll.Interest) poll.Ready {
	if e.backend.PerDirection {
		r = perDirection(r, i)
	}
	if e.backend.NoReadClosed && r&poll.WriteClosed == 0 {
		r &^= poll.ReadClosed
	}
	return r
}

// perDirection returns the part of r that a backend with PerDirection reports.
func perDirection(r poll.Ready, i poll.Interest) poll.Ready {
	r &^= poll.Error
	if i&poll.Readable == 0 {
		r &^= poll.Readable | poll.ReadClosed
	}
	if i&poll.Writable == 0 {
		r &^= poll.Writable | poll.WriteClosed
	}
	return r
}

// silent fails the case if an event comes in the quiet time, or came before and was not
// returned by await.
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
		e.wait(left)
	}
	e.Fatalf("events %v: want none", e.came)
}

// forget clears came. It is needed in level mode, where events are repeated.
func (e *env) forget() { clear(e.came) }

// read reads n bytes, awaiting t when a read would block.
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

// drain reads until a read would block or returns the end. It returns the data and whether
// the end was reached.
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

// readAll reads to the end, awaiting t when a read would block.
func (e *env) readAll(f File, t poll.Token) []byte {
	e.Helper()
	for got := []byte(nil); ; e.await(t, poll.Readable) {
		more, end := e.drain(f)
		if got = append(got, more...); end {
			return got
		}
	}
}

// write writes s, which must fit in the buffers.
func (e *env) write(f File, s string) {
	e.Helper()
	n, err := e.Write(f, []byte(s))
	e.must(err)
	if n != len(s) {
		e.Fatalf("wrote %d of %d bytes", n, len(s))
	}
}

// fill writes until a write would block, and returns the number of bytes.
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

// pair returns two connected stream sockets, of TCP if the System has no unix sockets.
func (e *env) pair() (a, b File) {
	e.Helper()
	a, b, err := e.Pair("unix")
	if errors.Is(err, errors.ErrUnsupported) {
		a, b, err = e.Pair("tcp")
	}
	e.must(err)
	return a, b
}

// tcp returns two connected TCP sockets.
func (e *env) tcp() (a, b File) {
	e.Helper()
	a, b, err := e.Pair("tcp")
	e.must(err)
	return a, b
}

// listen returns a TCP listener and its address.
func (e *env) listen() (File, string) {
	e.Helper()
	l, addr, err := e.Listen("tcp", "127.0.0.1:0")
	e.must(err)
	return l, addr
}

// accept accepts a connection, awaiting t when that would block.
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

// sleep waits until d has passed on the System's clock.
func (e *env) sleep(d time.Duration) {
	e.Helper()
	for end := e.Now() + d; ; {
		left := end - e.Now()
		if left <= 0 {
			return
		}
		e.wait(left)
	}
}
