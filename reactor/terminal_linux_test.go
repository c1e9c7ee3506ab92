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

// Terminals, as Linux makes pseudo ones.

// openTerminal opens a pseudo-terminal.
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

// A terminal gives its input a line a read: a short read proves nothing.
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
	master.SetDeadline(time.Now().Add(netPatience))
	if _, err := master.Write([]byte("one\ntwo\nthree\n")); err != nil {
		t.Fatal(err)
	}
	if got := netTake(t, report); string(got.b) != "one\ntwo\nthree\n" {
		t.Errorf("it read %q", got.b)
	}
	var said []byte
	for b := make([]byte, 100); !bytes.Contains(said, []byte("thanks")); {
		n, err := master.Read(b)
		if said = append(said, b[:n]...); err != nil {
			t.Fatalf("%q, %v", said, err)
		}
	}
	netWait(t, "the machine ended", func() bool { return netStats(t, l).Machines == 0 })

	// The other end goes: that is the end.
	master, tty = openTerminal(t)
	if _, err := listeningTo(t).Adopt(l, tty, listening{report: report}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond)
	master.Close()
	if got := netTake(t, report); got.err != io.EOF {
		t.Errorf("the terminal went: %v: want io.EOF", got.err)
	}
}

// What is typed ahead stays for the next reader of the terminal.
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
	if got := netTake(t, report); string(got.b) != "mine\n" {
		t.Errorf("it read %q", got.b)
	}
	netWait(t, "the machine ended", func() bool { return netStats(t, l).Machines == 0 })
	b := make([]byte, 100)
	n, err := unix.Read(dup, b)
	if err != nil || string(b[:n]) != "yours\n" {
		t.Errorf("left for the next: %q, %v", b[:max(n, 0)], err)
	}
}

// A stopping machine whose terminal takes no more sleeps until it does: its input is
// left alone, and is nothing to do.
func TestStoppedTerminalSleeps(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	_, tty := openTerminal(t)
	k := netKind(t, reactor.Options{Linger: 300 * time.Millisecond, WriteBuffer: 1 << 20}, reactor.Row[struct{}, reactor.None]{Wait: port0.Writable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			return cx.Stop(cx.Write(port0, make([]byte, 1<<19)))
		}})
	if _, err := k.Adopt(l, tty, struct{}{}); err != nil {
		t.Fatal(err)
	}
	netWait(t, "the machine was cut off", func() bool { return netStats(t, l).Lingered == 1 })
	if s := netStats(t, l); s.Turns > 3000 { // some for each look of netWait
		t.Errorf("%d turns in 300 ms", s.Turns)
	}
}
