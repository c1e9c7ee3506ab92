package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// An echo of datagrams that looks at each by Peek before it takes it by ReadFrom.

type datagram struct{}

func newDatagram(t *tally) *reactor.Kind[datagram, reactor.None] {
	return reactor.Must(reactor.NewKind("datagram", reactor.Options{Ports: []string{"peer"}, OnEnd: t.ends(reactor.ErrShutdown)},
		reactor.Table[datagram, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop},
			{Name: "echoing", Wait: peer.Readable(), Idle: fsm.Never,
				OnReady: func(_ *datagram, cx *plainCx, _ reactor.Ready) fsm.State {
					seen, err := cx.Peek(peer)
					if err != nil {
						return cx.Fail(err)
					}
					want := string(seen)
					var b [2048]byte
					n, from, err := cx.ReadFrom(peer, b[:])
					if err != nil {
						return cx.Fail(err)
					}
					if string(b[:n]) != want {
						t.fail(errors.New("ReadFrom returned another datagram than Peek"))
					}
					if err := cx.SendTo(peer, b[:n], from); errors.Is(err, reactor.ErrWouldBlock) {
						t.note("dropped for lack of room")
					} else if err != nil {
						t.fail(fmt.Errorf("SendTo: %w", err))
					}
					return fsm.Stay
				}},
		}))
}

// datagrams sends a few at once, which come back in order.
func datagrams(s *server) (load, error) {
	var at [2]string
	for i, l := range s.loops {
		n, err := newDatagram(s.tally).Listen(l, "udp", "127.0.0.1:0", datagram{})
		if err != nil {
			return nil, err
		}
		at[i] = n.String()
	}
	return func(w *worker) error {
		c, err := net.Dial("udp", at[w.id%2])
		if err != nil {
			return err
		}
		defer c.Close()
		var b [1400]byte
		for sent, read := uint64(0), uint64(0); w.next(); read = sent {
			first := read
			began := time.Now()
			for range 4 {
				binary.LittleEndian.PutUint64(b[:], sent)
				if _, err := c.Write(b[:8+w.rand.IntN(len(b)-8)]); err != nil {
					return err
				}
				sent++
			}
			for read < sent {
				c.SetReadDeadline(time.Now().Add(2 * time.Second))
				n, err := c.Read(b[:])
				if errors.Is(err, os.ErrDeadlineExceeded) {
					w.note("lost")
					break
				}
				if err != nil {
					return err
				}
				switch got := binary.LittleEndian.Uint64(b[:]); {
				case got < first:
					w.note("late") // of those that counted as lost
				case got != read:
					return errors.New("datagrams came back in another order")
				default:
					w.count(n)
					read++
				}
			}
			w.took(time.Since(began))
		}
		return nil
	}, nil
}
