package drivertest

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/poll"
)

var sources = []testCase{
	{41, "UDP: empty datagrams, truncation, connected or not", both, func(e *env) {
		s, addr, err := e.Bind("udp", "127.0.0.1:0")
		e.must(err)
		e.watch(s, 1, poll.Readable)
		c, here, err := e.Bind("udp", "127.0.0.1:0")
		e.must(err)
		for _, d := range []string{"", "datagram", "", "longer than the buffer"} {
			_, err := e.SendTo(c, []byte(d), addr)
			e.must(err)
		}
		for _, want := range []string{"", "datagram", "", "longer t"} {
			got, from := e.recv(s, 1, 8)
			if got != want || from != here {
				e.Fatalf("received %q from %s: want %q from %s", got, from, want, here)
			}
		}
		e.noDatagram(s) // the rest of the long datagram is discarded
		e.forget()
		e.silentFor(time.Millisecond)

		k, err := e.Dial("udp", addr)
		e.must(err)
		e.watch(k, 2, poll.Readable)
		e.write(k, "connected")
		_, from := e.recv(s, 1, 64)
		_, err = e.SendTo(s, []byte("back"), from)
		e.must(err)
		if got := e.read(k, 2, 4); got != "back" {
			e.Fatalf("read %q: want back", got)
		}
		// A refused datagram is an error of the socket, and not its end.
		e.must(e.Close(s))
		e.forget()
		e.write(k, "lost")
		e.await(2, e.reported(poll.Readable|poll.Error, poll.Readable))
		_, err = e.Read(k, make([]byte, 8))
		e.fails(err, errno.ECONNREFUSED)
		e.noDatagram(k)
		e.forget()
		e.silentFor(time.Millisecond)
	}},
	{42, "unix sockets: stream, datagram, pair, abstract name", both, func(e *env) {
		dir := e.shortDir()
		e.tryAll(
			func() { e.unixStream(filepath.Join(dir, "s")) },
			func() { e.unixStream("@stator-conformance-" + filepath.Base(dir)) },
			func() { e.unixDatagram(filepath.Join(dir, "a"), filepath.Join(dir, "b")) },
			func() { e.unixPair("unix") },
			func() { e.unixPair("unixgram") },
		)
	}},
	{43, "pipes: reader closed, writer closed, of a child", both, func(e *env) {
		e.tryAll(e.writerCloses, e.readerCloses, e.child)
	}},
	{44, "a net.Conn, net.Listener and os.File adopted and released", both, func(e *env) {
		e.tryAll(e.adoptNet, e.adoptFile)
	}},
	{45, "many sockets against a model", both, manySockets},
}

// recv receives a datagram, awaiting t when that would block.
func (e *env) recv(f File, t poll.Token, size int) (data, from string) {
	e.Helper()
	b := make([]byte, size)
	for {
		n, from, err := e.RecvFrom(f, b)
		if errors.Is(err, ErrWouldBlock) {
			e.await(t, poll.Readable)
			continue
		}
		e.must(err)
		return string(b[:n]), from
	}
}

// noDatagram checks that a receive would block.
func (e *env) noDatagram(f File) {
	e.Helper()
	_, _, err := e.RecvFrom(f, make([]byte, 8))
	e.fails(err, ErrWouldBlock)
}

func (e *env) pipe() (r, w File) {
	e.Helper()
	r, w, err := e.Pipe()
	e.must(err)
	return r, w
}

