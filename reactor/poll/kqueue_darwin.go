package poll

import "golang.org/x/sys/unix"

// numbers are the kernel's for the filters.
var numbers = [allFilters]int{
	readFilter:   unix.EVFILT_READ,
	writeFilter:  unix.EVFILT_WRITE,
	exceptFilter: unix.EVFILT_EXCEPT,
	userFilter:   unix.EVFILT_USER,
}

// What the kernel has for noteOOB and noteTrigger, 0 for nothing.
const (
	oob     = unix.NOTE_OOB
	trigger = unix.NOTE_TRIGGER
)
