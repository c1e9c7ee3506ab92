package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// residue is what the process has.
type residue struct {
	files, goroutines int
	heap, resident    int64 // bytes, after a garbage collection
}

// heapSlack is how much more heap than at the start the process may have at the end. Files
// and goroutines must be as many as before.
const heapSlack = 4 << 20

func measure() (r residue) {
	runtime.GC()
	runtime.GC() // finalizers of the first have run
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.heap, r.resident = int64(m.HeapAlloc), resident()
	r.goroutines = runtime.NumGoroutine()
	r.files = files()
	return r
}

// settle measures until files and goroutines are as few as before, for 5 s at most:
// goroutines of the resolver and of package net end a little later than their callers.
func settle(before residue, residentSlack int64) residue {
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if r := measure(); len(r.beyond(before, residentSlack)) == 0 || time.Now().After(end) {
			return r
		}
	}
}

// beyond lists what is more than before.
func (r residue) beyond(before residue, residentSlack int64) (list []string) {
	for _, c := range []struct {
		what              string
		got, before, more int64
	}{
		{"descriptors", int64(r.files), int64(before.files), 0},
		{"goroutines", int64(r.goroutines), int64(before.goroutines), 0},
		{"bytes of heap", r.heap, before.heap, heapSlack},
		{"resident bytes", r.resident, before.resident, residentSlack},
	} {
		if c.got > c.before+c.more {
			list = append(list, fmt.Sprintf("left: %d %s, %d before: want at most %d more", c.got, c.what, c.before, c.more))
		}
	}
	return list
}

func (r residue) String() string {
	return fmt.Sprintf("%d descriptors, %d goroutines, heap %.1f MiB, resident %.1f MiB",
		r.files, r.goroutines, mib(r.heap), mib(r.resident))
}

// files returns how many descriptors are open.
func files() int {
	list, _ := os.ReadDir("/proc/self/fd")
	return len(list) - 1 // that of the folder itself
}

func resident() int64 {
	text, _ := os.ReadFile("/proc/self/statm")
	if f := strings.Fields(string(text)); len(f) > 1 {
		pages, _ := strconv.ParseInt(f[1], 10, 64)
		return pages * int64(os.Getpagesize())
	}
	return 0
}

// processorTime returns what the process has used, in user and system mode.
func processorTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func mib[N int | int64 | uint64](n N) float64 { return float64(n) / (1 << 20) }
