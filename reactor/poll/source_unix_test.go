//go:build unix

package poll_test

import (
	"io"
	"os"
	"testing"
)

// source is the number of a descriptor that becomes readable when w is written to.
func source(t testing.TB) (w io.Writer, fd int) {
	t.Helper()
	r, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		wr.Close()
	})
	return wr, number(t, r)
}
