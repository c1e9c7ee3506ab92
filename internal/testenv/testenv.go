// Package testenv reports what the environment asks of the tests of this module.
package testenv

import "os"

// Long reports whether tests are to run at full length: more seeds, more rounds,
// longer stress. Without it a package's tests take about a second. Set STATOR_LONG=1
// to get it; CI does.
func Long() bool { return os.Getenv("STATOR_LONG") == "1" }

// Pick returns long if Long reports true, and short otherwise. It is for counts and
// durations: rounds := testenv.Pick(100, 10_000).
func Pick[T any](short, long T) T {
	if Long() {
		return long
	}
	return short
}

// ShortSearches has fuzz.Run make fewer runs than by default, unless Long reports true
// or the environment has a budget. A package's TestMain calls it.
func ShortSearches() {
	if !Long() && os.Getenv("FUZZ_RUNS") == "" && os.Getenv("FUZZ_TIME") == "" {
		os.Setenv("FUZZ_RUNS", "300")
	}
}
