//go:build !unix && !windows && !plan9

package sig

// catchable is the set of signals that Notify accepts: none, as this system does not
// send signals.
const catchable Set = 0
