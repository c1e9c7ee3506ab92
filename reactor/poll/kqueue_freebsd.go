package poll

import "golang.org/x/sys/unix"

// numbers are the kernel's for the filters. It has none for urgent
// data.
var numbers = [allFilters]int{
	readFilter:   unix.EVFILT_READ,
	writeFilter:  unix.EVFILT_WRITE,
	exceptFilter: absent,
	userFilter:   unix.EVFILT_USER,
}

// What the kernel has for noteOOB and noteTrigger, 0 for nothing.
const (
	oob     = 0
	trigger = unix.NOTE_TRIGGER
)
