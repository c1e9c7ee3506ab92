package main

import (
	"testing"
	"time"
)

// All roles work for a moment, and nothing is left.
func TestSoak(t *testing.T) {
	wrong, err := soak(t.Context(), config{
		length:        3 * time.Second,
		report:        time.Second,
		rate:          0.4,       // so that the race detector keeps up,
		residentSlack: 256 << 20, // which remembers what was used
	}, t.Output())
	if err != nil || wrong > 0 {
		t.Errorf("%d wrong, %v", wrong, err)
	}
}

// The histogram returns a time that is at most an eighth too large.
func TestLatencies(t *testing.T) {
	for _, d := range []time.Duration{0, time.Microsecond, 15 * time.Microsecond, 16 * time.Microsecond, 999 * time.Microsecond, time.Hour} {
		var l latencies
		l.add(d)
		l.add(2 * time.Hour)
		if got := l.at(.49); got < d || got > d+d/8+time.Microsecond {
			t.Errorf("%v: got %v", d, got)
		}
	}
}
