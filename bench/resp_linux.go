package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	calibrationRequests = 100_000
	warmUpShare         = 20 // before a run, 1/20 of its requests are made uncounted
)

// respTests are the tests of a run, in this order: GET reads the key that SET has left.
var respTests = []struct {
	command  string
	pipeline int
	cpuWant  string
}{
	{"SET", 1, "1.00 or less"},
	{"GET", 1, "1.00 or less"},
	{"SET", 16, "0.80 or less"},
	{"GET", 16, "0.80 or less"},
}

// benchResp measures the resp example beside redis-server, with redis-benchmark as load.
func (c *config) benchResp() error {
	for _, name := range []string{"redis-server", "redis-benchmark"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%w: install redis-server and redis-tools", err)
		}
	}
	ours, err := c.buildGo(c.respPkg)
	if err != nil {
		return err
	}
	startOurs := func() (*server, error) {
		return startServer(c.serverCore, []string{"GOMAXPROCS=1"}, ours, "-listen", "127.0.0.1:0")
	}
	requests, err := c.calibrate()
	if err != nil {
		return err
	}

	results := make([]contest, len(respTests))
	for i, test := range respTests {
		results[i] = contest{
			title: fmt.Sprintf("resp: %s, %d connections, -P %d, %d requests a run, server on core %d (stator: GOMAXPROCS=1), redis-benchmark on core %d",
				test.command, c.conns, test.pipeline, requests[i], c.serverCore, c.loadCore),
			ours: "stator", theirs: "redis",
			columns: []column{
				{name: "requests/s", want: "0.97 or more"},
				{name: "CPU ns/request", want: test.cpuWant},
				{name: "busy", decimals: 2},
				{name: "p50 ms", decimals: 3},
				{name: "p99 ms", decimals: 3},
			},
		}
	}
	for range c.runs {
		mine, err := c.respRun(startOurs, requests)
		if err != nil {
			return err
		}
		others, err := c.respRun(c.startRedis, requests)
		if err != nil {
			return err
		}
		for i := range results {
			results[i].pairs = append(results[i].pairs, pair{ours: mine[i], theirs: others[i]})
		}
	}
	for _, result := range results {
		if err := result.print(os.Stdout); err != nil {
			return err
		}
	}
	return nil
}

// calibrate returns, for each test, how many requests redis-server answers in the time
// of a run.
func (c *config) calibrate() ([]int, error) {
	s, err := c.startRedis()
	if err != nil {
		return nil, err
	}
	var requests []int
	for i, test := range respTests {
		said, err := c.redisBenchmark(s, i, calibrationRequests*test.pipeline)
		if err != nil {
			s.kill()
			return nil, err
		}
		requests = append(requests, int(said.rate)*c.seconds)
	}
	return requests, s.stop()
}

// startRedis starts redis-server without persistence on a free port.
func (c *config) startRedis() (*server, error) {
	// If another process takes the port between the look and the start, the
	// server fails to start, which is reported.
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := free.Addr().String()
	free.Close()
	s := &server{name: "redis-server", addr: addr}
	s.cmd = exec.Command("redis-server", "--port", s.port(), "--bind", "127.0.0.1",
		"--save", "", "--appendonly", "no", "--dir", c.dir, "--loglevel", "warning")
	s.cmd.Stderr = os.Stderr
	if err := onCore(c.serverCore, s.cmd.Start); err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			return s, conn.Close()
		}
		if time.Now().After(deadline) {
			s.kill()
			return nil, fmt.Errorf("redis-server does not listen on %s: %w", addr, err)
		}
	}
}

// respRun runs every test against one fresh server and returns, for each test, the
// figures in the order of the contest's columns.
func (c *config) respRun(start func() (*server, error), requests []int) ([][]float64, error) {
	s, err := start()
	if err != nil {
		return nil, err
	}
	var figures [][]float64
	for i := range respTests {
		f, err := c.respFigures(s, i, requests[i])
		if err != nil {
			s.kill()
			return nil, err
		}
		figures = append(figures, f)
	}
	return figures, s.stop()
}

func (c *config) respFigures(s *server, test, requests int) ([]float64, error) {
	if _, err := c.redisBenchmark(s, test, max(requests/warmUpShare, c.conns)); err != nil {
		return nil, err
	}
	before, err := s.cpu()
	if err != nil {
		return nil, err
	}
	said, err := c.redisBenchmark(s, test, requests)
	if err != nil {
		return nil, err
	}
	after, err := s.cpu()
	if err != nil {
		return nil, err
	}
	cpu := after - before
	return []float64{
		said.rate,
		float64(cpu.Nanoseconds()) / float64(requests),
		cpu.Seconds() * said.rate / float64(requests),
		said.p50, said.p99,
	}, nil
}

// benchmarkResult holds the figures of redis-benchmark: requests per second, and
// latencies in milliseconds.
type benchmarkResult struct{ rate, p50, p99 float64 }

// redisBenchmark runs one test against the server.
func (c *config) redisBenchmark(s *server, test, requests int) (benchmarkResult, error) {
	out, err := outputOnCore(c.loadCore, "redis-benchmark", "-p", s.port(), "-c", strconv.Itoa(c.conns),
		"-n", strconv.Itoa(requests), "-P", strconv.Itoa(respTests[test].pipeline),
		"-t", strings.ToLower(respTests[test].command), "--csv")
	if err != nil {
		return benchmarkResult{}, fmt.Errorf("against %s: %w", s.name, err)
	}
	return parseBenchmark(out, respTests[test].command)
}

// parseBenchmark finds the line of a command in the output of redis-benchmark --csv:
//
//	"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
//	"SET","94339.62","0.282","0.088","0.279","0.375","0.487","1.015"
func parseBenchmark(out, command string) (benchmarkResult, error) {
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSpace(line), ",")
		if len(fields) < 8 || fields[0] != strconv.Quote(command) {
			continue
		}
		number := func(i int) float64 {
			value, numberErr := strconv.ParseFloat(strings.Trim(fields[i], `"`), 64)
			if numberErr != nil {
				value = -1
			}
			return value
		}
		r := benchmarkResult{rate: number(1), p50: number(4), p99: number(6)}
		if r.rate <= 0 || r.p50 < 0 || r.p99 < 0 {
			return r, fmt.Errorf("redis-benchmark printed %q: want figures", line)
		}
		return r, nil
	}
	return benchmarkResult{}, errors.New("redis-benchmark printed no line for " + command + ":\n" + out)
}
