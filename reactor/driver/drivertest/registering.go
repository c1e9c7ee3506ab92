package drivertest

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor/poll"
)

var registering = []testCase{
	{6, "registering twice is an error", both, func(e *env) {
		a, b := e.pair()
		e.watch(a, 1, poll.Readable)
		e.fails(e.Register(a, 2, poll.Readable|e.mode), poll.ErrExist)
		e.write(b, "x")
		e.await(1, poll.Readable) // the first registration is unchanged
	}},
	{7, "changing or removing what is not registered is an error", both, func(e *env) {
		a, _ := e.pair()
		e.fails(e.Modify(a, 1, poll.Readable|e.mode), poll.ErrNotExist)
		e.fails(e.Remove(a), poll.ErrNotExist)
		e.watch(a, 1, poll.Readable)
		e.must(e.Remove(a))
		e.fails(e.Modify(a, 1, poll.Readable|e.mode), poll.ErrNotExist)
		e.fails(e.Remove(a), poll.ErrNotExist)
	}},
	{8, "a change replaces token and interest", both, func(e *env) {
		a, b := e.pair()
		e.watch(a, 1, poll.Readable)
		e.write(b, "x")
		e.await(1, poll.Readable)
		e.must(e.Modify(a, 2, poll.Writable|e.mode))
		if r := e.await(2, poll.Writable); r&poll.Readable != 0 {
			e.Fatalf("token 2: %v: want writable only", r)
		}
		e.must(e.Modify(a, 3, poll.Readable|e.mode))
		e.await(3, poll.Readable)
		e.drain(a)
		e.forget()
		e.silent()
	}},
	{9, "registering again after removal", both, func(e *env) {
		a, b := e.pair()
		for t := poll.Token(1); t < 4; t++ {
			e.watch(a, t, poll.Readable)
			e.write(b, "x")
			e.await(t, poll.Readable)
			e.must(e.Remove(a))
			e.forget()
			e.silentFor(time.Millisecond)
		}
	}},
	{10, "registering while another goroutine waits", both, func(e *env) {
		a, b := e.pair()
		c, d := e.pair()
		e.write(b, "x")
		e.must(e.After(quiet, func() {
			if err := e.Register(a, 1, poll.Readable|e.mode); err != nil {
				e.Error(err)
			}
		}))
		e.await(1, poll.Readable)
		e.drain(a)
		e.forget()
		e.watch(c, 2, poll.Readable)
		e.must(e.Remove(c))
		e.write(d, "x")
		e.must(e.After(quiet, func() {
			if err := errors.Join(e.Register(c, 3, poll.Writable|e.mode), e.Modify(c, 4, poll.Readable|e.mode)); err != nil {
				e.Error(err)
			}
		}))
		e.await(4, poll.Readable)
	}},
	{11, "registering and removing from many goroutines", both, func(e *env) {
		e.must(e.Goroutines())
		const workers, rounds = 4, 200
		var wg sync.WaitGroup
		for i := range workers {
			a, b := e.pair()
			e.write(b, "x")
			wg.Go(func() {
				for range rounds {
					err := e.Register(a, poll.Token(i+1), poll.Readable|e.mode)
					if err == nil {
						err = e.Remove(a)
					}
					if err != nil {
						e.Error(err)
						return
					}
				}
			})
		}
		done, err := e.NewWaker(workers + 1)
		e.must(err)
		go func() {
			wg.Wait()
			done.Wake()
		}()
		e.await(workers+1, poll.Readable)
		e.forget()
		e.silent()
	}},
	{12, "no event after removal, not even later in the batch", both, func(e *env) {
		var files [4]File
		for i := range files {
			a, b := e.pair()
			e.watch(a, poll.Token(i+1), poll.Readable)
			e.write(b, "x")
			files[i] = a
		}
		// The first event of the batch removes all other files.
		n, err := e.Wait(e.buf[:], timeout)
		e.must(err)
		first := e.buf[0].Token
		for i, f := range files {
			if poll.Token(i+1) != first {
				e.must(e.Remove(f))
				e.must(e.Drop(f))
			}
		}
		for _, ev := range e.buf[1:n] {
			if ev.Ready != 0 {
				e.Fatalf("event %v after removal", ev)
			}
		}
		e.drain(files[first-1])
		e.silent()
	}},
	{13, "a reused number never receives the old one's events", both, func(e *env) {
		for _, remove := range []bool{true, false} {
			a, b := e.pair()
			e.watch(a, 1, poll.Readable|poll.Writable)
			e.await(1, poll.Writable)
			e.write(b, "x")
			number, err := e.Number(a)
			e.must(err)
			if remove {
				e.must(e.Remove(a))
			}
			e.must(e.Close(a))
			e.forget()
			c, _ := e.pair()
			if again, err := e.Number(c); err != nil || again != number {
				e.Fatalf("number %d, %v: want %d again", again, err, number)
			}
			e.watch(c, 2, poll.Readable)
			e.silent()
			e.must(e.Remove(c))
			e.must(e.Close(c))
		}
	}},
	{14, "closing while registered", both, func(e *env) {
		a, b := e.pair()
		c, d := e.pair()
		e.watch(a, 1, poll.Readable)
		e.watch(c, 2, poll.Readable)
		e.write(b, "x")
		e.must(e.Close(a))
		e.silent()
		e.write(d, "x")
		e.await(2, poll.Readable)
	}},
	{15, "a duplicate closed first", both, func(e *env) {
		a, b := e.pair()
		dup, err := e.Dup(a)
		e.must(err)
		e.watch(a, 1, poll.Readable)
		e.must(e.Close(dup))
		e.write(b, "x")
		e.await(1, poll.Readable)
		e.drain(a)
		e.forget()

		// Close the registered one after Remove, while the duplicate stays open.
		dup, err = e.Dup(a)
		e.must(err)
		e.must(e.Remove(a))
		e.must(e.Close(a))
		e.write(b, "y")
		e.silent()
		e.watch(dup, 2, poll.Readable)
		if got := e.read(dup, 2, 1); got != "y" {
			e.Fatalf("read %q: want y", got)
		}
	}},
	{16, "many rounds of opening and closing leak nothing", edgeOnly, func(e *env) {
		begin, err := e.Descriptors()
		e.must(err)
		for i := range testenv.Pick(500, 2000) {
			a, b := e.pair()
			e.watch(a, poll.Token(i), poll.Readable|poll.Writable)
			if i%2 == 0 {
				e.must(e.Remove(a))
			}
			e.must(e.Close(a))
			e.must(e.Close(b))
			if i%100 == 0 {
				w, err := e.NewWaker(1)
				e.must(err)
				e.must(w.Close())
			}
		}
		if end, err := e.Descriptors(); err != nil || end != begin {
			e.Fatalf("%d descriptors, %v: want %d as before", end, err, begin)
		}
	}},
	{17, "a regular file, a directory, a closed descriptor: a clear error", both, func(e *env) {
		dir := e.shortDir()
		name := dir + "/file"
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			e.Fatal(err)
		}
		for _, path := range []string{name, dir} {
			f, err := e.Open(path)
			e.must(err)
			e.fails(e.Register(f, 1, poll.Readable|e.mode), poll.ErrNotPollable)
			e.must(e.Close(f))
		}
		a, _ := e.pair()
		e.must(e.Close(a))
		e.fails(e.Register(a, 1, poll.Readable|e.mode), poll.ErrBadDescriptor)
		e.fails(e.Register(-1, 1, poll.Readable|e.mode), poll.ErrBadDescriptor)
		c, _ := e.pair()
		for _, i := range []poll.Interest{0, poll.Edge, 1 << 4, 1<<6 | poll.Readable} {
			e.fails(e.Register(c, 1, i), poll.ErrInterest)
		}
	}},
}

