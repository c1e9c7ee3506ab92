package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
)

// config holds the settings of the flags.
type config struct {
	runs, seconds      int
	conns, size        int
	serverCore         int
	loadCore           int
	echoPkg, respPkg   string
	idleMode, respMode bool
	dir                string // holds the compiled programs; removed at the end
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	var cfg config
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "usage: go -C bench run . [flags]\n\n"+
			"Measures examples/echo beside an epoll server in C, and prints a table.\n\n")
		flag.PrintDefaults()
	}
	flag.BoolVar(&cfg.idleMode, "idle", false, "measure resident bytes per idle connection instead")
	flag.BoolVar(&cfg.respMode, "resp", false, "measure examples/resp beside redis-server instead")
	flag.IntVar(&cfg.runs, "runs", 7, "runs of each server, whose medians are compared")
	flag.IntVar(&cfg.seconds, "seconds", 3, "length of a run in seconds")
	flag.IntVar(&cfg.conns, "conns", 0, "number of connections (default 100; with -idle 8000, with -resp 50)")
	flag.IntVar(&cfg.size, "size", 64, "bytes per message of the echo, 1 to 16384")
	flag.IntVar(&cfg.serverCore, "server-core", 0, "core to which the server is pinned")
	flag.IntVar(&cfg.loadCore, "load-core", 1, "core to which the load is pinned")
	flag.StringVar(&cfg.echoPkg, "echo-server", module+"/examples/echo", "package of the echo server, as go build resolves it in bench")
	flag.StringVar(&cfg.respPkg, "resp-server", module+"/examples/resp", "package of the Redis-compatible server, resolved likewise")
	flag.Parse()
	if err := cfg.check(); err != nil {
		return err
	}

	dir, err := os.MkdirTemp("", "stator-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cfg.dir = dir

	switch {
	case cfg.idleMode:
		return cfg.benchIdle()
	case cfg.respMode:
		return cfg.benchResp()
	default:
		return cfg.benchEcho()
	}
}

// check sets the defaults that depend on the mode, and returns an error if the settings
// cannot be measured.
func (c *config) check() error {
	if flag.NArg() > 0 {
		return fmt.Errorf("argument %q: want flags only", flag.Arg(0))
	}
	if c.idleMode && c.respMode {
		return errors.New("-idle and -resp: want one of them")
	}
	if c.conns == 0 {
		switch {
		case c.idleMode:
			c.conns = 8000
		case c.respMode:
			c.conns = 50
		default:
			c.conns = 100
		}
	}
	if c.runs < 1 || c.seconds < 1 || c.conns < 1 || c.size < 1 || c.size > 16<<10 {
		return errors.New("-runs, -seconds, -conns and -size: want at least 1, and a size of at most 16384")
	}
	if !c.idleMode && (c.serverCore == c.loadCore || runtime.NumCPU() < 2) {
		return fmt.Errorf("server on core %d and load on core %d of %d: want a core for each",
			c.serverCore, c.loadCore, runtime.NumCPU())
	}
	return nil
}
