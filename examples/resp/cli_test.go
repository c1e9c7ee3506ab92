package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test's own program is the command, when it is told to be.

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
		{"-h", 0, []string{"resp serves Redis clients", "resp -listen :6379", "-maxclients", "-patience"}},
		{"-maxclients 0", 2, []string{"-maxclients 0: want 1 to 16777214"}},
		{"-max-bulk -1", 2, []string{"-max-bulk -1: want 1 to 1073741824"}},
		{"-output-limit 0", 2, []string{"-output-limit 0: want 1 to 1073741824"}},
		{"-input-limit -5", 2, []string{"-input-limit -5: want 1 to"}},
		{"-patience 0", 2, []string{"-patience 0s: want a time above 0"}},
		{"-grace -1s", 2, []string{"-grace -1s: want 0 or more"}},
		{"6379", 2, []string{`argument "6379": want options only`}},
		{"-maxclients many", 2, []string{`invalid value "many" for flag -maxclients`}},
		{"-listen nowhere", 1, []string{"resp: ", "nowhere"}},
		{"-listen " + r.addr, 1, []string{"resp: ", "address already in use", r.addr}},
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

// The command says where it listens, serves, and ends on SIGTERM with what was
// received answered.
func TestCommandEndsOnSIGTERM(t *testing.T) {
	cmd := child("main", "-listen", "127.0.0.1:0")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patient, func() { cmd.Process.Kill() })
	defer timer.Stop()
	line, _ := bufio.NewReader(out).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		cmd.Process.Kill()
		cmd.Wait()
		t.Fatalf("the first line is %q; stderr: %s", line, errs.String())
	}
	c := dial(t, addr)
	c.ask("+OK\r\n", "SET", "k", letters(1<<20, 'v'))
	c.send(command("GET", "k") + command("ECHO", "end"))
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		t.Skipf("no such signal here: %v", err)
	}
	c.wants(bulk(letters(1<<20, 'v')) + bulk("end"))
	c.closes()
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v; stderr: %s", err, errs.String())
	}
}
