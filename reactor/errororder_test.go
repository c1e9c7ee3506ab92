//go:build unix || windows

package reactor_test

import (
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
	"github.com/stator-go/stator/reactor/poll"
)

// Errors come in their place: input that arrived before an error is read first.

// relay copies between its two ports, as a proxy does.
type relay struct {
	second *fakedriver.Socket
	ended  int
}

func relays(t testing.TB, o reactor.Options) *reactor.Kind[relay, reactor.None] {
	o.Ports = []string{"client", "upstream"}
	return kind(t, "relay", o, reactor.Table[relay, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "relaying", Idle: fsm.Never,
			Wait: client.Readable().While(upstream.Room()) | upstream.Readable().While(client.Room()),
			OnEnter: func(r *relay, cx *reactor.Context[reactor.None]) reactor.State {
				return cx.Fail(cx.Adopt(upstream, r.second.Conn()))
			},
			OnReady: (*relay).ready},
	})
}

func (r *relay) ready(cx *reactor.Context[reactor.None], what reactor.Ready) reactor.State {
	to, from := upstream, client
	if what.Has(upstream.Readable()) {
		to, from = client, upstream
	}
	switch _, err := cx.Copy(to, from); err {
	case io.EOF:
		cx.CloseWrite(to)
		if r.ended++; r.ended == 2 {
			return fsm.Stop
		}
		return fsm.Stay
	default:
		return cx.Fail(err)
	}
}

// newRelay starts a relay, and returns the sockets of its two sides.
func newRelay(d *fake, l *reactor.Loop, o reactor.Options) (c, u *fakedriver.Socket) {
	u = d.NewSocket()
	c, _ = adopt(d, l, relays(d.t, o), relay{second: u})
	return c, u
}

// broken makes a socket fail as a reset does: what arrived before can still be read.
func broken(d *fake, s *fakedriver.Socket, event poll.Ready, before ...string) {
	d.Do(func() {
		for _, piece := range before {
			s.In = append(s.In, []byte(piece))
		}
		s.Err = syscall.ECONNRESET
		if event != 0 {
			s.Event(event)
		}
	})
}

// An upstream that answers early and resets, as after an upload that is too large: the
// relay's write to it fails before the answer was read.
func TestAnswerBeforeAResetIsRelayed(t *testing.T) {
	for _, c := range []struct {
		name  string
		event poll.Ready // that comes with the reset
	}{{"found by a write", 0}, {"found by an event", poll.Readable | poll.ReadClosed | poll.WriteClosed | poll.Error}} {
		t.Run(c.name, func(t *testing.T) {
			d, ends := newFake(t), newEnds()
			l := d.start(reactor.Config{})
			client, up := newRelay(d, l, reactor.Options{OnEnd: ends.add})
			client.PeerSends("upload")
			if got := up.Written(); got != "upload" {
				t.Fatalf("upstream got %q", got)
			}
			broken(d, up, c.event, "413 ", "too large")
			client.PeerSends("more of the upload")
			if c.event == 0 {
				d.Do(func() { up.Event(poll.Readable | poll.ReadClosed) })
			}
			if got := client.Written(); got != "413 too large" {
				t.Errorf("the client got %q, want the whole answer", got)
			}
			if err := ends.next(t); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the relay ended with %v, want the reset", err)
			}
			if !client.Reset() {
				t.Error("the client's connection got a clean end, want a reset as upstream's")
			}
		})
	}
}

// A reset that comes while the gate of the reader is shut waits behind the input.
func TestResetWaitsForRoomOnTheOtherSide(t *testing.T) {
	d, ends := newFake(t), newEnds()
	l := d.start(reactor.Config{})
	client, up := newRelay(d, l, reactor.Options{OnEnd: ends.add, WriteBuffer: 100})
	d.Do(func() { client.Room = 0 })
	up.PeerSends(strings.Repeat("a", 80))
	broken(d, up, poll.Readable|poll.Error, "tail")
	ends.none(t)
	client.PeerTakes(1000)
	if got := client.Written(); got != strings.Repeat("a", 80)+"tail" {
		t.Errorf("the client got %q, want everything that came before the reset", got)
	}
	if err := ends.next(t); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the relay ended with %v, want the reset", err)
	}
}

// Without input before it, a reset ends the machine at once, also while a gate is shut.
func TestResetWithoutInputIsAtOnce(t *testing.T) {
	d, ends := newFake(t), newEnds()
	l := d.start(reactor.Config{})
	client, up := newRelay(d, l, reactor.Options{OnEnd: ends.add, WriteBuffer: 100})
	d.Do(func() { client.Room = 0 })
	up.PeerSends(strings.Repeat("a", 80))
	broken(d, up, poll.Readable|poll.Error)
	if err := ends.next(t); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the relay ended with %v, want the reset", err)
	}
}

