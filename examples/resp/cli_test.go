package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// With RESP_TEST_CHILD set, the test binary runs as the command itself, or as one test that
// needs its own process.

func runChild(what string) int {
	if what == "main" {
		main()
		return 0
	}
	return runLimited(what)
}

func child(what string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "RESP_TEST_CHILD="+what)
	return cmd
}

func TestOptions(t *testing.T) {
	r := run(t, small(), "")
	for _, c := range []struct {
		args   string
		status int
		says   []string
	}{
		{"-h", 0, []string{"resp serves Redis clients", "go run ./examples/resp [flags]", "-listen :6379", "-maxclients", "-patience"}},
		{"-maxclients 0", 2, []string{"-maxclients 0: want 1 to 16777198"}},
		{"-max-bulk -1", 2, []string{"-max-bulk -1: want 1 to 1073741824"}},
		{"-output-limit 0", 2, []string{"-output-limit 0: want 1 to 1073741824"}},
		{"-input-limit -5", 2, []string{"-input-limit -5: want 1 to"}},
		{"-input-limit 100000000 -max-bulk 100000000", 2, []string{"-input-limit 100000000: want at least 101048576, for one value of -max-bulk 100000000"}},
		{"-max-bulk 1073741824", 2, []string{"-input-limit 1073741824: want at least 1074790400"}},
		{"-patience 0", 2, []string{"-patience 0s: want a time above 0"}},
		{"-grace -1s", 2, []string{"-grace -1s: want 0 or more"}},
		{"6379", 2, []string{`argument "6379": want flags only`}},
		{"-maxclients many", 2, []string{`invalid value "many" for flag -maxclients`}},
		{"-port 1", 2, []string{"flag provided but not defined: -port", "-listen host:port"}},
		{"-listen nowhere", 1, []string{"resp: ", "nowhere", "-listen wants host:port"}},
		{"-listen " + r.addr, 1, []string{"resp: ", "address already in use", r.addr, "port 0 picks a free one"}},
	} {
		var errs bytes.Buffer
		cmd := child("main", strings.Fields(c.args)...)
		cmd.Stderr = &errs
		err := cmd.Run()
		status := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			status = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if status != c.status {
			t.Errorf("resp %s: exit status %d, want %d", c.args, status, c.status)
		}
		for _, want := range c.says {
			if !strings.Contains(errs.String(), want) {
				t.Errorf("resp %s: said %q; want %q in it", c.args, errs.String(), want)
			}
		}
	}
}

func TestFit(t *testing.T) {
	l := limits{clients: 1000}
	if w := l.fit(1032); w != "" || l.clients != 1000 {
		t.Errorf("warned %q, %d clients: 1032 files are enough", w, l.clients)
	}
	if w := l.fit(500); !strings.Contains(w, "-maxclients is 468") || l.clients != 468 {
		t.Errorf("warned %q, %d clients: want 468", w, l.clients)
	}
	if l.fit(10); l.clients != 1 {
		t.Errorf("%d clients: want 1", l.clients)
	}
}

// process is a server in a process of its own.
type process struct {
	*exec.Cmd
	t    *testing.T
	addr string
	errs bytes.Buffer
}

func startProcess(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: child("main", append([]string{"-listen", "127.0.0.1:0"}, args...)...), t: t}
	p.Stderr = &p.errs
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patient, func() { p.Process.Kill() })
	t.Cleanup(func() {
		timer.Stop()
		p.Process.Kill()
		p.Cmd.Wait()
	})
	line, _ := bufio.NewReader(out).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("the first line is %q; stderr: %s", line, p.errs.String())
	}
	p.addr = addr
	return p
}

func (p *process) terminate() {
	p.t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Skipf("cannot send SIGTERM: %v", err)
	}
}

// ends waits for the process, which must exit with status 0.
func (p *process) ends() {
	p.t.Helper()
	if err := p.Wait(); err != nil {
		p.t.Errorf("%v; stderr: %s", err, p.errs.String())
	}
}

