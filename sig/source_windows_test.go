package sig_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/sig"
)

// event makes a console event happen to this process alone, whether it has a
// console or not, in the way that the console does: by a thread that begins in the
// system's routine for it.
func event(t *testing.T, event uintptr) {
	t.Helper()
	routine := windows.NewLazySystemDLL("kernelbase.dll").NewProc("CtrlRoutine")
	thread, _, err := windows.NewLazySystemDLL("kernel32.dll").NewProc("CreateThread").Call(0, 0, routine.Addr(), event, 0, 0)
	if thread == 0 {
		t.Fatal("CreateThread:", err)
	}
	windows.CloseHandle(windows.Handle(thread))
}

// TestConsoleEvents makes each kind of console event, and what Notify accepts is
// what they bring.
func TestConsoleEvents(t *testing.T) {
	for _, tc := range []struct {
		name  string
		event uintptr
		want  syscall.Signal
	}{
		{"Ctrl-C", windows.CTRL_C_EVENT, syscall.SIGINT},
		{"Ctrl-Break", windows.CTRL_BREAK_EVENT, syscall.SIGINT},
		{"console closed", windows.CTRL_CLOSE_EVENT, syscall.SIGTERM},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bell := make(chan struct{}, 1)
			src := open(t, func() { bell <- struct{}{} })
			if err := src.Notify(sig.Catchable()); err != nil {
				t.Fatal(err)
			}
			event(t, tc.event)
			select {
			case <-bell:
			case <-time.After(10 * time.Second):
				t.Fatal("no wake")
			}
			if got := src.Take(); got != sig.Of(tc.want) {
				t.Errorf("took %v: want %v", got, tc.want)
			}
		})
	}
}

func TestCatchable(t *testing.T) {
	if got := sig.Catchable(); got != sig.Of(os.Interrupt, syscall.SIGTERM) {
		t.Errorf("catchable: %v", got)
	}
	src := open(t, func() {})
	if err := src.Notify(sig.Of(syscall.SIGHUP)); err == nil {
		t.Error("SIGHUP can be asked for: want an error, as nothing sends it")
	}
}
