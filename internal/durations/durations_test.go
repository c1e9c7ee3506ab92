package durations_test

import (
	"testing"
	"time"

	"github.com/stator-go/stator/internal/durations"
)

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                               "0s",
		time.Second:                     "1s",
		10 * time.Second:                "10s",
		1500 * time.Millisecond:         "1.5s",
		time.Minute:                     "1m",
		10 * time.Minute:                "10m",
		time.Minute + time.Second:       "1m1s",
		time.Minute + 10*time.Second:    "1m10s",
		time.Hour:                       "1h",
		20 * time.Hour:                  "20h",
		time.Hour + 10*time.Minute:      "1h10m",
		time.Hour + time.Second:         "1h0m1s",
		90*time.Minute + time.Second:    "1h30m1s",
		time.Hour + 100*time.Nanosecond: "1h0m0.0000001s",
	} {
		if got := durations.Short(d); got != want {
			t.Errorf("Short(%v) = %q, want %q", d, got, want)
		}
	}
}
