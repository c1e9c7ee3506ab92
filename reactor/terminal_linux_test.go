package reactor_test

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Terminals: pseudo-terminals of Linux.

// openTerminal opens both ends of a pseudo-terminal.
func openTerminal(t testing.TB) (master, tty *os.File) {
	t.Helper()
	m, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	master = os.NewFile(uintptr(m), "ptmx")
	t.Cleanup(func() { master.Close() })
	n, err := unix.IoctlGetInt(m, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(m, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open("/dev/pts/"+strconv.Itoa(n), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	tty = os.NewFile(uintptr(fd), "tty")
	t.Cleanup(func() { tty.Close() })
	return master, tty
}

// A terminal returns one line per read: a short read does not prove that there is no
// more.
func TestAdoptTerminal(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	master, tty := openTerminal(t)
	report := make(chan heardAll, 1)
	k := netKind(t, reactor.Options{}, reactor.Row[listening, reactor.None]{Wait: port0.Readable(),
		OnReady: func(m *listening, cx *netCx, _ reactor.Ready) fsm.State {
			var b [100]byte
			n, err := cx.Read(port0, b[:])
			if err != nil {
				return cx.Fail(err)
			}
			if m.b = append(m.b, b[:n]...); bytes.Count(m.b, []byte("\n")) == 3 {
				m.report <- heardAll{b: m.b}
				return cx.Stop(cx.Write(port0, []byte("thanks\n")))
			}
			return fsm.Stay
		}})
	if _, err := k.Adopt(l, tty, listening{report: report}); err != nil {
		t.Fatal(err)
	}
	master.SetDeadline(time.Now().Add(patience))
	if _, err := master.Write([]byte("one\ntwo\nthree\n")); err != nil {
		t.Fatal(err)
	}
	if got := await(t, "the machine's report", report); string(got.b) != "one\ntwo\nthree\n" {
		t.Errorf("got %q, want \"one\\ntwo\\nthree\\n\"", got.b)
	}
	var said []byte
	for b := make([]byte, 100); !bytes.Contains(said, []byte("thanks")); {
		n, err := master.Read(b)
		if said = append(said, b[:n]...); err != nil {
			t.Fatalf("got %q, %v, want \"thanks\" in it", said, err)
		}
	}
	eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })

	// A close of the other end is the end of the input.
	master, tty = openTerminal(t)
	if _, err := listeningTo(t).Adopt(l, tty, listening{report: report}); err != nil {
		t.Fatal(err)
	}
	stats(t, l) // a turn later, the machine waits for input
	master.Close()
	if got := await(t, "the machine's report", report); got.err != io.EOF {
		t.Errorf("after the close of the other end: got %v, want io.EOF", got.err)
	}
}

// Input that a machine has not read when it stops stays for the next reader of the
// terminal.
func TestStopLeavesTypeAhead(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	master, tty := openTerminal(t)
	dup, err := unix.Dup(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	next := os.NewFile(uintptr(dup), "next")
	defer next.Close()
	report := make(chan heardAll, 1)
	k := netKind(t, reactor.Options{}, reactor.Row[listening, reactor.None]{Wait: port0.Readable(),
		OnReady: func(m *listening, cx *netCx, _ reactor.Ready) fsm.State {
			var b [100]byte
			n, _ := cx.Read(port0, b[:])
			if n == 0 {
				return fsm.Stay
			}
			m.report <- heardAll{b: append(m.b, b[:n]...)}
			return fsm.Stop
		}})
	master.Write([]byte("mine\nyours\n"))
	if _, err := k.Adopt(l, tty, listening{report: report}); err != nil {
		t.Fatal(err)
	}
	if got := await(t, "the machine's report", report); string(got.b) != "mine\n" {
		t.Errorf("the machine: got %q, want \"mine\\n\"", got.b)
	}
	eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
	b := make([]byte, 100)
	n, err := unix.Read(dup, b)
	if err != nil || string(b[:n]) != "yours\n" {
		t.Errorf("the next reader: got %q, %v, want \"yours\\n\"", b[:max(n, 0)], err)
	}
}

// While a machine that has stopped waits for a terminal that takes no more, the loop
// sleeps: the terminal's input is not read, and causes no turns.
func TestStoppedTerminalSleeps(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	_, tty := openTerminal(t)
	ended := newEnds()
	k := netKind(t, reactor.Options{Linger: 100 * time.Millisecond, WriteBuffer: 1 << 20, OnEnd: ended.add}, reactor.Row[struct{}, reactor.None]{Wait: port0.Writable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			return cx.Stop(cx.Write(port0, make([]byte, 1<<19)))
		}})
	if _, err := k.Adopt(l, tty, struct{}{}); err != nil {
		t.Fatal(err)
	}
	ended.next(t)
	time.Sleep(50 * time.Millisecond) // in which it should not spin: Linger is twice that
	if turns := stats(t, l).Turns; turns > 10 {
		t.Errorf("got %d turns while the machine waits, want 10 at most", turns)
	}
	eventually(t, "the machine is cut off", func() bool { return stats(t, l).Lingered == 1 })
}
