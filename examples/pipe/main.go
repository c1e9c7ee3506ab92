// Command pipe is the smallest program: a state machine that reads from a pipe, and the
// same without a machine, with package poll only.
//
//	go run ./examples/pipe
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

const usage = `pipe writes "hello" into a pipe and reads it back, twice: with a state machine on a loop,
and with package poll only. Each prints the token that says for whom the pipe is readable.

	go run ./examples/pipe

It takes no flags and no arguments.
`

func main() {
	flag.Usage = func() { fmt.Fprint(flag.CommandLine.Output(), usage) }
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "pipe: argument %q: want none\n", flag.Arg(0))
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
	t := cx.Token()
	fmt.Fprintf(r.out, "machine: the pipe is readable (token %v: loop %d, slot %d, generation %d)\n",
		t, t.Owner(), t.Index(), t.Generation())
	fmt.Fprintf(r.out, "machine: read %q\n", b)
	cx.Discard(in, len(b))
	return fsm.Stay
}

// withMachine runs a loop with one machine until the pipe's write end is closed.
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
	ctx, stop := context.WithCancel(context.Background())
	stop() // at once: Serve returns when the machine has read what there is
	return loop.Serve(ctx, time.Second)
}

// withPoller uses only package poll, the readiness layer under a loop: it waits for an
// event and reads from the pipe itself.
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

	const token poll.Token = 7 // any 64 bits: an event carries the token of its registration
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
		fmt.Fprintf(out, "poll: the pipe is readable (token %d, as registered)\n", uint64(ev.Token))
		fmt.Fprintf(out, "poll: read %q\n", b[:got])
	}
	return nil
}
