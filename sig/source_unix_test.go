//go:build unix

package sig_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/sig"
)

const (
	usr1 = syscall.SIGUSR1
	usr2 = syscall.SIGUSR2
	// The signals that tests send many times. One of them may be handled by another
	// thread after the end of its test; it must not be mistaken for usr1 or usr2.
	many1 = syscall.SIGALRM
	many2 = syscall.SIGVTALRM
)

// timeout bounds the wait for something that must happen.
const timeout = 20 * time.Second

// kill sends a signal to this process.
func kill(tb testing.TB, s syscall.Signal) {
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		tb.Error(err)
	}
}

func notify(tb testing.TB, src *sig.Source, signals ...os.Signal) {
	tb.Helper()
	if err := src.Notify(sig.Of(signals...)); err != nil {
		tb.Fatal(err)
	}
}

// guard returns a Source that keeps signals from ending the test binary while other
// Sources are closed. Its Pending shows which signals have come.
func guard(tb testing.TB, signals ...os.Signal) *sig.Source {
	tb.Helper()
	src := open(tb, func() {})
	notify(tb, src, signals...)
	return src
}

// pending waits until all of the given signals are pending. It polls, as a Source
// calls wake only for the first of several signals.
func pending(tb testing.TB, src *sig.Source, signals ...os.Signal) {
	tb.Helper()
	want := sig.Of(signals...)
	for end := time.Now().Add(timeout); src.Pending()&want != want; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			tb.Fatalf("pending %v after %v, want %v", src.Pending(), timeout, want)
		}
	}
}

func TestTake(t *testing.T) {
	woken := make(chan struct{}, 1)
	src := open(t, func() { woken <- struct{}{} })
	notify(t, src, usr1, usr2)
	for range 3 {
		for _, s := range []syscall.Signal{usr1, usr2} {
			if !src.Empty() || src.Take() != 0 {
				t.Fatal("a signal is pending before one was sent")
			}
			kill(t, s)
			select {
			case <-woken:
			case <-time.After(timeout):
				t.Fatalf("no wake after %v", s)
			}
			if src.Empty() {
				t.Fatal("Empty after a wake")
			}
			if got := src.Take(); got != sig.Of(s) {
				t.Fatalf("Take = %v, want %v", got, s)
			}
		}
	}
}

// TestCoalesced sends many signals between two calls of Take, which cause one wake.
func TestCoalesced(t *testing.T) {
	var wakes atomic.Int64
	src := open(t, func() { wakes.Add(1) })
	notify(t, src, many1)
	notify(t, src, many1, many2) // asking twice changes nothing
	for range 100 {
		kill(t, many1)
	}
	kill(t, many2)
	pending(t, src, many1, many2)
	if n := wakes.Load(); n != 1 {
		t.Errorf("%d wakes, want 1", n)
	}
	if got := src.Take(); got != sig.Of(many1, many2) {
		t.Errorf("Take = %v, want %v", got, sig.Of(many1, many2))
	}
}

// TestFloodHidesNothing sends a signal while another one is sent all the time.
func TestFloodHidesNothing(t *testing.T) {
	src := open(t, func() {})
	notify(t, src, many1, many2)
	var stop atomic.Bool
	var flood sync.WaitGroup
	flood.Go(func() {
		for !stop.Load() {
			kill(t, many1)
		}
	})
	for range 20 {
		kill(t, many2)
		pending(t, src, many2)
		src.Take()
	}
	stop.Store(true)
	flood.Wait()
}

func TestTwoSources(t *testing.T) {
	a, b := open(t, func() {}), open(t, func() {})
	notify(t, a, usr1)
	notify(t, b, usr1, usr2)
	kill(t, usr1)
	kill(t, usr2)
	pending(t, a, usr1)
	pending(t, b, usr1, usr2)
	if got := a.Take(); got != sig.Of(usr1) {
		t.Errorf("Take = %v, want %v, the only signal asked for", got, usr1)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b.Take()
	kill(t, usr1)
	pending(t, b, usr1)
	if !a.Empty() {
		t.Error("a closed Source received a signal")
	}
}

// TestAllOrNothing asks for a signal together with two that cannot be caught.
func TestAllOrNothing(t *testing.T) {
	src := open(t, func() {})
	err := src.Notify(sig.Of(usr1, syscall.SIGKILL, syscall.SIGSTOP))
	if !errors.Is(err, sig.ErrUncatchable) {
		t.Fatal(err)
	}
	text := err.Error()
	if !strings.Contains(text, syscall.SIGKILL.String()) || !strings.Contains(text, syscall.SIGSTOP.String()) ||
		strings.Contains(text, usr1.String()) {
		t.Errorf("%q: want the names of the two signals that cannot be caught, and no other", text)
	}
	if n := watchers(); n != 0 {
		t.Errorf("a Notify that failed asked for %d signals", n)
	}
}

// watchers returns the number of goroutines of all Sources.
func watchers() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return strings.Count(string(stacks), "sig.(*Source).watch(")
}

