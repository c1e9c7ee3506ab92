//go:build unix

package reactor_test

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// heardAll is what the reader of a port reports: all that it read, and the error at the
// end.
type heardAll struct {
	b   []byte
	err error
}

type listening struct {
	b      []byte
	report chan<- heardAll
}

// listeningTo makes a kind that reads its port to the end.
func listeningTo(t testing.TB) *reactor.Kind[listening, reactor.None] {
	return netKind(t, reactor.Options{}, reactor.Row[listening, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(m *listening, cx *netCx, _ reactor.Ready) fsm.State {
			b, err := cx.Peek(port0)
			if err == reactor.ErrWouldBlock {
				return fsm.Stay
			}
			if err != nil {
				m.report <- heardAll{m.b, err}
				return fsm.Stop
			}
			m.b = append(m.b, b...)
			cx.Discard(port0, len(b))
			return fsm.Stay
		},
	})
}

func adoptPipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func TestAdoptPipeToRead(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	r, w := adoptPipe(t)
	report := make(chan heardAll, 1)
	if _, err := listeningTo(t).Adopt(l, r, listening{report: report}); err != nil {
		t.Fatal(err)
	}
	sent := netBytes(1 << 20)
	for i := 0; i < len(sent); i += 1 << 16 {
		if _, err := w.Write(sent[i : i+1<<16]); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	got := await(t, "the machine's report", report)
	if netSame(t, got.b, sent); got.err != io.EOF {
		t.Errorf("got %v at the end, want io.EOF", got.err)
	}
}

type writing struct {
	b      []byte
	report chan<- error
}

// writingTo makes a kind that writes all it has and ends its direction.
func writingTo(t testing.TB) *reactor.Kind[writing, reactor.None] {
	const failed = fsm.First + 1
	return netTable(t, reactor.Options{WriteBuffer: 2 << 20}, reactor.Table[writing, reactor.None]{{Fail: failed},
		{Name: "writing", Within: fsm.After(time.Minute, failed),
			OnEnter: func(m *writing, cx *netCx) fsm.State {
				if err := cx.Write(port0, m.b); err != nil {
					return cx.Fail(err)
				}
				if m.report == nil {
					return cx.Fail(cx.CloseWrite(port0))
				}
				return fsm.Stay
			}},
		{Name: "failed", Within: fsm.After(time.Minute, fsm.Stop),
			OnEnter: func(m *writing, cx *netCx) fsm.State {
				if m.report != nil {
					m.report <- cx.Cause()
				}
				return fsm.Stop
			}},
	})
}

// CloseWrite of a pipe closes it, once all is written.
func TestAdoptPipeToWrite(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	r, w := adoptPipe(t)
	sent := netBytes(1 << 20)
	if _, err := writingTo(t).Adopt(l, w, writing{b: sent}); err != nil {
		t.Fatal(err)
	}
	r.SetDeadline(time.Now().Add(patience))
	netSame(t, netReadAll(t, r), sent)
}

// A pipe's machine gets EPIPE when the reader closes its end, with output waiting and
// without.
func TestAdoptPipeWhoseReaderCloses(t *testing.T) {
	for _, size := range []int{0, 1 << 20} {
		l := netLoop(t, reactor.Config{})
		r, w := adoptPipe(t)
		report := make(chan error, 1)
		if _, err := writingTo(t).Adopt(l, w, writing{b: netBytes(size), report: report}); err != nil {
			t.Fatal(err)
		}
		stats(t, l) // a turn later, the machine has written what the pipe takes
		r.Close()
		if err := await(t, "the machine's report", report); !errors.Is(err, unix.EPIPE) {
			t.Errorf("%d bytes written: got %v, want %v", size, err, unix.EPIPE)
		}
	}
}

func adoptPair(t testing.TB, kind int) (a, b *os.File) {
	t.Helper()
	fds := socketPair(t, kind)
	a, b = os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
	t.Cleanup(func() { a.Close(); b.Close() })
	b.SetDeadline(time.Now().Add(patience))
	return a, b
}

func TestAdoptSocketpair(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	a, b := adoptPair(t, unix.SOCK_STREAM)
	if _, err := echoing(t, reactor.Options{}).Adopt(l, a, struct{}{}); err != nil {
		t.Fatal(err)
	}
	sent := netBytes(1 << 20)
	go func() {
		b.Write(sent)
		raw, _ := b.SyscallConn()
		raw.Control(func(fd uintptr) { unix.Shutdown(int(fd), unix.SHUT_WR) })
	}()
	netSame(t, netReadAll(t, b), sent)

	a, b = adoptPair(t, unix.SOCK_DGRAM)
	k := netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			var p [100]byte
			n, err := cx.Read(port0, p[:])
			if err != nil {
				return cx.Fail(err)
			}
			return cx.Fail(cx.Write(port0, p[:n]))
		}})
	if _, err := k.Adopt(l, a, struct{}{}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"one", "two", "three"} {
		p := make([]byte, 100)
		b.Write([]byte(s))
		if n, err := b.Read(p); err != nil || string(p[:n]) != s {
			t.Errorf("got %q, %v, want %q", p[:n], err, s)
		}
	}
}

