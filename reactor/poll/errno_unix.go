//go:build unix

package poll

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// wrapErrno wraps an errno of a registration together with the error of this package that
// it means.
func wrapErrno(err error) error {
	switch err {
	case unix.EEXIST:
		return fmt.Errorf("%w (%w)", ErrExist, err)
	case unix.ENOENT:
		return fmt.Errorf("%w (%w)", ErrNotExist, err)
	case unix.EPERM, unix.EINVAL, unix.ENODEV: // epoll returns the first, kqueues the others for devices
		return fmt.Errorf("%w (%w)", ErrNotPollable, err)
	case unix.EBADF:
		return fmt.Errorf("%w (%w)", ErrBadDescriptor, err)
	}
	return err
}