// shortDir returns a directory whose name is short enough for the address of a socket, which
// that of T.TempDir may not be. The case does not fail if it cannot be removed, as under
// Wine.
func (e *env) shortDir() string {
	dir, err := os.MkdirTemp("", "conf")
	e.must(err)
	e.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// unixStream connects two sockets by a name in the file system or an abstract one.
func (e *env) unixStream(name string) {
	l, addr, err := e.Listen("unix", name)
	e.must(err)
	if addr != name {
		e.Fatalf("listening at %q: want %q", addr, name)
	}
	e.watch(l, 1, poll.Readable)
	c, err := e.Dial("unix", name)
	e.must(err)
	e.write(c, "hello")
	s := e.accept(l, 1)
	e.watch(s, 2, poll.Readable)
	if got := e.read(s, 2, 5); got != "hello" {
		e.Fatalf("%s: read %q: want hello", name, got)
	}
	e.must(errors.Join(e.Close(l), e.Close(c), e.Close(s)))
}

func (e *env) unixDatagram(here, there string) {
	a, _, err := e.Bind("unixgram", here)
	e.must(err)
	b, _, err := e.Bind("unixgram", there)
	e.must(err)
	e.watch(a, 3, poll.Readable)
	for _, d := range []string{"", "datagram"} {
		_, err = e.SendTo(b, []byte(d), here)
		e.must(err)
		if got, from := e.recv(a, 3, 64); got != d || from != there {
			e.Fatalf("received %q from %q: want %q from %s", got, from, d, there)
		}
	}
}

func (e *env) unixPair(network string) {
	a, b, err := e.Pair(network)
	e.must(err)
	e.watch(a, 4, poll.Readable)
	e.write(b, "pair")
	if got := e.read(a, 4, 4); got != "pair" {
		e.Fatalf("%s: read %q: want pair", network, got)
	}
	e.must(errors.Join(e.Close(a), e.Close(b)))
}

// writerCloses closes the writing end of a pipe, with data left to be read and without.
func (e *env) writerCloses() {
	for _, left := range []string{"last", ""} {
		r, w := e.pipe()
		e.watch(r, 1, poll.Readable)
		e.write(w, left)
		e.must(e.Close(w))
		e.await(1, poll.Readable|poll.ReadClosed)
		if got := e.readAll(r, 1); string(got) != left {
			e.Fatalf("read %q: want %q", got, left)
		}
		e.must(e.Close(r))
		e.forget()
	}
}

// readerCloses closes the reading end of a full pipe.
func (e *env) readerCloses() {
	r, w := e.pipe()
	e.watch(w, 2, poll.Writable)
	e.await(2, poll.Writable)
	e.fill(w)
	e.forget()
	e.silentFor(time.Millisecond)
	e.must(e.Close(r))
	e.await(2, e.reported(poll.Writable|poll.WriteClosed|poll.Error, poll.Writable))
	_, err := e.Write(w, []byte("x"))
	e.fails(err, errno.EPIPE)
	e.must(e.Close(w))
}

func (e *env) child() {
	stdin, to := e.pipe()
	from, stdout := e.pipe()
	wait, err := e.Child(stdin, stdout)
	e.must(err)
	e.watch(to, 3, poll.Writable)
	e.watch(from, 4, poll.Readable)
	e.await(3, poll.Writable)
	e.write(to, "through a child")
	if got := e.read(from, 4, 15); got != "through a child" {
		e.Fatalf("read %q: want %q", got, "through a child")
	}
	e.must(e.Close(to))
	if got := e.readAll(from, 4); len(got) != 0 {
		e.Fatalf("read %q: want the end", got)
	}
	e.must(wait())
}

// adopt adopts and registers the descriptor of c; release undoes both.
func (e *env) adopt(c any, t poll.Token) (f File, release func()) {
	e.Helper()
	f, err := e.Adopt(c.(syscall.Conn))
	e.must(err)
	e.watch(f, t, poll.Readable)
	return f, func() {
		e.Helper()
		e.must(e.Remove(f))
		e.must(e.Release(f))
		e.forget()
	}
}

// adoptNet accepts from a net.Listener and reads from a net.Conn, first by the System and
// then, after their release, by package net.
func (e *env) adoptNet() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	e.must(err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	e.must(err)
	defer c.Close()

	al, release := e.adopt(l, 1)
	s := e.accept(al, 1)
	e.drainAccepts(al)
	release()

	ac, release := e.adopt(c, 2)
	e.write(s, "adopted")
	if got := e.read(ac, 2, 7); got != "adopted" {
		e.Fatalf("read %q: want adopted", got)
	}
	release()

	e.write(s, "released")
	b := make([]byte, 64)
	if n, err := c.Read(b); string(b[:n]) != "released" {
		e.Fatalf("read %q, %v: want released", b[:n], err)
	}
	again, err := net.Dial("tcp", l.Addr().String())
	e.must(err)
	defer again.Close()
	accepted, err := l.Accept()
	e.must(err)
	accepted.Close()
	e.silentFor(time.Millisecond)
}

func (e *env) adoptFile() {
	r, w, err := os.Pipe()
	e.must(err)
	defer r.Close()
	defer w.Close()
	ar, release := e.adopt(r, 3)
	w.WriteString("file")
	if got := e.read(ar, 3, 4); got != "file" {
		e.Fatalf("read %q: want file", got)
	}
	release()
	w.WriteString("back")
	b := make([]byte, 64)
	if n, err := r.Read(b); string(b[:n]) != "back" {
		e.Fatalf("read %q, %v: want back", b[:n], err)
	}
	e.silentFor(time.Millisecond)
}
