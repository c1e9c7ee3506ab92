package main

import (
	"bufio"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	module       = "github.com/stator-go/stator"
	anyCore      = -1
	startTimeout = 10 * time.Second
	stopTimeout  = 10 * time.Second
)

//go:embed c/*.c
var cSources embed.FS

// compileC compiles c/NAME.c and returns the path of the program. The source is
// embedded, so it is found from any directory.
func (c *config) compileC(name string) (string, error) {
	text, err := cSources.ReadFile("c/" + name + ".c")
	if err != nil {
		return "", err
	}
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path+".c", text, 0o644); err != nil {
		return "", err
	}
	return path, runQuiet("cc", "-O2", "-std=gnu11", "-o", path, path+".c")
}

// buildGo builds a package and returns the path of the program.
func (c *config) buildGo(pkg string) (string, error) {
	path := filepath.Join(c.dir, "go-server")
	return path, runQuiet("go", "build", "-o", path, pkg)
}

// runQuiet runs a command and reports its output only if it fails.
func runQuiet(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// onCore calls start, which starts a process, so that the process is pinned to the
// core from its first instruction: a Go runtime counts its processors only once, at
// its start.
func onCore(core int, start func() error) error {
	if core == anyCore {
		return start()
	}
	// The process inherits the affinity of the thread that forks it. No thread of
	// this program does: the runtime does not clone a locked thread.
	runtime.LockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("sched_getaffinity: %w", err)
	}
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("pin to core %d: %w", core, err)
	}
	err := start()
	if err := unix.SchedSetaffinity(0, &before); err != nil {
		return fmt.Errorf("unpin: %w", err) // the thread stays locked, so it ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}

// outputOnCore runs a command on a core, waits for its end, and returns its standard
// output.
func outputOnCore(core int, name string, args ...string) (string, error) {
	var out, errs strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := onCore(core, cmd.Start)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", filepath.Base(name), err, errs.String(), out.String())
	}
	return out.String(), nil
}

// server is a running server process.
type server struct {
	cmd  *exec.Cmd
	addr string
	name string
}

// startServer starts a server on a core and waits until it has printed its first line,
// which must be "listening on ADDR".
func startServer(core int, env []string, path string, args ...string) (*server, error) {
	s := &server{cmd: exec.Command(path, args...), name: filepath.Base(path)}
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stderr = os.Stderr
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := onCore(core, s.cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	first := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stdout)
		lines.Scan()
		first <- lines.Text()
		for lines.Scan() {
		}
	}()
	select {
	case line := <-first:
		addr, ok := strings.CutPrefix(line, "listening on ")
		if !ok {
			s.kill()
			return nil, fmt.Errorf("%s printed %q first: want \"listening on ADDR\"", s.name, line)
		}
		s.addr = addr
		return s, nil
	case <-time.After(startTimeout):
		s.kill()
		return nil, fmt.Errorf("%s printed nothing within %v", s.name, startTimeout)
	}
}

// port returns the port of the server's address.
func (s *server) port() string {
	return s.addr[strings.LastIndexByte(s.addr, ':')+1:]
}

// cpu returns the CPU time, user and system, of all threads of the process,
// including those that have ended. It asks the process's CPU clock, which counts
// nanoseconds; /proc counts hundredths of a second.
func (s *server) cpu() (time.Duration, error) {
	const schedClock = 2 // of the process as a whole; see clock_getcpuclockid(3)
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^s.cmd.Process.Pid<<3|schedClock), &t); err != nil {
		return 0, fmt.Errorf("CPU clock of %s: %w", s.name, err)
	}
	return time.Duration(t.Nano()), nil
}

// memory returns the resident set of the process in bytes, and the part of it that
// no file backs. It reads smaps_rollup, for which the kernel walks the page tables, as
// the counters in /proc/PID/status lag behind.
func (s *server) memory() (rss, anon int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[2] != "kB" {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("smaps_rollup: %w", err)
		}
		switch fields[0] {
		case "Rss:":
			rss = kib << 10
		case "Anonymous:":
			anon = kib << 10
		}
	}
	if rss == 0 || anon == 0 {
		return 0, 0, errors.New("smaps_rollup: it names no resident memory")
	}
	return rss, anon, nil
}

// stop sends SIGTERM to the server and waits for its end. A server that handles
// SIGTERM must exit with status 0; one that does not is killed by it, which is no error.
func (s *server) stop() error {
	ended := make(chan error, 1)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("%s has ended before its time: %w", s.name, errors.Join(err, s.cmd.Wait()))
	}
	go func() { ended <- s.cmd.Wait() }()
	select {
	case err := <-ended:
		status, ok := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
		if ok && status.Signaled() && status.Signal() == syscall.SIGTERM {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s after SIGTERM: %w", s.name, err)
		}
		return nil
	case <-time.After(stopTimeout):
		err := s.cmd.Process.Kill()
		<-ended
		return errors.Join(fmt.Errorf("%s still ran %v after SIGTERM", s.name, stopTimeout), err)
	}
}

// kill ends a server after an error. Its own errors are ignored, as the first one counts.
func (s *server) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}
