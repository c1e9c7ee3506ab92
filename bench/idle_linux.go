package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	warmUpConns  = 16
	warmUpRounds = 200
	settleTime   = 500 * time.Millisecond
	// connsPerAddress keeps the ports of each client address well below the
	// kernel's range, which by default has 28,232.
	connsPerAddress = 10000
	spareFiles      = 100
)

var idleColumns = []column{
	{name: "resident B/connection"},
	{name: "anonymous B/connection"},
	{name: "empty KiB"},
	{name: "full KiB"},
}

// benchIdle measures how much memory an idle connection keeps resident in each server.
func (c *config) benchIdle() error {
	if err := raiseFileLimit(c.conns + spareFiles); err != nil {
		return err
	}
	ours, err := c.buildGo(c.echoPkg)
	if err != nil {
		return err
	}
	theirs, err := c.compileC("epoll_echo")
	if err != nil {
		return err
	}
	result := contest{
		title: fmt.Sprintf("idle: %d connections, each served %d B once; want from stator: 160 B per connection or less",
			c.conns, c.size),
		ours: "stator", theirs: "C", columns: idleColumns,
	}
	for range c.runs {
		var p pair
		if p.ours, err = c.idleRun(ours, "-listen", "127.0.0.1:0"); err != nil {
			return err
		}
		if p.theirs, err = c.idleRun(theirs, "-listen", "0"); err != nil {
			return err
		}
		result.pairs = append(result.pairs, p)
	}
	return result.print(os.Stdout)
}

// raiseFileLimit raises the limit of descriptors as far as allowed, for this process
// and for the servers started later, and fails if that is less than want. It must be
// set explicitly, as children don't inherit what the Go runtime raised it to by itself.
func raiseFileLimit(want int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("getrlimit: %w", err)
	}
	if limit.Max < uint64(want) {
		return fmt.Errorf("%d descriptors: want at most %d, or a higher limit (ulimit -Hn)", want, limit.Max)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("setrlimit: %w", err)
	}
	return nil
}

// idleRun runs one server once and returns its figures in the order of idleColumns.
func (c *config) idleRun(path string, args ...string) ([]float64, error) {
	s, err := startServer(anyCore, nil, path, args...)
	if err != nil {
		return nil, err
	}
	figures, err := c.idleFigures(s)
	if err != nil {
		s.kill()
		return nil, err
	}
	return figures, s.stop()
}

func (c *config) idleFigures(s *server) ([]float64, error) {
	warm, err := openServed(s.addr, warmUpConns, warmUpRounds, c.size)
	closeAll(warm)
	if err != nil {
		return nil, fmt.Errorf("warm-up: %w", err)
	}
	time.Sleep(settleTime)
	emptyRSS, emptyAnon, err := s.memory()
	if err != nil {
		return nil, err
	}

	conns, err := openServed(s.addr, c.conns, 1, c.size)
	defer closeAll(conns)
	if err != nil {
		return nil, err
	}
	time.Sleep(settleTime)
	rss, anon, err := s.memory()
	if err != nil {
		return nil, err
	}
	return []float64{
		float64(rss-emptyRSS) / float64(c.conns),
		float64(anon-emptyAnon) / float64(c.conns),
		float64(emptyRSS) / 1024,
		float64(rss) / 1024,
	}, nil
}

// openServed opens n connections and has each echo a message rounds times. If it
// fails, it also returns the connections opened so far.
func openServed(addr string, n, rounds, size int) ([]net.Conn, error) {
	var conns []net.Conn
	message, echo := bytes.Repeat([]byte("stator. "), size/8+1)[:size], make([]byte, size)
	for i := range n {
		dialer := net.Dialer{
			LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i/connsPerAddress))},
			Timeout:   startTimeout,
		}
		conn, err := dialer.Dial("tcp", addr)
		if err != nil {
			return conns, fmt.Errorf("connection %d: %w", i, err)
		}
		conns = append(conns, conn)
		if err := conn.SetDeadline(time.Now().Add(startTimeout)); err != nil {
			return conns, err
		}
		for range rounds {
			if _, err := conn.Write(message); err != nil {
				return conns, fmt.Errorf("connection %d: %w", i, err)
			}
			if _, err := io.ReadFull(conn, echo); err != nil {
				return conns, fmt.Errorf("connection %d: %w", i, err)
			}
			if !bytes.Equal(message, echo) {
				return conns, fmt.Errorf("connection %d: sent %q, the echo is %q", i, message, echo)
			}
		}
	}
	return conns, nil
}

// closeAll resets the connections, so that none holds its port in TIME_WAIT.
func closeAll(conns []net.Conn) {
	for _, conn := range conns {
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}
}
