package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Clients that harm others if a server lets them: they do not read, or do not stop writing.

// pattern is a stream whose byte at each offset is known.
type pattern int64

func (p *pattern) at(i int) byte { o := int64(*p) + int64(i); return byte(o ^ o>>8 ^ o>>16) }

func (p *pattern) fill(b []byte) {
	for i := range b {
		b[i] = p.at(i)
	}
}

// check reports whether b is what follows, and goes on after it.
func (p *pattern) check(b []byte) bool {
	for i := range b {
		if b[i] != p.at(i) {
			return false
		}
	}
	*p += pattern(len(b))
	return true
}

// slowReaders upload as much as the server takes, and read some KB a second of what it sends
// back.
func slowReaders(s *server) (load, error) {
	at, err := listenNarrow(s, newEcho(s.tally, "tcp", time.Minute, peerEnds...), echo{})
	return func(w *worker) error {
		c, err := dialNarrow(at)
		if err != nil {
			return err
		}
		defer c.Close()
		var sent, read pattern
		b := make([]byte, 16<<10)
		for life := 20 + w.rand.IntN(40); life > 0 && w.next(); life-- {
			sent.fill(b)
			c.SetWriteDeadline(time.Now().Add(time.Millisecond))
			n, err := c.Write(b)
			if sent += pattern(n); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				return err
			}
			if sent == read {
				continue
			}
			c.SetReadDeadline(time.Now().Add(patience))
			if n, err = c.Read(b[:1+w.rand.IntN(2048)]); err != nil {
				return err
			}
			if !read.check(b[:n]) {
				return errors.New("the reply differs from what was sent")
			}
			w.count(n)
		}
		return nil
	}, err
}

// rejecting is a server that says so after the first bytes, and stops.
type rejecting struct{ answer string }

func newRejecting(t *tally) *reactor.Kind[rejecting, reactor.None] {
	return reactor.Must(reactor.NewKind("rejecting", reactor.Options{Ports: []string{"peer"}, ReusePort: true, OnEnd: t.ends(peerEnds...)},
		reactor.Table[rejecting, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop},
			{Name: "reading", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*rejecting).ready},
		}))
}

func (r *rejecting) ready(cx *plainCx, _ reactor.Ready) fsm.State {
	var b [100]byte
	if _, err := cx.Read(peer, b[:]); err != nil {
		return cx.Fail(err)
	}
	if err := cx.Write(peer, []byte(r.answer)); err != nil {
		return cx.Fail(err)
	}
	return fsm.Stop
}

const refusal = "413 too much, said after the first bytes of it\r\n"

// rejectedUploads go on after the server's answer, until it resets.
func rejectedUploads(s *server) (load, error) {
	const most = 16 << 20 // bytes after which a server that still takes them is wrong
	at, err := listen(s, newRejecting(s.tally), rejecting{refusal})
	return func(w *worker) error {
		c, err := dial("tcp", at)
		if err != nil {
			return err
		}
		defer c.Close()
		b := make([]byte, 32<<10)
		if _, err := c.Write(b); err != nil {
			return err
		}
		if err := readRefusal(c); err != nil {
			return err
		}
		for sent := len(b); w.next(); {
			n, err := c.Write(b)
			if sent += n; wasCut(err) {
				w.count(sent)
				return nil
			}
			if err != nil {
				return err
			}
			if sent > most {
				return fmt.Errorf("the server took more than %d bytes after it had stopped", most)
			}
		}
		return nil
	}, err
}

func readRefusal(c net.Conn) error {
	b := make([]byte, len(refusal))
	if n, err := io.ReadFull(c, b); err != nil {
		return fmt.Errorf("%s of the answer came, then: %w", share(n, len(b)), err)
	}
	if string(b) != refusal {
		return fmt.Errorf("the answer is %q: want %q", b, refusal)
	}
	return nil
}

// dropped is how much a server drops after it has stopped and its peer has everything. It
// resets who sends more.
const dropped = 256 << 10

// earlyAnswers are uploads that are answered before they are complete. The client stops when
// it has the answer, which has to be whole.
func earlyAnswers(relayed bool) func(*server) (load, error) {
	return func(s *server) (load, error) {
		at, err := listen(s, newRejecting(s.tally), rejecting{refusal})
		if err == nil && relayed {
			at, err = listen(s, newRelay(s.tally), relay{to: at})
		}
		return func(w *worker) error {
			c, err := dial("tcp", at)
			if err != nil {
				return err
			}
			defer c.Close()
			size := 1 + w.rand.IntN(1<<20)
			uploaded := make(chan error, 1)
			go func() {
				_, err := c.Write(make([]byte, size))
				if err == nil {
					err = c.(*net.TCPConn).CloseWrite()
				}
				uploaded <- err
			}()
			began := time.Now()
			if err := readRefusal(c); err != nil {
				return err
			}
			atEnd, sent := ended(c), <-uploaded
			w.took(time.Since(began))
			for _, err := range []error{atEnd, sent} {
				switch {
				case err == nil:
				case wasCut(err) && size > dropped:
					w.note("resets after the answer")
				default:
					return fmt.Errorf("after the answer: %w", err)
				}
			}
			w.count(size)
			return nil
		}, err
	}
}

// unreadReplies asks for a reply that it does not read until the server has given it up. The
// reply is more than narrow sockets take, and less than the share of the loop's buffers that
// slow readers leave.
func unreadReplies(s *server) (load, error) {
	const size, linger = 56 << 10, 2 * time.Second
	at, err := listenNarrow(s, newBlob(s.tally, size, linger), blob{})
	return func(w *worker) error {
		c, err := dialNarrow(at)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write([]byte{1}); err != nil {
			return err
		}
		w.pause(linger + time.Second)
		reply, err := io.ReadAll(c)
		var p pattern
		switch {
		case !p.check(reply):
			return errors.New("the reply is not what was to be sent")
		case wasCut(err):
			w.note("cut off")
		case err != nil:
			return err
		case len(reply) != size:
			return fmt.Errorf("a clean end before the end of the reply")
		}
		w.count(len(reply))
		return nil
	}, err
}

// blob is a server that sends size bytes for the first one that comes, and stops.
type blob struct{}

func newBlob(t *tally, size int, linger time.Duration) *reactor.Kind[blob, reactor.None] {
	reply := make([]byte, size)
	new(pattern).fill(reply)
	return reactor.Must(reactor.NewKind("blob", reactor.Options{Ports: []string{"peer"}, Linger: linger, OnEnd: t.ends(peerEnds...)},
		reactor.Table[blob, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop},
			{Name: "waiting", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop),
				OnReady: func(_ *blob, cx *plainCx, _ reactor.Ready) fsm.State {
					_, err := cx.Peek(peer)
					if err == nil {
						err = cx.Write(peer, reply)
					}
					switch {
					case errors.Is(err, reactor.ErrFull):
						t.note("writes that had to wait")
						return fsm.Stay // called again when there is room
					case err != nil:
						return cx.Fail(err)
					}
					return fsm.Stop
				}},
		}))
}
