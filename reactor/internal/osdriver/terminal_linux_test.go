package osdriver

import (
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// openTTY returns a pseudo-terminal. Its calls block.
func openTTY(t testing.TB) (master, tty int) {
	t.Helper()
	master, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { unix.Close(master) })
	n, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	tty, err = unix.Open("/dev/pts/"+strconv.Itoa(n), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { unix.Close(tty) })
	return master, tty
}

// A terminal is opened anew by its name, and no other device is.
func TestTerminalIsOpenedAnew(t *testing.T) {
	master, tty := openTTY(t)
	n, ok := reopen(tty, device)
	if !ok {
		t.Fatal("not opened")
	}
	defer unix.Close(n)
	if idOf(n) != idOf(tty) {
		t.Error("another terminal was opened")
	}
	if _, ok := reopen(master, device); ok {
		t.Error("a master was opened anew: that is another terminal")
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if _, ok := reopen(int(null.Fd()), device); ok {
		t.Error("a device that is no terminal was opened anew")
	}
}
