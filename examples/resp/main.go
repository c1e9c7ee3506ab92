// Command resp is a Redis-compatible server of strings, expiry and
// publish-subscribe on one loop.
//
//	go run ./examples/resp [-listen 127.0.0.1:7379]
//	redis-cli -p 7379
//
// SIGINT or SIGTERM ends it once what was received is answered.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stator-go/stator/examples/resp/redis"
	"github.com/stator-go/stator/examples/resp/wire"
	"github.com/stator-go/stator/reactor"
)

// limits are what a client may take.
type limits struct {
	bulk     int           // bytes of a value
	output   int           // bytes of replies that it has not read
	patience time.Duration // for a command's end, and for a client that does not read
}

// server is what the machines of the loop share.
type server struct {
	limits limits
	redis  *redis.Server
	args   *wire.Args
	out    wire.Output // replies of the call that runs
}

func main() {
	listen := flag.String("listen", "127.0.0.1:7379", "address to serve on, host:port; port 0 picks one")
	grace := flag.Duration("grace", 5*time.Second, "how long clients may go on after SIGTERM")
	password := flag.String("requirepass", "", "password that AUTH wants; empty: nobody has to")
	clients := flag.Int("maxclients", 10000, "clients at once")
	l := limits{}
	flag.IntVar(&l.bulk, "max-bulk", wire.DefaultMaxBulk, "bytes that one value may have")
	flag.IntVar(&l.output, "output-limit", 64<<20, "bytes of replies that a client may leave unread before it is closed")
	flag.DurationVar(&l.patience, "patience", time.Minute, "how long a client may take for one command, or read nothing")
	flag.Parse()
	if err := serve(*listen, *password, *clients, *grace, l); err != nil {
		fmt.Fprintln(os.Stderr, "resp:", err)
		os.Exit(1)
	}
}

func serve(addr, password string, clients int, grace time.Duration, l limits) error {
	loop, err := reactor.NewLoop(reactor.Config{Slots: clients + 1, Batch: 4096})
	if err != nil {
		return err
	}
	bound, err := start(loop, addr, password, l)
	if err != nil {
		return err
	}
	fmt.Println("listening on", bound)

	ended, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ended, stop) // a second signal kills
	return loop.Serve(ended, grace)
}

// start puts the server's machines into a loop.
func start(loop *reactor.Loop, addr, password string, l limits) (*reactor.Listener, error) {
	e, err := newExpiry()
	if err != nil {
		return nil, err
	}
	s := &server{limits: l, args: wire.NewArgs(wire.Limits{MaxBulk: l.bulk})}
	s.redis = redis.NewServer(redis.Config{
		Password: password, MaxBulk: l.bulk, Timers: e,
		Seed: uint64(time.Now().UnixNano()), Started: time.Now().UnixMicro(),
	})
	if e.clock, err = newClock().Spawn(loop, clock{server: s, expiry: e}); err != nil {
		return nil, err
	}
	return newConn(l).Listen(loop, "tcp", addr, conn{server: s})
}
