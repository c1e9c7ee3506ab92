package reactor_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// A descriptor of a process is readable when the process has ended, and not before.
func TestAdoptProcess(t *testing.T) {
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Skip(err)
	}
	defer child.Wait()
	defer in.Close()
	fd, err := unix.PidfdOpen(child.Process.Pid, 0)
	if err != nil {
		t.Skip(err)
	}
	l := netLoop(t, reactor.Config{})
	ended := make(chan struct{}, 1)
	k := netKind(t, reactor.Options{}, reactor.Row[empty, reactor.None]{Wait: port0.Readable(),
		OnReady: func(*empty, *netCx, reactor.Ready) fsm.State { ended <- struct{}{}; return fsm.Stop }})
	if _, err := k.Adopt(l, os.NewFile(uintptr(fd), "process"), empty{}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
		t.Fatal("readable while the process lives")
	case <-time.After(30 * time.Millisecond):
	}
	in.Close()
	await(t, "a report", ended)
}
