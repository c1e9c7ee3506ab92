package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Pipes and FIFOs that a machine adopts.

const source, target reactor.Port = 0, 1

// copier copies one adopted file to another.
type copier struct{ to *os.File }

func newCopier(t *tally) *reactor.Kind[copier, reactor.None] {
	return reactor.Must(reactor.NewKind("copier", reactor.Options{Ports: []string{"source", "target"}, OnEnd: t.ends()},
		reactor.Table[copier, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop},
			{Name: "copying", Wait: source.Readable().While(target.Room()), Idle: fsm.After(time.Minute, fsm.Stop),
				OnEnter: func(c *copier, cx *plainCx) fsm.State { return cx.Fail(cx.Adopt(target, c.to)) },
				OnReady: func(_ *copier, cx *plainCx, _ reactor.Ready) fsm.State {
					_, err := cx.Copy(target, source)
					return cx.Fail(err)
				}},
		}))
}

// start makes a machine that copies r to a pipe, and returns the end that is left.
func (s *server) start(k *reactor.Kind[copier, reactor.None], loop int, r *os.File) (*os.File, error) {
	out, in, err := os.Pipe()
	if err != nil {
		r.Close()
		return nil, err
	}
	if _, err := k.Adopt(s.loops[loop], r, copier{in}); err != nil {
		return nil, errors.Join(err, r.Close(), in.Close(), out.Close())
	}
	return out, out.SetDeadline(time.Now().Add(patience))
}

// bothWays is what is written to one file and read from another.
type bothWays struct {
	io.Reader
	io.Writer
}

// pipes writes to a pipe, and reads what comes out at the other end of the machine.
func pipes(s *server) (load, error) {
	k := newCopier(s.tally)
	return func(w *worker) error {
		r, in, err := os.Pipe()
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := s.start(k, w.id%2, r)
		if err != nil {
			return err
		}
		defer out.Close()
		for range 10 {
			if err := w.exchange(bothWays{out, in}, 1+w.rand.IntN(32<<10)); err != nil {
				return err
			}
		}
		in.Close()
		return ended(out)
	}, nil
}

// fifos opens a FIFO that has no writer yet. The machine has to wait for one.
func fifos(s *server) (load, error) {
	k := newCopier(s.tally)
	return func(w *worker) error {
		path := filepath.Join(s.dir, fmt.Sprintf("fifo%d", w.id))
		if err := unix.Mkfifo(path, 0o600); err != nil {
			return err
		}
		defer os.Remove(path)
		r, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		out, err := s.start(k, w.id%2, r)
		if err != nil {
			return err
		}
		defer out.Close()
		w.pause(time.Duration(w.rand.IntN(20)) * time.Millisecond)
		in, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("open for writing: %w", err) // no reader: the machine is gone
		}
		defer in.Close()
		if err := w.exchange(bothWays{out, in}, 1+w.rand.IntN(4000)); err != nil {
			return err
		}
		in.Close()
		return ended(out)
	}, nil
}
