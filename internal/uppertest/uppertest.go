// Package uppertest checks the line servers of docs/FROM-NET.md: that programs over
// different libraries do the same.
package uppertest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const patience = 20 * time.Second

// What is replaced in the programs: where they listen, and how long clients may be silent.
var (
	address = regexp.MustCompile(`127\.0\.0\.1:7000`)
	idle    = regexp.MustCompile(`(?m)^(\tidle +=) time\.Minute$`)
)

// Check builds a program in a folder of the module that is tested, runs it, and checks
// that it answers lines in upper case, ends silent connections, and does not buffer
// without bound for a client that reads nothing. source is the program. It listens at
// 127.0.0.1:7000 and has a constant idle of a minute: for the test that is a free port,
// and a second.
func Check(t *testing.T, folder, source string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := "127.0.0.1:" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	for old, now := range map[*regexp.Regexp]string{address: at, idle: "$1 time.Second"} {
		if !old.MatchString(source) {
			t.Fatalf("the program lacks %v", old)
		}
		source = old.ReplaceAllString(source, now)
	}
	start(t, folder, source)
	for name, check := range map[string]func(*testing.T, net.Conn){"lines": lines, "idle": silent, "slow reader": slowReader} {
		t.Run(name, func(t *testing.T) {
			c, err := net.DialTimeout("tcp", at, patience)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(patience))
			check(t, c)
		})
	}
}

// start runs the program until the test ends. It returns when the program has said that
// it listens.
func start(t *testing.T, folder, source string) {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "server.exe") // Windows wants the suffix, others don't mind
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", binary, file)
	build.Dir = folder
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	cmd := exec.Command(binary)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for s := bufio.NewScanner(out); s.Scan(); {
		if strings.HasPrefix(s.Text(), "listening on ") {
			go io.Copy(io.Discard, out)
			return
		}
	}
	t.Fatal("the program ended before it listened")
}

// A line is answered when its end has come, and lines that come at once all are.
func lines(t *testing.T, c net.Conn) {
	for _, piece := range []string{"he", "llo\nwor", "ld\n", "a\nb\n"} {
		if _, err := c.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	const want = "HELLO\nWORLD\nA\nB\n"
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Errorf("got %q, %v: want %q", got[:n], err, want)
	}
}

// A client that says nothing is gone after the idle time, and not at once.
func silent(t *testing.T, c net.Conn) {
	began := time.Now()
	n, err := c.Read(make([]byte, 1))
	if took := time.Since(began); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) || took < time.Second/2 {
		t.Errorf("read %d bytes, %v, after %v: want the end after a second", n, err, took)
	}
}

// A client that sends and does not read is stopped by the buffers of the kernel, or its
// connection ended, before the server has taken much from it.
func slowReader(t *testing.T, c net.Conn) {
	const limit = 128 << 20 // more than the kernel's and the server's buffers
	chunk := bytes.Repeat([]byte("0123456789abcde\n"), 4096)
	for sent := 0; sent < limit; sent += len(chunk) {
		// Shorter than the idle time, after which a server may take what comes and drop it.
		c.SetWriteDeadline(time.Now().Add(time.Second / 2))
		if _, err := c.Write(chunk); err != nil {
			return
		}
	}
	t.Errorf("the server took %d MiB from a client that reads nothing", limit>>20)
}
