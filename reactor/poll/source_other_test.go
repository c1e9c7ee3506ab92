//go:build !windows

package poll_test

import (
	"os"
	"testing"
)

// source returns a descriptor that becomes readable when w is written to.
func source(t testing.TB) (w *os.File, fd int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return w, number(t, r)
}
