package conformance

import "errors"

// Plan 9 has texts in the place of numbers, and no backend that meets these.
var (
	errRefused  = errors.New("connection refused")
	errReset    = errors.New("connection reset")
	errPipe     = errors.New("broken pipe")
	errFiles    = errors.New("no descriptor left")
	errAllFiles = errors.New("no descriptor left in the system")
)

func errnoOf(error) string { return "" }
