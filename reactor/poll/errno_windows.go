package poll

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
)

// named gives an error of a registration its name. The system's stays in reach of
// errors.Is.
func named(err error) error {
	switch {
	case errors.Is(err, windows.ERROR_INVALID_HANDLE):
		return fmt.Errorf("%w (%w)", ErrBadDescriptor, err)
	case errors.Is(err, windows.WSAENOTSOCK):
		return fmt.Errorf("%w (%w)", ErrNotPollable, err)
	}
	return err
}
