//go:build unix || windows

package reactor_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Connections come and go at random, by the hundred, and end in all ways, so that
// descriptors, slots and ports are used again and again. Each frame has its connection's
// tag: no byte of one connection may reach another.
func TestReuseStorm(t *testing.T) {
	const workers, rounds = 20, 60
	l := netLoop(t, reactor.Config{Slots: 64})
	n := netListen(t, l, taggers(t), tagger{})
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 7))
			for i := range rounds {
				if err := tagged(n.String(), uint64(w)<<32|uint64(i)|1<<63, r); err != nil {
					t.Errorf("connection %d of worker %d: got %v, want no error", i, w, err)
					return
				}
			}
		})
	}
	wg.Wait()
	eventually(t, "the machines ended", func() bool { return stats(t, l).Machines == 0 })
	if s := stats(t, l); s.Held != 0 || s.Panics != 0 {
		t.Errorf("got %d bytes held and %d panics, want 0 and 0", s.Held, s.Panics)
	}
}

// tagger echoes frames of 8 bytes: a tag, the same in all frames of a connection.
type tagger struct{ tag uint64 }

var errForeignTag = errors.New("a byte of another connection")

func taggers(t testing.TB) *reactor.Kind[tagger, reactor.None] {
	return netKind(t, reactor.Options{Linger: 20 * time.Millisecond, OnEnd: func(_ reactor.Token, why error) {
		if errors.Is(why, errForeignTag) {
			t.Error(why)
		}
	}}, reactor.Row[tagger, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(m *tagger, cx *netCx, _ reactor.Ready) fsm.State {
			b, err := cx.Peek(port0)
			if err != nil {
				return cx.Fail(err)
			}
			for ; len(b) >= 8; b = b[8:] {
				tag := binary.BigEndian.Uint64(b)
				if m.tag == 0 {
					m.tag = tag
				}
				if tag != m.tag {
					return cx.Stop(fmt.Errorf("%w: got %x, want %x", errForeignTag, tag, m.tag))
				}
				if err := cx.Write(port0, b[:8]); err != nil {
					return cx.Fail(err)
				}
				cx.Discard(port0, 8)
				if tag%7 == 3 {
					return fsm.Stop // the machine hangs up first
				}
			}
			return fsm.Stay
		},
	})
}

// tagged is one connection of the storm.
func tagged(addr string, tag uint64, r *rand.Rand) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	var frame [8]byte
	binary.BigEndian.PutUint64(frame[:], tag)
	sent := 1 + r.IntN(20)
	for range sent {
		if _, err := c.Write(frame[:]); err != nil {
			break // the machine hung up
		}
	}
	heard := sent
	switch r.IntN(4) {
	case 0: // before the replies come
		netReset(c.(*net.TCPConn))
		return nil
	case 1:
		heard = r.IntN(sent + 1)
	case 2:
		c.(*net.TCPConn).CloseWrite()
	}
	for range heard {
		var got [8]byte
		if _, err := io.ReadFull(c, got[:]); err != nil {
			if tag%7 == 3 {
				return nil
			}
			return fmt.Errorf("after %d frames: got %w, want a frame", sent, err)
		}
		if got != frame {
			return fmt.Errorf("%w: got %x, want %x", errForeignTag, got, frame)
		}
	}
	return nil
}