// A state that Fail leads to is shown what is left, and then the error, whether it reads by
// Read or by Peek.
func TestStateAfterFailReadsWhatIsLeft(t *testing.T) {
	for _, by := range []string{"Read", "Peek"} {
		t.Run(by, func(t *testing.T) {
			d, log, ends := newFake(t), &journal{}, newEnds()
			l := d.start(reactor.Config{})
			take := func(_ *empty, cx *reactor.Context[reactor.None], _ reactor.Ready) reactor.State {
				var b [4]byte
				n, err := cx.Read(0, b[:])
				log.add(string(b[:n]))
				return cx.Fail(err)
			}
			if by == "Peek" {
				take = func(_ *empty, cx *reactor.Context[reactor.None], _ reactor.Ready) reactor.State {
					b, err := cx.Peek(0)
					if err != nil {
						return cx.Fail(err)
					}
					n := min(4, len(b))
					log.add(string(b[:n]))
					cx.Discard(0, n)
					return fsm.Stay
				}
			}
			s, _ := adopt(d, l, kind(t, "salvager", reactor.Options{Ports: []string{"peer"}, OnEnd: ends.add}, reactor.Table[empty, reactor.None]{
				fsm.Any:   {Shutdown: fsm.Stop},
				fsm.First: {Name: "busy", Within: fsm.Never, Fail: 2},
				2:         {Name: "salvaging", Wait: reactor.Port(0).Readable(), Idle: fsm.Never, OnReady: take},
			}), empty{})
			broken(d, s, poll.Readable|poll.Error, "left over")
			if err := ends.next(t); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("ended with %v, want the reset", err)
			}
			if got := strings.TrimSpace(log.take()); strings.ReplaceAll(got, " ", "") != "leftover" {
				t.Errorf("read %q, want all of it", got)
			}
		})
	}
}

// A machine whose write failed, and that goes on, still reads to the end.
func TestReaderThatIgnoresWriteErrors(t *testing.T) {
	d, log, ends := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{})
	s, _ := adopt(d, l, kind(t, "acknowledging", reactor.Options{Ports: []string{"peer"}, OnEnd: ends.add}, reactor.Table[empty, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "reading", Wait: reactor.Port(0).Readable(), Idle: fsm.Never,
			OnReady: func(_ *empty, cx *reactor.Context[reactor.None], _ reactor.Ready) reactor.State {
				var b [2]byte
				n, err := cx.Read(0, b[:])
				if err != nil {
					return cx.Fail(err)
				}
				log.add(string(b[:n]))
				if err := cx.Write(0, []byte("ack")); err != nil {
					log.add(err.Error())
				}
				return fsm.Stay
			}},
	}), empty{})
	broken(d, s, poll.Readable, "12", "34", "56")
	if err := ends.next(t); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("ended with %v, want the reset", err)
	}
	if got := log.take(); !strings.HasPrefix(got, "12 34 56") {
		t.Errorf("happened: %q, want all input first", got)
	}
}

// Output that is lost at the end of Linger, or by a Close, is not followed by a clean end:
// the peer would take a part for the whole.
func TestLostOutputIsAReset(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(cx *reactor.Context[reactor.None]) reactor.State
		wait time.Duration
	}{
		{"the end of Linger", func(*reactor.Context[reactor.None]) reactor.State { return fsm.Stop }, time.Second + 2*time.Millisecond},
		{"Close", func(cx *reactor.Context[reactor.None]) reactor.State { cx.Close(0); return fsm.Stop }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newFake(t)
			l := d.start(reactor.Config{})
			s, _ := adopt(d, l, kind(t, "writer", reactor.Options{Ports: []string{"peer"}, Linger: time.Second}, reactor.Table[empty, reactor.None]{
				fsm.Any: {Shutdown: fsm.Stop},
				{Name: "writing", Wait: reactor.Port(0).Readable(), Idle: fsm.Never,
					OnReady: func(_ *empty, cx *reactor.Context[reactor.None], _ reactor.Ready) reactor.State {
						if _, err := cx.Peek(0); err != nil {
							return cx.Fail(err)
						}
						cx.Write(0, []byte("more than there is room for"))
						return c.end(cx)
					}},
			}), empty{})
			d.Do(func() { s.Room = 4 })
			s.PeerSends("go")
			if c.wait > 0 {
				d.Advance(c.wait)
			}
			if closed, reset := s.Closed(), s.Reset(); !closed || !reset {
				t.Errorf("got closed %v, by a reset %v, want both", closed, reset)
			}
		})
	}
}
