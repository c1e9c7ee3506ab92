package poll

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
)

// wrapErrno wraps an error of a registration together with the error of this package that
// it means.
func wrapErrno(err error) error {
	switch {
	case errors.Is(err, windows.ERROR_INVALID_HANDLE):
		return fmt.Errorf("%w (%w)", ErrBadDescriptor, err)
	case errors.Is(err, windows.WSAENOTSOCK):
		return fmt.Errorf("%w (%w)", ErrNotPollable, err)
	}
	return err
}