// A connection that is adopted and released works for package net as before.
func TestAdoptAndRelease(t *testing.T) {
	files := make(chan *os.File, 1)
	k := netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			b, err := cx.Peek(port0)
			if err != nil {
				return cx.Fail(err)
			}
			if _, err := cx.Release(port0); !errors.Is(err, reactor.ErrFull) {
				return cx.Stop(errors.New("released with input held"))
			}
			if err := cx.Write(port0, b); err != nil {
				return cx.Fail(err)
			}
			cx.Discard(port0, len(b))
			f, err := cx.Release(port0)
			if err != nil {
				return cx.Stop(err)
			}
			if err := cx.Write(port0, b); !errors.Is(err, reactor.ErrClosed) {
				return cx.Stop(errors.New("written after Release"))
			}
			files <- f
			return fsm.Stop
		}})
	c, peer := netPair(t)
	l := netLoop(t, reactor.Config{})
	for range 3 {
		if _, err := k.Adopt(l, c.(*net.TCPConn), struct{}{}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write to a connection that was adopted: got %v, want net.ErrClosed", err)
		}
		ping(t, peer)
		f := await(t, "the machine's report", files)
		var err error
		if c, err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
		c.SetDeadline(time.Now().Add(patience))
		go c.Write([]byte("from outside"))
		b := make([]byte, 12)
		if _, err := io.ReadFull(peer, b); err != nil || string(b) != "from outside" {
			t.Errorf("the peer of a released connection: got %q, %v, want \"from outside\"", b, err)
		}
	}
	c.Close()
	eventually(t, "the machines ended", func() bool { return stats(t, l).Machines == 0 })
	noneFailed(t, l)
}

