package main

import (
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stator-go/stator/reactor"
)

// tally counts what a role has done and what went wrong. Workers and handlers of both loops
// use it.
type tally struct {
	name string

	mu          sync.Mutex
	done, bytes int64
	all, recent latencies // of the whole round, and since the last line of the report
	notes       map[string]int64
	errors      map[string]int64
	told        map[string]bool // errors that news has returned
}

func newTally(name string) *tally {
	return &tally{name: name, notes: map[string]int64{}, errors: map[string]int64{}, told: map[string]bool{}}
}

// count adds one unit of work.
func (t *tally) count(bytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done++
	t.bytes += int64(bytes)
}

func (t *tally) took(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recent.add(d)
}

// note counts something that may happen and is worth a word in the table.
func (t *tally) note(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notes[what]++
}

func (t *tally) noted(what string) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.notes[what]
}

// fail counts an error that must not happen.
func (t *tally) fail(err error) {
	text := err.Error()
	if op := (*net.OpError)(nil); errors.As(err, &op) { // without the addresses, so that equal errors are one
		text = strings.Replace(text, op.Error(), op.Op+" "+op.Net+": "+op.Err.Error(), 1)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errors[text]++
}

// ends is for Options.OnEnd: any other reason than those expected is an error.
func (t *tally) ends(expected ...error) func(reactor.Token, error) {
	return func(_ reactor.Token, reason error) {
		if reason == nil || slices.ContainsFunc(expected, func(e error) bool { return errors.Is(reason, e) }) {
			return
		}
		t.fail(fmt.Errorf("a machine ended: %w", reason))
	}
}

// cut moves what came since the last line to the totals, and returns it.
func (t *tally) cut() latencies {
	t.mu.Lock()
	defer t.mu.Unlock()
	recent := t.recent
	t.all.merge(&recent)
	t.recent = latencies{}
	return recent
}

func (t *tally) failures() (n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.errors {
		n += k
	}
	return n
}

// news returns the errors that are new since the last call.
func (t *tally) news() (list []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for text := range t.errors {
		if !t.told[text] {
			t.told[text] = true
			list = append(list, t.name+": "+text)
		}
	}
	return list
}

func (t *tally) list() (list []string) {
	for _, text := range slices.Sorted(maps.Keys(t.errors)) {
		list = append(list, fmt.Sprintf("%s: %d times: %s", t.name, t.errors[text], text))
	}
	if t.done == 0 {
		list = append(list, t.name+": nothing was done")
	}
	return list
}

// latencies is a histogram of times from 1 µs on, each to an eighth of itself.
type latencies struct {
	n       [400]int64
	total   int64
	longest time.Duration
}

func (l *latencies) add(d time.Duration) {
	us := uint64(max(d, 0) / time.Microsecond)
	shift := max(bits.Len64(us)-4, 0)
	l.n[min(shift<<3+int(us>>shift), len(l.n)-1)]++
	l.total++
	l.longest = max(l.longest, d)
}

func (l *latencies) merge(m *latencies) {
	for i, n := range m.n {
		l.n[i] += n
	}
	l.total += m.total
	l.longest = max(l.longest, m.longest)
}

// at returns the time that a share of all took at most.
func (l *latencies) at(share float64) time.Duration {
	left := int64(share * float64(l.total))
	for i, n := range l.n {
		if left -= n; left < 0 {
			shift := max(i>>3-1, 0)
			return min(time.Duration((i-shift<<3+1)<<shift)*time.Microsecond, l.longest)
		}
	}
	return l.longest
}

func (l *latencies) String() string {
	if l.total == 0 {
		return "-"
	}
	ms := func(d time.Duration) string {
		if d >= 100*time.Millisecond {
			return fmt.Sprintf("%.0f", d.Seconds()*1000)
		}
		return fmt.Sprintf("%.2g", d.Seconds()*1000)
	}
	return ms(l.at(.5)) + " / " + ms(l.at(.99)) + " / " + ms(l.longest)
}
