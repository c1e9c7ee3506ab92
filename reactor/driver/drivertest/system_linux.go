package drivertest

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const abstractNames = true

// interruptThreads sends SIGURG to all threads, as it does not know which one waits.
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
