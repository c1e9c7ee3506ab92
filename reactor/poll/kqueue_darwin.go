package poll

import "golang.org/x/sys/unix"

// numbers are the kernel's numbers of the filters.
var numbers = [allFilters]int{
	readFilter:   unix.EVFILT_READ,
	writeFilter:  unix.EVFILT_WRITE,
	exceptFilter: unix.EVFILT_EXCEPT,
	userFilter:   unix.EVFILT_USER,
}

// The kernel's bits for noteOOB and noteTrigger, 0 if it has none.
const (
	oob     = unix.NOTE_OOB
	trigger = unix.NOTE_TRIGGER
)
