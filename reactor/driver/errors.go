package driver

import (
	"errors"

	"github.com/stator-go/stator/internal/errno"
)

// Errors that a loop looks for, by errors.Is. Package reactor has them by the same
// names for its users.
var (
	ErrFull        = errors.New("full")    // the driver has no more rows for sockets
	ErrRefused     = errors.New("refused") // no listener at the address
	ErrUnsupported = errors.New("not supported on this platform")
	ErrNotPollable = errors.New("not a descriptor that can be waited for")
)

// Exhausted reports whether an error of Accept says that there are no descriptors, or
// no memory, for another connection.
func Exhausted(err error) bool {
	for _, e := range exhausted {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

var exhausted = [...]error{ErrFull, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}
