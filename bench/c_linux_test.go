package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// startC starts the C server, or skips the test if there is no C compiler.
func startC(t *testing.T) (*config, *server) {
	t.Helper()
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("there is no C compiler named cc")
	}
	c := &config{dir: t.TempDir()}
	path, err := c.compileC("epoll_echo")
	if err != nil {
		t.Fatal(err)
	}
	s, err := startServer(anyCore, nil, path, "-listen", "0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return c, s
}

// A comparison with the C server means nothing unless the server is correct. The peer
// here sends far more than the sockets' buffers hold before it reads, and then closes
// its direction.
func TestEpollEchoReturnsEveryByte(t *testing.T) {
	_, s := startC(t)
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	sent := make([]byte, 24<<20)
	rand.NewChaCha8([32]byte{1}).Read(sent)
	go func() {
		conn.Write(sent)
		conn.(*net.TCPConn).CloseWrite()
	}()
	time.Sleep(100 * time.Millisecond) // both directions fill up
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes came back, or not the same", len(got), len(sent))
	}
}

func TestEchoLoadCounts(t *testing.T) {
	c, s := startC(t)
	load, err := c.compileC("echo_load")
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []string{"1", "16384"} {
		out, err := outputOnCore(anyCore, load, "-connect", s.port(), "-conns", "3", "-size", size, "-seconds", "1")
		if err != nil {
			t.Fatal(err)
		}
		said, err := parseLoad(out)
		if err != nil {
			t.Fatal(err)
		}
		if said["requests"] < 1 || said["total"] < said["requests"] {
			t.Errorf("size %s: %v requests of %v in all", size, said["requests"], said["total"])
		}
		if said["p50-us"] > said["p99-us"] || said["p99-us"] > said["p999-us"] || said["p50-us"] <= 0 {
			t.Errorf("size %s: percentiles out of order:\n%s", size, out)
		}
	}
}

// A load that accepts wrong echoes measures nothing.
func TestEchoLoadComparesBytes(t *testing.T) {
	c, _ := startC(t)
	load, err := c.compileC("echo_load")
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]func(message []byte) []byte{
		"one byte changed": func(m []byte) []byte { m[40] ^= 1; return m },
		"one byte more":    func(m []byte) []byte { return append(m, 'x') },
		"the one before":   func(m []byte) []byte { m[0]--; return m },
	} {
		liar, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := liar.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			message := make([]byte, 64)
			for {
				if _, err := io.ReadFull(conn, message); err != nil {
					return
				}
				conn.Write(answer(bytes.Clone(message)))
			}
		}()
		_, port, _ := net.SplitHostPort(liar.Addr().String())
		_, err = outputOnCore(anyCore, load, "-connect", port, "-conns", "1", "-seconds", "1")
		if err == nil || !strings.Contains(err.Error(), "the echo differs") {
			t.Errorf("%s: the load returns %v: want a difference reported", name, err)
		}
		liar.Close()
	}
}

func TestServerMeasures(t *testing.T) {
	_, s := startC(t)
	before, err := s.cpu()
	if err != nil {
		t.Fatal(err)
	}
	if conns, err := openServed(s.addr, 4, 100, 64); err != nil {
		t.Fatal(err)
	} else {
		closeAll(conns)
	}
	after, err := s.cpu()
	if err != nil {
		t.Fatal(err)
	}
	if after <= before || after-before > 5*time.Second {
		t.Errorf("400 requests took %v of CPU", after-before)
	}
	rss, anon, err := s.memory()
	if err != nil {
		t.Fatal(err)
	}
	if anon >= rss || rss > 64<<20 {
		t.Errorf("resident %d B, %d B of it anonymous", rss, anon)
	}
}

func TestParseBenchmark(t *testing.T) {
	const header = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"` + "\n"
	got, err := parseBenchmark(header+`"GET","94339.62","0.282","0.088","0.279","0.375","0.487","1.015"`+"\n", "GET")
	if want := (benchmarkResult{rate: 94339.62, p50: 0.279, p99: 0.487}); got != want || err != nil {
		t.Errorf("got %v, %v: want %v", got, err, want)
	}
	for _, out := range []string{"", header, header + `"SET","1","1","1","1","1","1","1"`, header + `"GET","","1","1","1","1","1","1"`} {
		if got, err := parseBenchmark(out, "GET"); err == nil {
			t.Errorf("%q: got %v: want an error", out, got)
		}
	}
}
