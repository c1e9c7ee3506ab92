package poll

import "golang.org/x/sys/unix"

// numbers are the kernel's numbers of the filters. It has none
// for urgent data.
var numbers = [allFilters]int{
	readFilter:   unix.EVFILT_READ,
	writeFilter:  unix.EVFILT_WRITE,
	exceptFilter: absent,
	userFilter:   unix.EVFILT_USER,
}

// The kernel's bits for noteOOB and noteTrigger, 0 if it has none.
const (
	oob     = 0
	trigger = unix.NOTE_TRIGGER
)
