package sig_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/sig"
)

// event sends a console event to this process only, whether it has a console or not.
// It does what the console does: it starts a thread in the system's routine for
// console events.
func event(t *testing.T, event uintptr) {
	t.Helper()
	routine := windows.NewLazySystemDLL("kernelbase.dll").NewProc("CtrlRoutine")
	thread, _, err := windows.NewLazySystemDLL("kernel32.dll").NewProc("CreateThread").Call(0, 0, routine.Addr(), event, 0, 0)
	if thread == 0 {
		t.Fatal("CreateThread:", err)
	}
	windows.CloseHandle(windows.Handle(thread))
}

// TestConsoleEvents sends each kind of console event and expects the signal that the
// Go runtime turns it into.
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
			woken := make(chan struct{}, 1)
			src := open(t, func() { woken <- struct{}{} })
			if err := src.Notify(sig.Catchable()); err != nil {
				t.Fatal(err)
			}
			event(t, tc.event)
			select {
			case <-woken:
			case <-time.After(10 * time.Second):
				t.Fatal("no wake")
			}
			if got := src.Take(); got != sig.Of(tc.want) {
				t.Errorf("Take = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestCatchable(t *testing.T) {
	if got := sig.Catchable(); got != sig.Of(os.Interrupt, syscall.SIGTERM) {
		t.Errorf("Catchable = %v, want SIGINT and SIGTERM", got)
	}
	src := open(t, func() {})
	if err := src.Notify(sig.Of(syscall.SIGHUP)); err == nil {
		t.Error("Notify accepts SIGHUP, which nothing sends on Windows")
	}
}
