//go:build unix

package reactor_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor"
)

// openFIFOToRead makes a FIFO, and opens it for reading without a writer.
func openFIFOToRead(t *testing.T) (path string, r *os.File) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	r = os.NewFile(uintptr(fd), path)
	t.Cleanup(func() { r.Close() })
	return path, r
}

// writeFIFO opens a FIFO, writes s, and closes it.
func writeFIFO(t *testing.T, path, s string) {
	t.Helper()
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString(s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func adoptFIFO(t *testing.T, l *reactor.Loop, r *os.File) <-chan heardAll {
	t.Helper()
	report := make(chan heardAll, 1)
	_, err := listeningTo(t).Adopt(l, r, listening{report: report})
	if errors.Is(err, reactor.ErrNotPollable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// A FIFO that no writer has opened yet has not ended: it ends when its writer has come and
// gone.
func TestAdoptFIFOBeforeItsWriter(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	path, r := openFIFOToRead(t)
	fd, err := unix.Dup(int(r.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	asked := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(asked, 0); n != 0 || err != nil {
		t.Skipf("the system says that such a FIFO is ready: %d, %v", n, err)
	}
	report := adoptFIFO(t, l, r)
	select {
	case got := <-report:
		t.Fatalf("read %q, and ended with %v, before there was a writer", got.b, got.err)
	case <-time.After(30 * time.Millisecond):
	}
	writeFIFO(t, path, "hello")
	if got := await(t, "a report", report); string(got.b) != "hello" || got.err != io.EOF {
		t.Errorf("read %q, and ended with %v", got.b, got.err)
	}
}

// A FIFO whose writer has come and gone has ended, with and without something to read.
func TestAdoptFIFOAfterItsWriter(t *testing.T) {
	for _, s := range []string{"", "hello"} {
		l := netLoop(t, reactor.Config{})
		path, r := openFIFOToRead(t)
		writeFIFO(t, path, s)
		if got := await(t, "a report", adoptFIFO(t, l, r)); string(got.b) != s || got.err != io.EOF {
			t.Errorf("read %q, and ended with %v: want %q, EOF", got.b, got.err, s)
		}
	}
}

// A FIFO whose writer is there has not ended until that goes.
func TestAdoptFIFOWithItsWriter(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	path, r := openFIFOToRead(t)
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	report := adoptFIFO(t, l, r)
	select {
	case got := <-report:
		t.Fatalf("read %q, and ended with %v, while there is a writer", got.b, got.err)
	case <-time.After(30 * time.Millisecond):
	}
	w.Close()
	if got := await(t, "a report", report); len(got.b) != 0 || got.err != io.EOF {
		t.Errorf("read %q, and ended with %v", got.b, got.err)
	}
}
