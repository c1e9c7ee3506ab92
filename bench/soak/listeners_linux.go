package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"github.com/stator-go/stator/reactor"
)

// listeners are closed and opened again while clients dial their address. Of TCP the other
// loop listens meanwhile, so that no client is refused; a unix socket is not there for a
// moment.
func listeners(network string) func(*server) (load, error) {
	return func(s *server) (load, error) {
		k := newEcho(s.tally, network, time.Minute, peerEnds...)
		at := "127.0.0.1:0"
		var open [2]*reactor.Listener
		var err error
		if network == "unix" {
			at = filepath.Join(s.dir, "listeners")
			open[0], err = k.Listen(s.loops[0], network, at, echo{})
		} else {
			for i := range open {
				if open[i], err = k.Listen(s.loops[i], network, at, echo{}); err != nil {
					return nil, err
				}
				at = open[i].String()
			}
		}
		s.atEnd(s.fewResets)
		now := 0 // the loop whose listener is closed next
		reopen := func(w *worker) (err error) {
			if err := open[now].Close(s.loops[now]); err != nil {
				return err
			}
			next := now
			if network == "unix" {
				next = 1 - now
			}
			if open[next], err = k.Listen(s.loops[next], network, at, echo{}); err != nil {
				return err
			}
			now = 1 - now
			w.note("times closed and opened")
			return nil
		}
		return func(w *worker) error {
			if w.id == 0 {
				w.pause(100 * time.Millisecond)
				return reopen(w)
			}
			c, err := dial(network, at)
			if network == "unix" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)) {
				w.note("refused")
				return nil
			}
			if err == nil {
				defer c.Close()
				err = w.exchange(c, 1000)
			}
			if wasCut(err) || errors.Is(err, io.EOF) {
				w.note("reset before a reply") // it came between the last accept and the close
				return nil
			}
			return err
		}, err
	}
}

// resetShare is how many of the clients may be reset as a listener closes, in thousandths.
const resetShare = 5

func (t *tally) fewResets() error {
	if n := t.noted("reset before a reply"); n*1000 > t.done*resetShare+1000 {
		return fmt.Errorf("%s: %d of %d clients were reset: want at most %d in a thousand", t.name, n, t.done, resetShare)
	}
	return nil
}
