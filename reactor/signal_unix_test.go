//go:build unix

package reactor_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/stator-go/stator/reactor"
)

// The operating system's driver brings its signals until the loop ends.
func TestSystemSignals(t *testing.T) {
	l := system(t, reactor.Config{})
	one, _ := newGuard(t, l, 1<<syscall.SIGUSR1)
	both, _ := newGuard(t, l, 1<<syscall.SIGUSR1|1<<syscall.SIGUSR2)
	raise(t, syscall.SIGUSR1)
	one.hears(t, 1<<syscall.SIGUSR1)
	both.hears(t, 1<<syscall.SIGUSR1)
	raise(t, syscall.SIGUSR2)
	both.hears(t, 1<<syscall.SIGUSR2)
	g := guard{1 << syscall.SIGKILL, make(chan reactor.Signals, 1), make(chan error, 1)}
	spawn(t, l, guards(t), g)
	if err := await(t, "Notify", g.err); err == nil {
		t.Error("SIGKILL is caught")
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	raise(t, syscall.SIGUSR1) // nothing happens: Go's own effect is back
}

func raise(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Fatal(err)
	}
}
