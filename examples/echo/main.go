// Command echo sends back what it receives.
//
//	go run ./examples/echo -listen 127.0.0.1:7000
//
// SIGINT or SIGTERM ends it once what was received is sent back.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stator-go/stator/reactor"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:7000", "address to serve on, host:port; port 0 picks one")
	grace := flag.Duration("grace", 10*time.Second, "how long connections may go on after SIGTERM")
	diagram := flag.Bool("diagram", false, "print the machine as a Mermaid diagram and exit")
	flag.Parse()
	if *diagram {
		fmt.Print(newEcho().Mermaid())
		return
	}
	switch {
	case flag.NArg() > 0:
		fmt.Fprintf(os.Stderr, "echo: arguments %q: want options only, see -h\n", flag.Args())
		os.Exit(2)
	case *grace < 0:
		fmt.Fprintf(os.Stderr, "echo: -grace %v: want 0 or more\n", *grace)
		os.Exit(2)
	}
	if err := serve(*listen, *grace); err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
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
