//go:build !unix && !windows && !plan9

package sig

// catchable is what a program can ask for: nothing sends signals here.
const catchable Set = 0