func TestNothingAfterClose(t *testing.T) {
	g := guard(t, usr1)
	var wakes atomic.Int64
	src := open(t, func() { wakes.Add(1) })
	notify(t, src, usr1, usr2)
	kill(t, usr1)
	pending(t, src, usr1)
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	if n := watchers(); n != 1 {
		t.Errorf("%d goroutines, want 1, that of the guard", n)
	}
	before := wakes.Load()
	g.Take()
	kill(t, usr1)
	pending(t, g, usr1)
	if !src.Empty() || src.Take() != 0 || wakes.Load() != before {
		t.Errorf("after Close: pending %v, %d more wakes", src.Pending(), wakes.Load()-before)
	}
}

// TestCloseAmidSignals opens and closes Sources while signals are sent all the time.
func TestCloseAmidSignals(t *testing.T) {
	guard(t, many1, many2)
	var stop atomic.Bool
	var senders sync.WaitGroup
	for _, s := range []syscall.Signal{many1, many2} {
		senders.Go(func() {
			for !stop.Load() {
				kill(t, s)
				runtime.Gosched()
			}
		})
	}
	for round := range 50 {
		var closed atomic.Bool
		var late atomic.Int64
		src := open(t, func() {
			if closed.Load() {
				late.Add(1)
			}
		})
		notify(t, src, many1)
		notify(t, src, many2)
		if round%2 == 0 {
			pending(t, src, many1)
			src.Take()
		}
		if err := src.Close(); err != nil {
			t.Fatal(err)
		}
		closed.Store(true)
		if !src.Empty() || src.Take() != 0 {
			t.Fatalf("round %d: %v is pending after Close", round, src.Pending())
		}
		runtime.Gosched()
		if late.Load() != 0 {
			t.Fatalf("round %d: wake was called after Close", round)
		}
	}
	stop.Store(true)
	senders.Wait()
}

// TestDefaultAfterClose runs this test binary as a child. The child must survive a
// signal that it asked for, and be killed by the same signal after Close.
func TestDefaultAfterClose(t *testing.T) {
	const role = "STATOR_SIG_CHILD"
	if os.Getenv(role) != "" {
		src := open(t, func() {})
		notify(t, src, syscall.SIGTERM)
		kill(t, syscall.SIGTERM)
		pending(t, src, syscall.SIGTERM)
		fmt.Println("survived")
		if err := src.Close(); err != nil {
			t.Fatal(err)
		}
		kill(t, syscall.SIGTERM)
		time.Sleep(timeout) // the signal ends the process in this time
		os.Exit(0)          // which the parent reports as a failure
	}
	child := exec.Command(os.Args[0], "-test.run=^TestDefaultAfterClose$")
	child.Env = append(os.Environ(), role+"=1")
	out, err := child.CombinedOutput()
	if !strings.Contains(string(out), "survived") {
		t.Errorf("the child did not survive the first signal:\n%s", out)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("the child was not killed: %v\n%s", err, out)
	}
	if status := exit.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("the child ended with %v, want it killed by %v\n%s", exit, syscall.SIGTERM, out)
	}
}

func TestNoAllocs(t *testing.T) {
	woken := make(chan struct{}, 1)
	src := open(t, func() { woken <- struct{}{} })
	notify(t, src, usr1, usr2)
	allocs := testing.AllocsPerRun(200, func() {
		kill(t, usr1)
		<-woken
		if src.Take() != sig.Of(usr1) {
			t.Error("Take returned a signal other than the one sent")
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations per signal, want 0", allocs)
	}
}

// BenchmarkSignal measures a signal to this process, from kill to Take.
func BenchmarkSignal(b *testing.B) {
	woken := make(chan struct{}, 1)
	src := open(b, func() { woken <- struct{}{} })
	notify(b, src, usr1)
	b.ReportAllocs()
	for b.Loop() {
		kill(b, usr1)
		<-woken
		src.Take()
	}
}

// BenchmarkTakeNothing measures what a loop pays when no signal came.
func BenchmarkTakeNothing(b *testing.B) {
	src := open(b, func() {})
	b.ReportAllocs()
	for b.Loop() {
		if src.Take() != 0 {
			b.Fatal("Take returned a signal that was not sent")
		}
	}
}
