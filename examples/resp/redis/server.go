package redis

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/stator-go/stator/examples/resp/store"
	"github.com/stator-go/stator/examples/resp/wire"
)

// Version is the version of redis-server whose replies these are.
const Version = "7.0.15"

// Config is what a Server is made from. Zero fields take the defaults.
type Config struct {
	Password  string       // what AUTH wants; empty: nobody has to
	Databases int          // 16
	MaxBulk   int          // longest string; wire.DefaultMaxBulk
	Timers    store.Timers // where the deadlines of keys go; nil: expiry is lazy
	Seed      uint64       // of RANDOMKEY and of the run's number in INFO

	MaxClients int   // for INFO and CONFIG GET: who opens sessions keeps to it
	Started    int64 // microseconds since the epoch, for INFO
}

// Stats counts. The fields of the second group are the connections' to count.
type Stats struct {
	Commands uint64 // commands run
	Errors   uint64 // error replies
	Hits     uint64 // reads that found their key
	Misses   uint64 // and that did not

	Rejected      uint64 // connections refused at the limit
	OutputLimit   uint64 // closed because they did not read
	QueryTimeouts uint64 // closed because they sent too slowly
	BytesIn       uint64
	BytesOut      uint64
}

// Server is what the sessions of a loop share.
type Server struct {
	Keys  *store.Keyspace
	Stats Stats

	cfg      Config
	runID    string         // 40 hexadecimal digits
	listens  netip.AddrPort // for INFO and CONFIG GET
	params   []param        // CONFIG GET
	commands table
	channels registry
	patterns registry
	sessions *Session // the list of those open, newest first
	clients  int
	opened   uint64 // sessions ever opened: the last one's id
	random   uint64
	call     call // the command that runs: reused
}

// NewServer makes a server without keys and sessions.
func NewServer(cfg Config) *Server {
	if cfg.Databases == 0 {
		cfg.Databases = 16
	}
	if cfg.MaxBulk == 0 {
		cfg.MaxBulk = wire.DefaultMaxBulk
	}
	srv := &Server{
		Keys:   store.New(cfg.Databases, cfg.Timers),
		cfg:    cfg,
		random: cfg.Seed,
	}
	srv.runID = fmt.Sprintf("%016x%016x%08x", srv.next(), srv.next(), srv.next()>>32)
	srv.commands = newTable()
	srv.params = newParams(&srv.cfg)
	return srv
}

// Listens says where clients connect.
func (srv *Server) Listens(addr netip.AddrPort) {
	srv.listens = addr
	srv.param([]byte("bind")).value = addr.Addr().String()
	srv.param([]byte("port")).value = strconv.Itoa(int(addr.Port()))
}

// next is a random number (splitmix64).
func (srv *Server) next() uint64 {
	srv.random += 0x9e3779b97f4a7c15
	z := srv.random
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Clients is the number of open sessions.
func (srv *Server) Clients() int { return srv.clients }
