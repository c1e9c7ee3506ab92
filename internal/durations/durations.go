// Package durations formats durations for diagrams and reports.
package durations

import (
	"strings"
	"time"
)

// Short returns d as time.Duration.String does, without trailing zero minutes and
// seconds: "1m" instead of "1m0s", "2h" instead of "2h0m0s".
func Short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
