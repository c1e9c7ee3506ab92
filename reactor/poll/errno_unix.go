//go:build unix

package poll

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// named gives an errno of a registration its name. The errno stays in reach of
// errors.Is.
func named(err error) error {
	switch err {
	case unix.EEXIST:
		return fmt.Errorf("%w (%w)", ErrExist, err)
	case unix.ENOENT:
		return fmt.Errorf("%w (%w)", ErrNotExist, err)
	case unix.EPERM, unix.EINVAL, unix.ENODEV: // epoll's answer, and those of kqueues, to a device
		return fmt.Errorf("%w (%w)", ErrNotPollable, err)
	case unix.EBADF:
		return fmt.Errorf("%w (%w)", ErrBadDescriptor, err)
	}
	return err
}
