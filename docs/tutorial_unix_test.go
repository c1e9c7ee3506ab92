//go:build unix

package docs

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/internal/markdown"
	"github.com/stator-go/stator/internal/testenv"
)

// patience bounds what a command of a document may take: the first one compiles.
const patience = 3 * time.Minute

// TUTORIAL.md is done as it says: each block of Go is written to its file, each block of
// sh is run, and where a block "text output" follows, that is what it prints.
func TestTutorial(t *testing.T) {
	if !testenv.Long() {
		t.Skip("it compiles programs: set STATOR_LONG=1")
	}
	t.Parallel()
	needs(t, "go", "sh", "nc", "curl")
	r := newReader(t)
	all := blocks(t, "TUTORIAL.md")
	for i := 0; i < len(all); i++ {
		b := all[i]
		b.Text = r.ports.Replace(b.Text)
		switch b.Lang + " " + b.Arg {
		case "sh ", "sh server":
			var want *markdown.Block
			if i+1 < len(all) && all[i+1].Lang == "text" && all[i+1].Arg == "output" {
				i++
				want = &all[i]
				want.Text = r.ports.Replace(want.Text)
			}
			if b.Arg == "server" {
				r.serve(b, want)
			} else {
				r.run(b, want)
			}
		default:
			if b.Lang != "go" || filepath.Base(b.Arg) != b.Arg || filepath.Ext(b.Arg) != ".go" {
				t.Fatalf("%s: block %q: want \"go FILE\", \"sh\", \"sh server\" or, behind sh, \"text output\"", b, b.Lang+" "+b.Arg)
			}
			if err := os.WriteFile(filepath.Join(r.dir, b.Arg), []byte(b.Text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// reader does what a reader of a document does.
type reader struct {
	t      *testing.T
	dir    string
	ports  *strings.Replacer // free ones for those of the document
	server *exec.Cmd
}

func newReader(t *testing.T) *reader {
	r := &reader{t: t, dir: t.TempDir()}
	r.ports = strings.NewReplacer("7000", freePort(t), "7001", freePort(t))
	t.Cleanup(r.stop)
	return r
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// command is a block's, in a process group of its own. Instead of go get it says what the
// document has for readers with a clone, so the module is the one that is tested.
func (r *reader) command(b markdown.Block) *exec.Cmd {
	r.t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		r.t.Fatal(err)
	}
	script := strings.ReplaceAll(b.Text, "go get "+module+"\n",
		fmt.Sprintf("go mod edit -replace %s=%s\n", module, root))
	cmd := exec.Command("sh", "-e", "-c", script+"pwd >&3")
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "FUZZ_RUNS=", "FUZZ_TIME=", "FUZZ_SEED=", "FUZZ_REPORT=", "FUZZ_STRATEGY=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// run runs a block, and goes on in the folder that it ended in. A command whose output
// is shown may fail, as the output says so.
func (r *reader) run(b markdown.Block, want *markdown.Block) {
	r.t.Helper()
	where, err := os.Create(filepath.Join(r.t.TempDir(), "pwd"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer where.Close()
	var out bytes.Buffer
	cmd := r.command(b)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &out, &out, []*os.File{where}
	if err = cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err = cmd.Wait()
	if !late.Stop() {
		r.t.Fatalf("%s runs longer than %v:\n%s", b, patience, &out)
	}
	if err != nil && want == nil {
		r.t.Fatalf("%s: %v:\n%s", b, err, &out)
	}
	if want != nil && !matches(out.String(), want.Text) {
		r.t.Fatalf("%s prints\n%s%s has\n%s", b, &out, want, want.Text)
	}
	if dir, err := os.ReadFile(where.Name()); err != nil {
		r.t.Fatal(err)
	} else if len(dir) > 0 {
		r.dir = strings.TrimSpace(string(dir))
	}
}

// serve stops the server that runs, and starts another one in the background. It waits
// until that one has printed what is wanted.
func (r *reader) serve(b markdown.Block, want *markdown.Block) {
	r.t.Helper()
	if want == nil {
		r.t.Fatalf("%s: a server without output: want a line that says that it is ready", b)
	}
	r.stop()
	name := filepath.Join(r.t.TempDir(), "output")
	out, err := os.Create(name)
	if err != nil {
		r.t.Fatal(err)
	}
	defer out.Close()
	r.server = r.command(b)
	r.server.Stdout, r.server.Stderr = out, out
	if err := r.server.Start(); err != nil {
		r.server = nil
		r.t.Fatal(err)
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		got, err := os.ReadFile(name)
		if err != nil {
			r.t.Fatal(err)
		}
		if matches(string(got), want.Text) {
			return
		}
		if time.Now().After(end) {
			r.t.Fatalf("%s prints\n%s%s has\n%s", b, got, want, want.Text)
		}
	}
}

// stop ends the server as Ctrl-C does.
func (r *reader) stop() {
	if r.server == nil {
		return
	}
	syscall.Kill(-r.server.Process.Pid, syscall.SIGINT)
	late := time.AfterFunc(patience, func() { syscall.Kill(-r.server.Process.Pid, syscall.SIGKILL) })
	r.server.Wait()
	late.Stop()
	r.server = nil
}

// matches compares output with what a document shows of it: "…" stands for anything in a
// line, and alone in a line for any lines.
func matches(got, want string) bool {
	pattern := regexp.QuoteMeta(want)
	pattern = regexp.MustCompile(`(?m)^…\n`).ReplaceAllString(pattern, "(?:.*\n)*")
	return regexp.MustCompile(`^` + strings.ReplaceAll(pattern, "…", `.*`) + `$`).MatchString(got)
}

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		got, want string
		match     bool
	}{
		{"a\n", "a\n", true},
		{"a\nb\n", "a\n", false},
		{"b\na\n", "a\n", false},
		{"a (1.5s)\n", "a …\n", true},
		{"a (1.5s)\nb\n", "a …\n", false},
		{"a\nb\nc\nd\n", "a\n…\nd\n", true},
		{"a\nd\n", "a\n…\nd\n", true},
		{"a\nb\nc\n", "a\n…\nd\n", false},
		{"a.b\n", "a.b\n", true},
		{"a+b\n", "a.b\n", false},
	} {
		if got := matches(test.got, test.want); got != test.match {
			t.Errorf("matches(%q, %q) = %v, want %v", test.got, test.want, got, test.match)
		}
	}
}