// The server's clock is not behind that of its clients, or a key would live longer than the
// time at which it was to expire.
func TestClockIsNotBehind(t *testing.T) {
	c := dial(t, startProcess(t).addr)
	for range 200 {
		asked := time.Now().UnixMicro()
		c.send(command("TIME"))
		var seconds, us int64
		if _, err := fmt.Fscanf(c.in, "*2\r\n$10\r\n%d\r\n", &seconds); err != nil {
			t.Fatal(err)
		}
		var length int
		if _, err := fmt.Fscanf(c.in, "$%d\r\n%d\r\n", &length, &us); err != nil {
			t.Fatal(err)
		}
		if now := seconds*1_000_000 + us; now < asked {
			t.Fatalf("TIME is %d µs before it was asked for", asked-now)
		}
	}
}

// The command prints where it listens, serves, and on SIGTERM answers what it received before
// it ends.
func TestCommandEndsOnSIGTERM(t *testing.T) {
	p := startProcess(t)
	c := dial(t, p.addr)
	c.ask("+OK\r\n", "SET", "k", letters(1<<20, 'v'))
	c.send(command("GET", "k") + command("ECHO", "end"))
	p.terminate()
	c.wants(bulk(letters(1<<20, 'v')) + bulk("end"))
	c.closes()
	p.ends()
}

// A client that does not read is closed when -grace is over, and the exit status is 0.
func TestSIGTERMCutsOff(t *testing.T) {
	p := startProcess(t, "-grace", "200ms")
	c := dial(t, p.addr)
	c.ask("+OK\r\n", "SET", "k", letters(8<<20, 'v'))
	c.send(strings.Repeat(command("GET", "k"), 10))
	c.wants("$8388608\r\n")
	p.terminate()
	p.ends()
	if want := "-grace 200ms is over"; !strings.Contains(p.errs.String(), want) {
		t.Errorf("said %q; want %q in it", p.errs.String(), want)
	}
}

// On SIGTERM in the middle of a deep pipeline, all commands that were received are answered.
func TestSIGTERMInDeepPipeline(t *testing.T) {
	p := startProcess(t)
	c := dial(t, p.addr)
	value := letters(1000, 'v')
	c.ask("+OK\r\n", "SET", "k", value)
	const deep = 10_000
	c.send(strings.Repeat("INCR n\nGET k\n", deep/2))
	for n := range deep / 2 {
		c.wants(fmt.Sprintf(":%d\r\n", n+1) + bulk(value))
		if n == deep/4 { // by now the sockets have room for all further replies
			p.terminate()
		}
	}
	c.closes()
	p.ends()
}

// A client that keeps sending after SIGTERM gets a reply to each command that was run, and
// each message that a reply counts reaches the subscriber.
func TestSIGTERMWhileClientSends(t *testing.T) {
	p := startProcess(t)
	c, listener := dial(t, p.addr), dial(t, p.addr)
	listener.ask(subscribed("news", 1), "SUBSCRIBE", "news")
	var over atomic.Bool
	go func() {
		for batch := strings.Repeat(command("PUBLISH", "news", "m"), 1000); !over.Load(); {
			if _, err := io.WriteString(c.Conn, batch); err != nil {
				return
			}
		}
	}()
	heard := make(chan []byte)
	go func() {
		got, _ := io.ReadAll(listener.in)
		heard <- got
	}()
	c.wants(":1\r\n")
	p.terminate()
	time.AfterFunc(100*time.Millisecond, func() { over.Store(true) })
	replies, _ := c.rest() // may end with a reset, as commands came too late
	messages := <-heard
	// Once the listener has left, a message has no receivers.
	told := strings.Count(string(replies), ":1\r\n")
	if want := strings.Repeat(":1\r\n", told) + strings.Repeat(":0\r\n", len(replies)/4-told); string(replies) != want {
		t.Errorf("the replies are %s", short(replies))
	}
	if want := strings.Repeat(message("news", "m"), told+1); string(messages) != want {
		t.Errorf("%d messages came in %d bytes; %d replies tell of one",
			strings.Count(string(messages), "message"), len(messages), told+1)
	}
	p.ends()
}
