package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// With PIPE_TEST_CHILD set, the test binary runs as the command itself.
func TestMain(m *testing.M) {
	if os.Getenv("PIPE_TEST_CHILD") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestArguments(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"-h"}, 0, "go run ./examples/pipe\n"},
		{[]string{"in"}, 2, `pipe: argument "in": want none`},
		{[]string{"-v"}, 2, "flag provided but not defined: -v"},
		{[]string{"--", "-h"}, 2, `pipe: argument "-h": want none`},
	} {
		cmd := exec.Command(os.Args[0], c.args...)
		cmd.Env = append(os.Environ(), "PIPE_TEST_CHILD=1")
		said, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if status := cmd.ProcessState.ExitCode(); status != c.status || !strings.Contains(string(said), c.says) {
			t.Errorf("pipe %q: status %d, said %q; want %d and %q", c.args, status, said, c.status, c.says)
		}
	}
}

// Both programs print that the pipe is readable, with the token, and what they read.
func TestOutput(t *testing.T) {
	for _, c := range []struct {
		name    string
		program func(io.Writer) error
		want    string
	}{
		{"machine", withMachine,
			`^machine: the pipe is readable \(token \d+:\d+#\d+: loop \d+, slot \d+, generation \d+\)\nmachine: read "hello"\n$`},
		{"poller", withPoller, `^poll: the pipe is readable \(token 7, as registered\)\npoll: read "hello"\n$`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := c.program(&out)
			if errors.Is(err, reactor.ErrUnsupported) || errors.Is(err, poll.ErrUnsupported) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(c.want).Match(out.Bytes()) {
				t.Errorf("printed %q; want %s", out.String(), c.want)
			}
		})
	}
}
