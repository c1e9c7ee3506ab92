package poll

import "golang.org/x/sys/unix"

// numbers are the kernel's for the filters. It has EVFILT_USER since
// OpenBSD 7.8 alone, which package unix does not know.
var numbers = [allFilters]int{
	readFilter:   unix.EVFILT_READ,
	writeFilter:  unix.EVFILT_WRITE,
	exceptFilter: unix.EVFILT_EXCEPT,
	userFilter:   absent,
}

// What the kernel has for noteOOB and noteTrigger, 0 for nothing.
const (
	oob     = unix.NOTE_OOB
	trigger = 0
)
