// Command resp is a Redis-compatible server on one loop: strings, expiry, transactions and
// publish-subscribe, in memory.
//
//	go run ./examples/resp [-listen 127.0.0.1:7379]
//	redis-cli -p 7379
//
// SIGINT or SIGTERM ends it after it has answered the commands that it received.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stator-go/stator/examples/resp/redis"
	"github.com/stator-go/stator/examples/resp/store"
	"github.com/stator-go/stator/examples/resp/wire"
	"github.com/stator-go/stator/reactor"
)

// limits bound what clients may use.
type limits struct {
	clients  int           // connections at once; more are refused
	bulk     int           // bytes of one value
	output   int           // bytes of output that one client has not read; a reply may be longer
	input    int           // bytes of unfinished commands and transactions, of all clients together
	patience time.Duration // to send the rest of a command, or to read some of a reply
	mail     int           // published messages not in their subscribers' output yet; publishers wait above it
}

// config configures a server. Its time is the loop's monotonic clock plus epoch, which is
// read once. So a run depends only on what its clients do, and setting the wall clock
// moves no deadline. Absolute times (EXPIREAT, TIME) are then wrong by as much as the
// wall clock was set, or by how long the computer slept, until the server restarts.
type config struct {
	addr, password string
	limits         limits
	epoch          time.Time // the wall clock's time when the loop's clock was 0
	seed           uint64    // for random choices
	timers         int       // how many keys' timers a timer wheel has; wheels are added as needed
}

// Defaults that no flag changes.
const (
	wheelTimers = 1 << 20
	maxMail     = 1 << 14
)

// server is the state that all machines of the loop share.
type server struct {
	limits     limits
	epoch      int64 // microseconds since 1970
	redis      *redis.Server
	args       *wire.Args
	out        wire.Output // replies of the running call
	mailed     int         // published messages that are not in the output of their subscribers yet
	waiters    []*conn     // publishers that wait until subscribers have taken messages
	unfinished int         // bytes of unfinished commands that all parsers hold
	dropped    int         // those of clients that have left, since freeMemory ran
}

const usage = `resp serves Redis clients: strings, expiry, transactions and publish-subscribe, in memory.

	go run ./examples/resp [flags]
	go run ./examples/resp -listen :6379 -maxclients 500
	redis-cli -p 7379 set greeting hello

It prints "listening on HOST:PORT" once clients can connect. SIGINT or SIGTERM ends it
after it has answered the commands that it received; a second signal ends it at once.

`

func main() {
	listen := flag.String("listen", "127.0.0.1:7379", "`host:port` to serve on; port 0 picks a free one")
	grace := flag.Duration("grace", 5*time.Second, "how long clients may stay after SIGINT or SIGTERM, such as 500ms or 10s")
	password := flag.String("requirepass", "", "`password` that clients must send with AUTH (default none)")
	l := limits{mail: maxMail}
	flag.IntVar(&l.clients, "maxclients", 10000, "how `many` clients are served at once; more are refused with an error")
	flag.IntVar(&l.bulk, "max-bulk", wire.DefaultMaxBulk, "the most `bytes` of one value")
	flag.IntVar(&l.output, "output-limit", 64<<20, "the most `bytes` of unread output; a client's commands wait from half of it on, and a subscriber with more is closed; a reply may be longer")
	flag.IntVar(&l.input, "input-limit", 1<<30, "the most `bytes` of unfinished commands and transactions of all clients; a client that exceeds it is closed")
	flag.DurationVar(&l.patience, "patience", time.Minute, "how long a client may take to finish a command, or read nothing of a reply, such as 30s")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := errors.Join(l.check(), checkRest(*grace, flag.Args())); err != nil {
		fmt.Fprintf(os.Stderr, "resp: %v\nresp -h lists the flags\n", err)
		os.Exit(2)
	}
	if err := serve(config{addr: *listen, password: *password, limits: l}, *grace); err != nil {
		fmt.Fprintln(os.Stderr, "resp:", err)
		os.Exit(1)
	}
}

// The largest values that the flags accept.
const (
	mostClients = 1<<24 - 1 - surplus - 1 // those of a loop's slots that are for clients
	mostBytes   = 1 << 30
)

// otherInput is what a command may need beside a value.
const otherInput = 1 << 20

