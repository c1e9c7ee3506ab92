package redis

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/stator-go/stator/examples/resp/store"
	"github.com/stator-go/stator/examples/resp/wire"
)

// Version is the version of redis-server whose replies this package gives.
const Version = "7.0.15"

// Config configures a Server. Zero fields take the defaults.
type Config struct {
	Password  string       // required by AUTH; empty: no password is needed
	Databases int          // default 16
	MaxBulk   int          // bytes of the longest string; default wire.DefaultMaxBulk
	Timers    store.Timers // receives the deadlines of keys; nil: keys expire only when accessed
	Seed      uint64       // for RANDOMKEY and the run_id of INFO

	MaxClients int   // shown by INFO and CONFIG GET; the owner of the connections enforces it
	Started    int64 // when the server started, in microseconds since the epoch, for INFO
}

// Stats counts events. The owner of the connections counts those of the second group.
type Stats struct {
	Commands uint64 // commands run
	Errors   uint64 // error replies
	Hits     uint64 // reads of existing keys
	Misses   uint64 // reads of missing keys

	Rejected      uint64 // connections refused at the limit
	OutputLimit   uint64 // clients closed because they did not read their replies
	QueryTimeouts uint64 // clients closed because they did not finish a command in time
	BytesIn       uint64
	BytesOut      uint64
}

// Server is the state that the sessions of a loop share.
type Server struct {
	Keys  *store.Keyspace
	Stats Stats

	cfg      Config
	runID    string         // 40 hexadecimal digits
	listens  netip.AddrPort // for INFO and CONFIG GET
	params   []param        // for CONFIG
	outputs  outputLimits
	commands table
	channels registry
	patterns registry
	watchers []watchers // by database
	sessions *Session   // list of the open sessions, newest first
	clients  int        // open sessions
	opened   uint64     // sessions ever opened, and the id of the newest
	random   uint64     // state of the random numbers
	call     call       // the running command, reused
}

// NewServer makes a server without keys or sessions.
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
	srv.outputs = defaultOutputLimits
	srv.params = newParams(&srv.cfg, &srv.outputs)
	srv.watchers = make([]watchers, cfg.Databases)
	return srv
}

// Listens sets the address that INFO and CONFIG GET show.
func (srv *Server) Listens(addr netip.AddrPort) {
	srv.listens = addr
	srv.param([]byte("bind")).value = addr.Addr().String()
	srv.param([]byte("port")).value = strconv.Itoa(int(addr.Port()))
}

// next returns a random number (splitmix64).
func (srv *Server) next() uint64 {
	srv.random += 0x9e3779b97f4a7c15
	z := srv.random
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Clients returns the number of open sessions.
func (srv *Server) Clients() int { return srv.clients }
