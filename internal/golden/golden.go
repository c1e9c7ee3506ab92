// Package golden compares the output of tests with files in their testdata.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the output of tests to testdata, for review")

// Check reports an error if got differs from the file of that name in testdata; CRLF
// in the file is equal to LF. With go test -update, Check writes got to the file first.
func Check(t testing.TB, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.ReplaceAll(string(want), "\r\n", "\n"); got != want {
		t.Errorf("%s differs (-update writes it); got:\n%s\nwant:\n%s", path, got, want)
	}
}