// blocks reports whether calls on an open file block.
func blocks(t *testing.T, f *os.File) (blocks bool) {
	t.Helper()
	raw, err := f.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			flags, _ := unix.FcntlInt(fd, unix.F_GETFL, 0)
			blocks = flags&unix.O_NONBLOCK == 0
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

// A file that cannot be waited for is refused, and left as it was.
func TestAdoptNotPollable(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	files := []*os.File{file, dir}
	if backend := os.Getenv("STATOR_POLLER"); backend == "epoll" || backend == "" && runtime.GOOS == "linux" { // other backends can wait for it
		files = append(files, null)
	}
	for _, f := range files {
		before := blocks(t, f)
		if _, err := echoing(t, reactor.Options{}).Adopt(l, f, struct{}{}); !errors.Is(err, reactor.ErrNotPollable) {
			t.Errorf("Adopt of %s: got %v, want ErrNotPollable", f.Name(), err)
		}
		if got := blocks(t, f); got != before {
			t.Errorf("%s: got blocking %t, want %t as before", f.Name(), got, before)
		}
		if err := f.Close(); err != nil {
			t.Errorf("Close of %s: got %v, want no error", f.Name(), err)
		}
	}
	closed, _ := adoptPipe(t)
	closed.Close()
	if _, err := echoing(t, reactor.Options{}).Adopt(l, closed, struct{}{}); err == nil {
		t.Error("Adopt of a closed file: got no error, want one")
	}
	eventually(t, "the machines ended", func() bool { return stats(t, l).Machines == 0 })
}

// A descriptor that blocked before it was adopted blocks again when the machine is done
// with it, as others may have duplicates.
func TestAdoptLeavesItBlocking(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	r, w := adoptPipe(t)
	var kept []*os.File
	for _, f := range []*os.File{r, w} {
		fd, err := unix.Dup(int(f.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.SetNonblock(fd, false); err != nil {
			t.Fatal(err)
		}
		kept = append(kept, os.NewFile(uintptr(fd), f.Name()))
		defer kept[len(kept)-1].Close()
	}
	report := make(chan heardAll, 1)
	if _, err := listeningTo(t).Adopt(l, r, listening{report: report}); err != nil {
		t.Fatal(err)
	}
	if got := blocks(t, kept[0]); got != pipesOpenAnew {
		t.Errorf("a duplicate of an adopted descriptor: got it blocking %v, want %v", got, pipesOpenAnew)
	}
	if _, err := writingTo(t).Adopt(l, w, writing{b: []byte("x")}); err != nil { // and closes its end
		t.Fatal(err)
	}
	eventually(t, "the writing end blocks", func() bool { return blocks(t, kept[1]) })
	kept[1].Close()
	await(t, "the machine's report", report)
	eventually(t, "the reading end blocks", func() bool { return blocks(t, kept[0]) })
}

// A machine writes to a child's stdin and reads its stdout.
func TestAdoptStdioOfChild(t *testing.T) {
	const stdin, stdout reactor.Port = 0, 1
	inR, inW := adoptPipe(t)
	outR, outW := adoptPipe(t)
	cat := exec.Command("cat")
	cat.Stdin, cat.Stdout = inR, outW
	if err := cat.Start(); err != nil {
		t.Skip(err)
	}
	inR.Close()
	outW.Close()
	sent := netBytes(300 << 10)
	report := make(chan heardAll, 1)
	type talk struct {
		said, heard []byte
		out         *os.File
	}
	k := netTable(t, reactor.Options{Ports: []string{"stdin", "stdout"}}, reactor.Table[talk, reactor.None]{{},
		{Name: "talking", Wait: stdin.Writable() | stdout.Readable(), Within: fsm.After(time.Minute, fsm.Stop), To: fsm.To(2),
			OnEnter: func(m *talk, cx *netCx) fsm.State {
				if m.out == nil {
					return fsm.Stay
				}
				return cx.Fail(cx.Adopt(stdout, m.out))
			},
			OnReady: func(m *talk, cx *netCx, r reactor.Ready) fsm.State {
				if r.Has(stdin.Writable()) && len(m.said) > 0 {
					n, err := cx.WriteSome(stdin, m.said)
					if m.said = m.said[n:]; len(m.said) == 0 {
						cx.CloseWrite(stdin)
					}
					return cx.Fail(err)
				}
				var b [4096]byte
				n, err := cx.Read(stdout, b[:])
				m.heard = append(m.heard, b[:n]...)
				if err == io.EOF {
					report <- heardAll{b: m.heard}
					return fsm.Stop
				}
				return cx.Fail(err)
			}},
		{Name: "never", Within: fsm.After(time.Minute, 1)},
	})
	l := netLoop(t, reactor.Config{})
	if _, err := k.Adopt(l, inW, talk{said: sent, out: outR}); err != nil {
		t.Fatal(err)
	}
	netSame(t, await(t, "the machine's report", report).b, sent)
	if err := cat.Wait(); err != nil {
		t.Errorf("the child: got %v, want no error", err)
	}
	noneFailed(t, l)
}

// A unix listener that a loop takes over keeps its path, also after its Close.
func TestListenOnKeepsThePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	n, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l := netLoop(t, reactor.Config{})
	k := netKind(t, reactor.Options{}, reactor.Row[empty, reactor.None]{Wait: port0.Readable(),
		OnReady: func(*empty, *netCx, reactor.Ready) fsm.State { return fsm.Stop }})
	on, err := k.ListenOn(l, n.(*net.UnixListener), empty{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := on.Close(l); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the path after Close: got %v, want it there", err)
	}
}

// A duplicate of a socket can make the socket block. The loop goes on, as each of its
// calls asks not to wait.
func TestSocketMadeBlocking(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	fds := socketPair(t, unix.SOCK_STREAM)
	f := os.NewFile(uintptr(fds[0]), "socket")
	defer f.Close()
	c, err := net.FileConn(f) // its descriptor is a duplicate
	if err != nil {
		t.Fatal(err)
	}
	report := make(chan heardAll, 1)
	if _, err := listeningTo(t).Adopt(l, c.(reactor.Descriptor), listening{report: report}); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fds[0], false); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(fds[1], []byte("x")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "read", func() bool { return stats(t, l).BytesIn == 1 })
	stats(t, l) // the loop does not hang in the next read
	unix.Close(fds[1])
	if got := await(t, "the machine's report", report); string(got.b) != "x" {
		t.Errorf("got %q, want \"x\"", got.b)
	}
}

func TestAdoptOfNothing(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	if _, err := listeningTo(t).Adopt(l, nil, listening{}); err == nil {
		t.Error("Adopt of nil: got no error, want one")
	}
}
