package drivertest

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const abstractNames = true

// interruptThreads sends SIGURG to every thread, as the one that waits is not
// known.
func interruptThreads() error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil {
			return err
		}
		if err := unix.Tgkill(os.Getpid(), tid, unix.SIGURG); err != nil && err != unix.ESRCH {
			return err
		}
	}
	return nil
}
