// Command pipe is the smallest program: a machine over the read end of a pipe,
// and the same with package poll alone.
//
//	go run ./examples/pipe
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

const usage = `pipe writes "hello" into a pipe of its own and shows what comes out, twice: read by a
state machine on a loop, and by package poll alone. It takes no arguments.

	pipe
`

func main() {
	flag.Usage = func() { fmt.Fprint(flag.CommandLine.Output(), usage) }
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "pipe: argument %q: want none\npipe -h explains\n", flag.Arg(0))
		os.Exit(2)
	}
	for _, program := range []func(io.Writer) error{withMachine, withPoller} {
		if err := program(os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "pipe:", err)
			os.Exit(1)
		}
	}
}

const in reactor.Port = 0

const reading = fsm.First

type (
	reader struct{ out io.Writer }
	cx     = reactor.Context[reactor.None]
)

func newReader() *reactor.Kind[reader, reactor.None] {
	return reactor.Must(reactor.NewKind("reader", reactor.Options{Ports: []string{"in"}},
		reactor.Table[reader, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop},
			reading: {Name: "reading", Wait: in.Readable(), Idle: fsm.Never, OnReady: (*reader).read},
		}))
}

func (r *reader) read(cx *cx, _ reactor.Ready) fsm.State {
	b, err := cx.Peek(in)
	if err != nil {
		return cx.Fail(err) // io.EOF ends the machine
	}
	fmt.Fprintln(r.out, "The pipe is readable:", cx.Token())
	fmt.Fprintf(r.out, "%s\n", b)
	cx.Discard(in, len(b))
	return fsm.Stay
}

// withMachine runs a loop with one machine, until the pipe's writer is gone.
func withMachine(out io.Writer) error {
	loop, err := reactor.NewLoop(reactor.Config{})
	if err != nil {
		return err
	}
	defer loop.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	if _, err := newReader().Adopt(loop, r, reader{out}); err != nil {
		return err
	}
	fmt.Fprint(w, "hello")
	w.Close()
	go loop.Shutdown(context.Background()) // ends once nothing is ready
	return loop.Run(context.Background())
}

// withPoller waits and reads by itself: package poll is all of the readiness layer.
func withPoller(out io.Writer) error {
	p, err := poll.New()
	if err != nil {
		return err
	}
	defer p.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	defer w.Close()

	const token poll.Token = 7 // any 64 bits
	fd, err := r.SyscallConn()
	if err != nil {
		return err
	}
	var registered error
	fd.Control(func(fd uintptr) { registered = p.Register(int(fd), token, poll.Readable) })
	if registered != nil {
		return registered
	}
	fmt.Fprint(w, "hello")

	var events [8]poll.Event
	n, err := p.Wait(events[:], -1)
	if err != nil {
		return err
	}
	for _, ev := range events[:n] {
		var b [64]byte
		got, err := r.Read(b[:])
		if err != nil {
			return err
		}
		fmt.Fprintln(out, "The pipe is readable:", ev.Token)
		fmt.Fprintf(out, "%s\n", b[:got])
	}
	return nil
}
