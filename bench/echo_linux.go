package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

var echoColumns = []column{
	{name: "requests/s", want: "0.95 or more"},
	{name: "CPU ns/request", want: "1.06 or less"},
	{name: "busy", decimals: 2},
	{name: "slack", decimals: 2},
	{name: "p50 µs", decimals: 0},
	{name: "p99 µs", decimals: 0},
	{name: "p99.9 µs", decimals: 0},
}

// benchEcho measures the echo example beside the C server, under the same load.
func (c *config) benchEcho() error {
	ours, err := c.buildGo(c.echoPkg)
	if err != nil {
		return err
	}
	theirs, err := c.compileC("epoll_echo")
	if err != nil {
		return err
	}
	load, err := c.compileC("echo_load")
	if err != nil {
		return err
	}
	result := contest{
		title: fmt.Sprintf("echo: %d connections of %d B, runs of %d s, server on core %d (stator: GOMAXPROCS=1), load on core %d",
			c.conns, c.size, c.seconds, c.serverCore, c.loadCore),
		ours: "stator", theirs: "C", columns: echoColumns,
	}
	for range c.runs {
		var p pair
		if p.ours, err = c.echoRun(load, []string{"GOMAXPROCS=1"}, ours, "-listen", "127.0.0.1:0"); err != nil {
			return err
		}
		if p.theirs, err = c.echoRun(load, nil, theirs, "-listen", "0"); err != nil {
			return err
		}
		result.pairs = append(result.pairs, p)
	}
	return result.print(os.Stdout)
}

// echoRun runs one server once and returns its figures in the order of echoColumns.
func (c *config) echoRun(load string, env []string, path string, args ...string) ([]float64, error) {
	s, err := startServer(c.serverCore, env, path, args...)
	if err != nil {
		return nil, err
	}
	figures, err := c.echoFigures(s, load)
	if err != nil {
		s.kill()
		return nil, err
	}
	return figures, s.stop()
}

func (c *config) echoFigures(s *server, load string) ([]float64, error) {
	before, err := s.cpu()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	out, err := outputOnCore(c.loadCore, load, "-connect", s.port(), "-conns", strconv.Itoa(c.conns),
		"-size", strconv.Itoa(c.size), "-seconds", strconv.Itoa(c.seconds))
	if err != nil {
		return nil, fmt.Errorf("against %s: %w", s.name, err)
	}
	took := time.Since(begin)
	after, err := s.cpu()
	if err != nil {
		return nil, err
	}
	said, err := parseLoad(out)
	if err != nil {
		return nil, err
	}
	cpu := after - before
	return []float64{
		said["rate"],
		float64(cpu.Nanoseconds()) / said["total"],
		cpu.Seconds() / took.Seconds(),
		said["slack"],
		said["p50-us"], said["p99-us"], said["p999-us"],
	}, nil
}

// parseLoad parses the "name value" lines that the load prints.
func parseLoad(out string) (map[string]float64, error) {
	said := make(map[string]float64)
	for line := range strings.Lines(out) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("echo_load printed %q: %w", line, err)
		}
		said[name] = value
	}
	if said["total"] == 0 {
		return nil, fmt.Errorf("echo_load counted no requests:\n%s", out)
	}
	return said, nil
}
