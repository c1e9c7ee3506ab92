// Command echo serves TCP connections and sends back what it receives.
//
//	go run ./examples/echo -listen 127.0.0.1:7000
//
// SIGINT or SIGTERM ends it after it has sent back what it received.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stator-go/stator/reactor"
)

const usage = `echo serves TCP connections and sends back what it receives.

	go run ./examples/echo [flags]
	nc 127.0.0.1 7000

It prints "listening on HOST:PORT" once clients can connect. SIGINT or SIGTERM ends it
after it has sent back what it received; a second signal ends it at once. A connection
is closed after a minute without input, or after 10 s in which the client reads nothing
of what is sent back.

`

func main() {
	listen := flag.String("listen", "127.0.0.1:7000", "`host:port` to serve on; port 0 picks a free one")
	grace := flag.Duration("grace", 10*time.Second, "how long connections may stay open after SIGINT or SIGTERM, such as 500ms or 10s")
	diagram := flag.Bool("diagram", false, "print the state machine as a Mermaid diagram and exit")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	if *diagram {
		fmt.Print(newEcho().Mermaid())
		return
	}
	switch {
	case flag.NArg() > 0:
		fmt.Fprintf(os.Stderr, "echo: argument %q: want flags only, -h lists them\n", flag.Arg(0))
		os.Exit(2)
	case *grace < 0:
		fmt.Fprintf(os.Stderr, "echo: -grace %v: want 0 or more\n", *grace)
		os.Exit(2)
	}
	switch err := serve(*listen, *grace); {
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Fprintf(os.Stderr, "echo: -grace %v is over: closed the connections that were still open\n", *grace)
		os.Exit(1)
	case err != nil:
		fmt.Fprintf(os.Stderr, "echo: %v (-listen wants host:port; port 0 picks a free one)\n", err)
		os.Exit(1)
	}
}

func serve(addr string, grace time.Duration) error {
	loop, err := reactor.NewLoop(reactor.Config{})
	if err != nil {
		return err
	}
	l, err := newEcho().Listen(loop, "tcp", addr, conn{})
	if err != nil {
		return err
	}
	fmt.Println("listening on", l)

	ended, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ended, stop) // a second signal kills
	return loop.Serve(ended, grace)
}
