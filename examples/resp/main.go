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

// limits are what clients may take.
type limits struct {
	clients  int           // at once; further ones wait to be accepted
	bulk     int           // bytes of a value
	output   int           // bytes of replies that a client has not read
	input    int           // bytes of unfinished commands of all clients
	patience time.Duration // for a command's end, and for a client that does not read
	mail     int           // messages on their way to subscribers, over which publishers wait
}

// config is what a server is made from. Its time is the loop's clock, which runs on
// evenly, laid on the wall clock once: so a run depends on nothing but what its
// clients do, and a wall clock that is set while the server runs moves no deadline.
// Times since 1970, those of EXPIREAT and TIME, are then off by as much as it was set,
// or by as long as the machine slept, until the server is started again.
type config struct {
	addr, password string
	limits         limits
	epoch          time.Time // what the wall clock showed when the loop's clock showed 0
	seed           uint64    // of what is random
	timers         int       // keys with a timer; those beyond go when they are looked at
}

// What there is room for, where nobody says otherwise.
const (
	maxTimers = 1 << 22
	maxMail   = 1 << 14
)

// server is what the machines of the loop share.
type server struct {
	limits     limits
	epoch      int64 // microseconds since 1970
	redis      *redis.Server
	args       *wire.Args
	out        wire.Output // replies of the call that runs
	mail       int         // messages on their way to subscribers
	unfinished int         // bytes of unfinished commands that parsers hold
}

const usage = `resp serves Redis clients: strings, expiry and publish-subscribe, in memory.

	resp                               on 127.0.0.1:7379
	resp -listen :6379 -maxclients 500
	redis-cli -p 7379 set greeting hello

SIGINT or SIGTERM ends it once what was received is answered.

`

func main() {
	listen := flag.String("listen", "127.0.0.1:7379", "`address` to serve on, host:port; port 0 picks one")
	grace := flag.Duration("grace", 5*time.Second, "how long clients may go on after SIGTERM")
	password := flag.String("requirepass", "", "`password` that AUTH wants; empty: nobody has to")
	l := limits{mail: maxMail}
	flag.IntVar(&l.clients, "maxclients", 10000, "clients at once; further ones wait")
	flag.IntVar(&l.bulk, "max-bulk", wire.DefaultMaxBulk, "`bytes` that one value may have")
	flag.IntVar(&l.output, "output-limit", 64<<20, "`bytes` of replies that a client may leave unread before it is closed")
	flag.IntVar(&l.input, "input-limit", 1<<30, "`bytes` of unfinished commands that all clients may have before one is closed")
	flag.DurationVar(&l.patience, "patience", time.Minute, "how long a client may take for one command, or read nothing")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := errors.Join(l.check(), checkRest(*grace, flag.Args())); err != nil {
		fmt.Fprintf(os.Stderr, "resp: %v\nresp -h explains\n", err)
		os.Exit(2)
	}
	if err := serve(config{addr: *listen, password: *password, limits: l}, *grace); err != nil {
		fmt.Fprintln(os.Stderr, "resp:", err)
		os.Exit(1)
	}
}

// Largest values: what the packages beneath can hold.
const (
	mostClients = 1<<24 - 2
	mostBytes   = 1 << 30
)

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
		return fmt.Errorf("argument %q: want options only", args[0])
	}
	return nil
}

// spareFiles are descriptors that are no client's: the listener, the loop's own,
// the standard streams.
const spareFiles = 32

// fit lowers the number of clients to what the descriptors allow, as Redis does.
func (l *limits) fit(files int) (warning string) {
	if files >= l.clients+spareFiles {
		return ""
	}
	asked := l.clients
	l.clients = max(1, files-spareFiles)
	return fmt.Sprintf("%d clients want %d open files, and %d are allowed: -maxclients is %d",
		asked, asked+spareFiles, files, l.clients)
}

// serve runs a server until a signal ends it.
func serve(c config, grace time.Duration) error {
	if files, known := openFiles(); known {
		if warning := c.limits.fit(files); warning != "" {
			fmt.Fprintln(os.Stderr, "resp: warning:", warning)
		}
	}
	c.epoch, c.seed, c.timers = time.Now(), rand.Uint64(), maxTimers
	loop, err := newLoop(c.limits) // its clock starts: some microseconds behind epoch
	if err != nil {
		return err
	}
	_, bound, err := start(loop, c)
	if err != nil {
		return err
	}
	fmt.Println("listening on", bound)

	ended, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ended, stop) // a second signal kills
	if err = loop.Serve(ended, grace); errors.Is(err, context.DeadlineExceeded) {
		fmt.Fprintf(os.Stderr, "resp: -grace %v is over: clients that went on were cut off\n", grace)
		return nil
	}
	return err
}

// newLoop has a slot for each client, and one for the clock.
func newLoop(l limits) (*reactor.Loop, error) {
	return reactor.NewLoop(reactor.Config{Slots: l.clients + 1, Batch: 4096})
}

// start puts the server's machines into a loop that does not run yet.
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
	return &server{limits: c.limits, epoch: epoch, args: wire.NewArgs(wire.Limits{MaxBulk: c.limits.bulk}),
		redis: redis.NewServer(redis.Config{
			Password: c.password, MaxBulk: c.limits.bulk, MaxClients: c.limits.clients, Timers: t,
			Seed: c.seed, Started: epoch,
		})}
}

// now is the time of the wall clock, in microseconds since 1970, when the loop's
// clock shows at.
func (s *server) now(at time.Duration) int64 { return s.epoch + at.Microseconds() }
