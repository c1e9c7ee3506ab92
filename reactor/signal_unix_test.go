//go:build unix

package reactor_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/sig"
)

// The operating system's driver delivers signals until the loop ends.
func TestSystemSignals(t *testing.T) {
	l := system(t, reactor.Config{})
	one, _ := newGuard(t, l, 1<<syscall.SIGUSR1)
	both, _ := newGuard(t, l, 1<<syscall.SIGUSR1|1<<syscall.SIGUSR2)
	raise(t, syscall.SIGUSR1)
	one.wants(t, 1<<syscall.SIGUSR1)
	both.wants(t, 1<<syscall.SIGUSR1)
	raise(t, syscall.SIGUSR2)
	both.wants(t, 1<<syscall.SIGUSR2)
	g := guard{1 << syscall.SIGKILL, make(chan sig.Set, 1), make(chan error, 1)}
	spawn(t, l, guards(t), g)
	if err := await(t, "Notify", g.err); err == nil {
		t.Error("Notify of SIGKILL: got no error, want one")
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close: got %v, want no error", err)
	}
	raise(t, syscall.SIGUSR1) // without a loop Go ignores it
	if len(one.came)+len(both.came) != 0 {
		t.Errorf("got %d sets more, want 0", len(one.came)+len(both.came))
	}
}

func raise(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Fatal(err)
	}
}
