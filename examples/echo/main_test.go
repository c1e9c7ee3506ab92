package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// With ECHO_TEST_CHILD set, the test binary runs as the command itself.
func TestMain(m *testing.M) {
	if os.Getenv("ECHO_TEST_CHILD") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// Wrong use says what was wrong and what is allowed, and exits.
func TestFlags(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()

	for _, c := range []struct {
		args   string
		status int
		says   []string
	}{
		{"-h", 0, []string{"go run ./examples/echo [flags]\n", "-listen host:port", "-grace duration"}},
		{"-diagram", 0, []string{"stateDiagram-v2"}},
		{"7000", 2, []string{`echo: argument "7000": want flags only`}},
		{"-port 7000", 2, []string{"flag provided but not defined: -port", "-listen host:port"}},
		{"-grace 5", 2, []string{`invalid value "5" for flag -grace`, "such as 500ms"}},
		{"-grace -1s", 2, []string{"echo: -grace -1s: want 0 or more"}},
		{"-listen nowhere", 1, []string{"echo: ", `"nowhere"`, "-listen wants host:port"}},
		{"-listen 127.0.0.1:70000", 1, []string{"echo: ", "70000", "-listen wants host:port"}},
		{"-listen " + addr, 1, []string{"echo: ", addr, "port 0 picks a free one"}},
	} {
		cmd := exec.Command(os.Args[0], strings.Fields(c.args)...)
		cmd.Env = append(os.Environ(), "ECHO_TEST_CHILD=1")
		said, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if status := cmd.ProcessState.ExitCode(); status != c.status {
			t.Errorf("echo %s: status %d, want %d; it said %q", c.args, status, c.status, said)
		}
		for _, want := range c.says {
			if !strings.Contains(string(said), want) {
				t.Errorf("echo %s: said %q; want %q in it", c.args, said, want)
			}
		}
	}
}
