package driver_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/driver"
)

func TestExhausted(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{driver.ErrFull, true},
		{errno.EMFILE, true},
		{errno.ENFILE, true},
		{errno.ENOMEM, true},
		{errno.ENOBUFS, true},
		{driver.ErrRefused, false},
		{driver.ErrUnsupported, false},
		{errno.ECONNABORTED, false},
		{io.EOF, false},
		{nil, false},
	} {
		if got := driver.Exhausted(c.err); got != c.want {
			t.Errorf("%v: got %t, want %t", c.err, got, c.want)
		}
		if c.err == nil {
			continue
		}
		wrapped := fmt.Errorf("accept: %w", errors.Join(io.ErrNoProgress, os.NewSyscallError("accept4", c.err)))
		if got := driver.Exhausted(wrapped); got != c.want {
			t.Errorf("%v, wrapped: got %t, want %t", c.err, got, c.want)
		}
	}
}
