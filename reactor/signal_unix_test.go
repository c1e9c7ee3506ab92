//go:build unix

package reactor_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/sig"
)

// The operating system's driver brings its signals until the loop ends.
func TestSystemSignals(t *testing.T) {
	l := system(t, reactor.Config{})
	usr1, usr2 := sig.Of(syscall.SIGUSR1), sig.Of(syscall.SIGUSR2)
	one, _ := newGuard(t, l, usr1)
	both, _ := newGuard(t, l, usr1|usr2)
	raise(t, syscall.SIGUSR1)
	one.hears(t, usr1)
	both.hears(t, usr1)
	raise(t, syscall.SIGUSR2)
	both.hears(t, usr2)
	g := guard{sig.Of(syscall.SIGKILL), make(chan sig.Set, 1), make(chan error, 1)}
	spawn(t, l, guards(t), g)
	if err := answer(t, "Notify", g.err); err == nil {
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
