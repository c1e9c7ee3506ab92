package driver

import (
	"errors"

	"github.com/stator-go/stator/internal/errno"
)

// Errors that a driver returns, so that errors.Is finds them. It may wrap them, to add
// what was attempted and the system's own error. Package reactor has them by the same
// names for its users.
var (
	ErrFull        = errors.New("full")    // the driver's table of sockets is full
	ErrRefused     = errors.New("refused") // nothing listens at the address
	ErrUnsupported = errors.New("not supported on this platform")
	ErrNotPollable = errors.New("not a descriptor that can be waited for")
)

// Exhausted reports whether an error of Accept says that there is no descriptor, or
// no memory, for another connection: ErrFull, EMFILE, ENFILE, ENOMEM or ENOBUFS.
func Exhausted(err error) bool {
	for _, e := range exhausted {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

var exhausted = [...]error{ErrFull, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}
