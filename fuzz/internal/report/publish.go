package report

import (
	"cmp"
	"flag"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
)

// dirFlag is -fuzz.report. Only tests have it: a program that imports package fuzz has
// flags of its own.
var dirFlag string

func init() {
	if testing.Testing() {
		flag.StringVar(&dirFlag, "fuzz.report", "", "write a report of each fuzz.Run into this `directory`, as FUZZ_REPORT does")
	}
}

// Dir returns the directory that reports are to be written to; empty: none.
func Dir() string { return cmp.Or(dirFlag, os.Getenv("FUZZ_REPORT")) }

// TestName returns a name for the report of a test, with its package as far as that is
// not the module's: reports of many packages may go to one directory.
func TestName(test string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		test = strings.TrimPrefix(testPackage(), info.Main.Path) + "." + test
	}
	return strings.TrimLeft(test, "/.")
}

// Command returns the command that runs a test again.
func Command(test string) string {
	parts := strings.Split(test, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.TrimSpace("go test -run '" + strings.Join(parts, "/") + "' " + testPackage())
}

// testPackage returns the package that is tested; empty if it is not known.
func testPackage() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return strings.TrimSuffix(info.Path, ".test")
}
