package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// A relay copies both ways between a client and an upstream, as a proxy does.

const client, upstream reactor.Port = 0, 1

const (
	dialling fsm.State = fsm.First + iota
	relaying
)

type relay struct {
	to    string
	ended int
}

func newRelay(t *tally) *reactor.Kind[relay, reactor.None] {
	opt := reactor.Options{Ports: []string{"client", "upstream"}, ReusePort: true, OnEnd: t.ends(peerEnds...)}
	return reactor.Must(reactor.NewKind("relay", opt, reactor.Table[relay, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		dialling: {Name: "dialling", Wait: upstream.Opened(), Within: fsm.After(5*time.Second, fsm.Stop), To: fsm.To(relaying),
			OnEnter: func(r *relay, cx *plainCx) fsm.State { return cx.Fail(cx.Dial(upstream, "tcp", r.to)) },
			OnReady: func(*relay, *plainCx, reactor.Ready) fsm.State { return relaying }},
		relaying: {Name: "relaying", Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*relay).ready,
			Wait: client.Readable().While(upstream.Room()) | upstream.Readable().While(client.Room())},
	}))
}

func (r *relay) ready(cx *plainCx, what reactor.Ready) fsm.State {
	to, from := upstream, client
	if what.Has(upstream.Readable()) {
		to, from = client, upstream
	}
	_, err := cx.Copy(to, from)
	if err != io.EOF {
		return cx.Fail(err)
	}
	cx.CloseWrite(to)
	if r.ended++; r.ended == 2 {
		return fsm.Stop
	}
	return fsm.Stay
}

// relays send a stream through the relay to a sink, and end it or cut it off.
func relays(how ending) func(*server) (load, error) {
	return func(s *server) (load, error) {
		sink, err := newSink(s)
		if err != nil {
			return nil, err
		}
		at, err := listen(s, newRelay(s.tally), relay{to: sink})
		return func(w *worker) error {
			c, err := dial("tcp", at)
			if err != nil {
				return err
			}
			defer c.Close()
			size := 1 + w.rand.IntN(256<<10)
			b := make([]byte, headSize+size)
			binary.LittleEndian.PutUint64(b, uint64(size))
			b[8] = byte(how)
			new(pattern).fill(b[headSize:])
			began := time.Now()
			if _, err := c.Write(b); err != nil {
				return err
			}
			if how == cutOff {
				w.pause(time.Duration(w.rand.IntN(3)) * time.Millisecond)
				reset(c)
				return nil // the sink counts
			}
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				return err
			}
			var got [8]byte
			if _, err := io.ReadFull(c, got[:]); err != nil {
				return fmt.Errorf("the sink's reply: %w", err)
			}
			w.took(time.Since(began))
			if n := binary.LittleEndian.Uint64(got[:]); n != uint64(size) {
				return fmt.Errorf("%s of the stream was delivered", share(int(n), size))
			}
			return ended(c)
		}, err
	}
}

const headSize = 9 // size and ending of a stream

// newSink listens for streams that were relayed, and checks that each ends as its source
// did. It returns its address.
func newSink(s *server) (string, error) {
	n, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := n.Accept()
			if err != nil {
				return // it was closed
			}
			all.Go(func() {
				defer c.Close()
				if err := s.sink(c); err != nil {
					s.fail(fmt.Errorf("sink: %w", err))
				}
			})
		}
	})
	s.atEnd(func() error {
		defer all.Wait()
		return n.Close()
	})
	return n.Addr().String(), nil
}

func (s *server) sink(c net.Conn) error {
	c.SetDeadline(time.Now().Add(2 * patience))
	stream, err := io.ReadAll(c)
	if err != nil && !wasCut(err) {
		return err
	}
	cut := err != nil
	if len(stream) < headSize {
		if cut {
			s.note("cut before they began")
			return nil
		}
		return errors.New("a clean end before a stream began")
	}
	size, how := binary.LittleEndian.Uint64(stream), ending(stream[8])
	stream = stream[headSize:]
	switch {
	case !new(pattern).check(stream):
		return errors.New("other bytes than were sent")
	case cut != (how == cutOff):
		return fmt.Errorf("%s of the stream came, cut off is %v: want %v", share(len(stream), int(size)), cut, how == cutOff)
	case !cut && uint64(len(stream)) != size:
		return fmt.Errorf("a clean end after %s of the stream", share(len(stream), int(size)))
	case cut && uint64(len(stream)) < size:
		s.note("cut short")
	}
	s.count(len(stream))
	_, err = c.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(stream))))
	if cut {
		return nil
	}
	return err
}
