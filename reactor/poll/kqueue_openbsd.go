package poll

import "golang.org/x/sys/unix"

// numbers are the kernel's numbers of the filters. It has
// EVFILT_USER only since OpenBSD 7.8, and package unix does not define it.
var numbers = [allFilters]int{
	readFilter:   unix.EVFILT_READ,
	writeFilter:  unix.EVFILT_WRITE,
	exceptFilter: unix.EVFILT_EXCEPT,
	userFilter:   absent,
}

// The kernel's bits for noteOOB and noteTrigger, 0 if it has none.
const (
	oob     = unix.NOTE_OOB
	trigger = 0
)