var edges = []testCase{
	{18, "would-block re-arms", edgeOnly, func(e *env) {
		a, b := e.pair()
		e.watch(a, 1, poll.Readable|poll.Writable)
		e.await(1, poll.Writable)
		for range 20 {
			e.write(b, "x")
			e.await(1, poll.Readable)
			if got, _ := e.drain(a); string(got) != "x" {
				e.Fatalf("read %q: want x", got)
			}
		}
		for range 3 {
			n := e.fill(a)
			e.forget()
			e.silentFor(time.Millisecond)
			if got := e.readBytes(b, n); got != n {
				e.Fatalf("read %d bytes: want %d", got, n)
			}
			e.await(1, poll.Writable)
		}
	}},
	{19, "new data gives an event although older data was not read", both, func(e *env) {
		a, b := e.pair()
		e.watch(a, 1, poll.Readable)
		e.write(b, "ab")
		e.await(1, poll.Readable)
		n, err := e.Read(a, make([]byte, 1))
		e.must(err)
		if n != 1 {
			e.Fatalf("read %d bytes: want 1", n)
		}
		if e.mode == edge {
			// No operation would have blocked. A backend whose kernel has no edges needs
			// this call to report the new data.
			e.must(e.Rearm(a, poll.Readable))
		}
		e.write(b, "c")
		e.await(1, poll.Readable)
		if got, _ := e.drain(a); string(got) != "bc" {
			e.Fatalf("read %q: want bc", got)
		}
	}},
	{20, "a machine that reads one byte per call is called until it is done", edgeOnly, func(e *env) {
		a, b := e.pair()
		e.write(b, "five!")
		calls, err := e.Calls(a)
		e.must(err)
		if calls < 5 || calls > 6 { // the sixth would block
			e.Fatalf("%d calls: want 5 or 6", calls)
		}
	}},
	{21, "readable and writable at once", both, func(e *env) {
		a, b := e.pair()
		e.write(b, "x")
		e.watch(a, 1, poll.Readable|poll.Writable)
		if n := e.wait(timeout); n != 1 || e.came[1]&(poll.Readable|poll.Writable) != poll.Readable|poll.Writable {
			e.Fatalf("%d events, %v: want both in one", n, e.came)
		}
	}},
}

// readBytes reads n bytes that were written and may not have arrived yet. It returns the
// number of bytes read.
func (e *env) readBytes(f File, n int) (got int) {
	e.Helper()
	b := make([]byte, 64<<10)
	for end := e.Now() + timeout; got < n && e.Now() < end; {
		k, err := e.Read(f, b)
		if errors.Is(err, ErrWouldBlock) {
			continue
		}
		e.must(err)
		got += k
	}
	return got
}
