package main

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"testing"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// Both programs print that the pipe is readable, with its token, and what came.
func TestOutput(t *testing.T) {
	for _, c := range []struct {
		name    string
		program func(io.Writer) error
		want    string
	}{
		{"machine", withMachine, `^The pipe is readable: \S+\nhello\n$`},
		{"poller", withPoller, `^The pipe is readable: ` + regexp.QuoteMeta(poll.Token(7).String()) + `\nhello\n$`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := c.program(&out)
			if errors.Is(err, reactor.ErrUnsupported) || errors.Is(err, poll.ErrUnsupported) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(c.want).Match(out.Bytes()) {
				t.Errorf("printed %q; want %s", out.String(), c.want)
			}
		})
	}
}