func (l *limits) check() error {
	for _, f := range []struct {
		name    string
		v, most int
	}{
		{"maxclients", l.clients, mostClients}, {"max-bulk", l.bulk, mostBytes},
		{"output-limit", l.output, mostBytes}, {"input-limit", l.input, math.MaxInt},
	} {
		if f.v < 1 || f.v > f.most {
			return fmt.Errorf("-%s %d: want 1 to %d", f.name, f.v, f.most)
		}
	}
	if least := l.bulk + otherInput; l.input < least {
		return fmt.Errorf("-input-limit %d: want at least %d, for one value of -max-bulk %d", l.input, least, l.bulk)
	}
	if l.patience <= 0 {
		return fmt.Errorf("-patience %v: want a time above 0, such as 30s", l.patience)
	}
	return nil
}

func checkRest(grace time.Duration, args []string) error {
	if grace < 0 {
		return fmt.Errorf("-grace %v: want 0 or more", grace)
	}
	if len(args) > 0 {
		return fmt.Errorf("argument %q: want flags only", args[0])
	}
	return nil
}

// spareFiles is how many descriptors are left for the listener, the loop, the standard
// streams and connections that are refused.
const spareFiles = 32

// fit lowers the number of clients to what the limit of open files allows, as redis-server
// does, and returns a warning if it did.
func (l *limits) fit(files int) (warning string) {
	if files >= l.clients+spareFiles {
		return ""
	}
	asked := l.clients
	l.clients = max(1, files-spareFiles)
	return fmt.Sprintf("%d clients need %d open files, but %d are allowed: -maxclients is %d",
		asked, asked+spareFiles, files, l.clients)
}

// serve runs a server until SIGINT or SIGTERM ends it.
func serve(c config, grace time.Duration) error {
	if files, known := openFiles(); known {
		if warning := c.limits.fit(files); warning != "" {
			fmt.Fprintln(os.Stderr, "resp: warning:", warning)
		}
	}
	loop, err := newLoop(c.limits) // its clock starts at 0 here
	if err != nil {
		return err
	}
	// The server's clock must not be behind the wall clock: a key that is to expire at a time
	// that a client computed would have a millisecond more than the client gave it.
	c.epoch, c.seed, c.timers = time.Now(), rand.Uint64(), wheelTimers
	_, bound, err := start(loop, c)
	if err != nil {
		return fmt.Errorf("%w (-listen wants host:port; port 0 picks a free one)", err)
	}
	fmt.Println("listening on", bound)

	ended, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ended, stop) // a second signal kills
	if err = loop.Serve(ended, grace); errors.Is(err, context.DeadlineExceeded) {
		fmt.Fprintf(os.Stderr, "resp: -grace %v is over: closed the connections that were still open\n", grace)
		return nil
	}
	return err
}

// newLoop makes a loop with a slot for each client, those that are refused, and the clock.
func newLoop(l limits) (*reactor.Loop, error) {
	return reactor.NewLoop(reactor.Config{Slots: l.clients + surplus + 1, Batch: 4096, Buffers: l.buffers()})
}

// buffers returns how many bytes all connections may hold together. One may hold a quarter
// of that, so -output-limit could not be reached with less.
func (l *limits) buffers() int {
	const usual = 256 << 20
	return max(usual, 4*min(l.output, math.MaxInt/4))
}

// start adds the server's clock and listener to a loop that does not run yet.
func start(loop *reactor.Loop, c config) (*server, *reactor.Listener, error) {
	e, err := newExpiry(c.timers, c.epoch.UnixMicro())
	if err != nil {
		return nil, nil, err
	}
	s := newServer(c, e)
	if e.clock, err = newClock().Spawn(loop, clock{server: s, expiry: e}); err != nil {
		return nil, nil, err
	}
	bound, err := newConn(c.limits).Listen(loop, "tcp", c.addr, conn{server: s})
	if err == nil {
		s.redis.Listens(bound.Addr)
	}
	return s, bound, err
}

func newServer(c config, t store.Timers) *server {
	epoch := c.epoch.UnixMicro()
	return &server{limits: c.limits, epoch: epoch, args: wire.NewArgs(wire.Limits{MaxBulk: c.limits.bulk, MaxCommand: math.MaxInt32}),
		redis: redis.NewServer(redis.Config{
			Password: c.password, MaxBulk: c.limits.bulk, MaxClients: c.limits.clients, Timers: t,
			Seed: c.seed, Started: epoch,
		})}
}

// now converts a time of the loop's clock to microseconds since 1970.
func (s *server) now(at time.Duration) int64 { return s.epoch + at.Microseconds() }
