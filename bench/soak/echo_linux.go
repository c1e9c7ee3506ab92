package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Connections that are echoed: pings, bulk, and those that end in all ways.

type echo struct{}

type plainCx = reactor.Context[reactor.None]

// newEcho makes the echo server. While the loop's buffers are used up, input waits.
func newEcho(t *tally, network string, idle time.Duration, ends ...error) *reactor.Kind[echo, reactor.None] {
	return reactor.Must(reactor.NewKind("echo", reactor.Options{Ports: []string{"peer"}, ReusePort: network == "tcp", OnEnd: t.ends(ends...)},
		reactor.Table[echo, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(30*time.Second, fsm.Stop)},
			{Name: "echoing", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(idle, fsm.Stop), OnReady: (*echo).ready},
		}))
}

func (*echo) ready(cx *plainCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err == nil {
		err = cx.Write(peer, in)
	}
	switch {
	case errors.Is(err, reactor.ErrFull) && len(in) > 0:
		return fsm.Stay // called again when there is room
	case err != nil:
		return cx.Fail(err)
	}
	cx.Discard(peer, len(in))
	return fsm.Stay
}

// echoes is a connection for each worker, on which it sends up to size bytes at each step.
func echoes(network string, size int) func(*server) (load, error) {
	return func(s *server) (load, error) {
		k := newEcho(s.tally, network, time.Minute)
		var at string
		var err error
		if network == "tcp" {
			at, err = listen(s, k, echo{})
		} else {
			at = filepath.Join(s.dir, network)
			_, err = k.Listen(s.loops[1], network, at, echo{})
		}
		return func(w *worker) error {
			c, err := dial(network, at)
			if err != nil {
				return err
			}
			defer c.Close()
			for w.next() {
				n := size
				if size < 64<<10 {
					n = 1 + w.rand.IntN(size)
				}
				if err := w.exchange(c, n); err != nil {
					return err
				}
			}
			return nil
		}, err
	}
}

// ending is how a connection ends.
type ending int

const (
	end     ending = iota // the client ends its direction, and reads the end of the other
	cutOff                // the client resets
	silence               // the client does nothing until the server's deadline
)

const patienceOfServer = time.Second // of a server with a silent client

// churn is a connection at each step, which ends in one way.
func churn(how ending) func(*server) (load, error) {
	return func(s *server) (load, error) {
		expected := peerEnds
		idle := time.Minute
		if how == silence {
			idle, expected = patienceOfServer, []error{reactor.ErrTimeout}
		}
		at, err := listen(s, newEcho(s.tally, "tcp", idle, expected...), echo{})
		return func(w *worker) error {
			dialled := time.Now()
			c, err := dial("tcp", at)
			if err != nil {
				return err
			}
			defer c.Close()
			began := time.Now()
			if err := w.exchange(c, 1+w.rand.IntN(2000)); err != nil {
				if how == silence && time.Since(dialled) >= patienceOfServer {
					return nil // on a busy machine this client was silent before it spoke
				}
				return err
			}
			switch how {
			case cutOff:
				reset(c)
				return nil
			case end:
				c.(interface{ CloseWrite() error }).CloseWrite()
				return ended(c)
			}
			if err := ended(c); err != nil {
				return err
			}
			if after := time.Since(began); after < patienceOfServer { // which begins with a turn of the loop that moves bytes
				return fmt.Errorf("a silent client was closed after %v, before %v", after, patienceOfServer)
			}
			return nil
		}, err
	}
}
