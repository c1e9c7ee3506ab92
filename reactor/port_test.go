package reactor_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
	"github.com/stator-go/stator/reactor/poll"
)

// Each call returns ErrClosed for a port that is not open, and an error that names
// Options.Ports for one that does not exist.
func TestUseOfAPortThatIsNotThere(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	wrong := make(chan string, 100)
	ref := spawn(t, l, kind(t, "blind", reactor.Options{Ports: []string{"only"}}, reactor.Table[reader, reactor.State]{
		fsm.Any: {OnMessage: func(_ *reader, cx *read, _ *reactor.State) reactor.State {
			var b [8]byte
			for _, p := range []reactor.Port{0, 1, 3, 4, 255} {
				_, errRead := cx.Read(p, b[:])
				_, errPeek := cx.Peek(p)
				_, errSome := cx.WriteSome(p, b[:])
				_, _, errFrom := cx.ReadFrom(p, b[:])
				_, errCopy := cx.Copy(p, 0)
				_, errRelease := cx.Release(p)
				for what, err := range map[string]error{"Read": errRead, "Peek": errPeek, "Write": cx.Write(p, b[:]), "WriteSome": errSome,
					"ReadFrom": errFrom, "Copy": errCopy, "Release": errRelease, "Err": cx.Err(p), "CloseWrite": cx.CloseWrite(p)} {
					switch closed := errors.Is(err, reactor.ErrClosed); {
					case err == nil, p == 0 && !closed:
						wrong <- fmt.Sprintf("%s of port %d: got %v, want an error, of port 0 ErrClosed", what, p, err)
					case p > 0 && what != "Copy" && !strings.Contains(err.Error(), "Options.Ports"):
						wrong <- fmt.Sprintf("%s of port %d: got %v, want an error that names Options.Ports", what, p, err)
					}
				}
				cx.Discard(p, 3)
				cx.Close(p)
				if p > 0 && cx.Dial(p, "tcp", "127.0.0.1:1") == nil {
					wrong <- fmt.Sprintf("Dial of port %d: got no error, want one", p)
				}
				if n := cx.Buffered(p); n != 0 {
					wrong <- fmt.Sprintf("Buffered of port %d: got %d, want 0", p, n)
				}
				for what, addr := range map[string]netip.AddrPort{"RemoteAddr": cx.RemoteAddr(p), "LocalAddr": cx.LocalAddr(p)} {
					if addr.IsValid() {
						wrong <- fmt.Sprintf("%s of port %d: got %v, want none", what, p, addr)
					}
				}
			}
			return fsm.Stay
		}},
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	}), reader{})
	d.send(ref, idle)
	close(wrong)
	for w := range wrong {
		t.Error(w)
	}
	if n := stats(t, l).Panics; n != 0 {
		t.Errorf("got %d panics, want 0", n)
	}
}

// A port that is closed and dialled in one call gets no events of its old socket.
func TestEventsOfAClosedPort(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	var second *fakedriver.Socket
	d.OnConnect = func(s *fakedriver.Socket, _ driver.Addr) (driver.Flow, error) {
		second = s
		return driver.WriteBlocked, nil
	}
	s, _ := adopt(d, l, readers(t, reactor.Options{}, reactor.Port(0).Readable()), reader{log: log,
		do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
			var b [16]byte
			n, err := cx.Read(0, b[:])
			if n > 0 {
				r.log.add(string(b[:n]))
				if string(b[:n]) == "again" {
					cx.Close(0)
					if err := cx.Dial(0, "tcp", "127.0.0.1:1"); err != nil {
						return cx.Stop(err)
					}
				}
			}
			return cx.Fail(err)
		}})
	before := stats(t, l).Stale
	s.PeerSends("again")
	d.Do(func() { s.Event(poll.Readable | poll.Writable | poll.ReadClosed) })
	log.want(t, "again")
	if n := stats(t, l).Stale - before; n != 1 {
		t.Errorf("got %d stale events, want 1", n)
	}
	d.Do(func() { second.In = [][]byte{[]byte("hello")}; second.Event(poll.Writable) })
	log.want(t, "hello")
}

// A port's error stays its own, however many other ports broke before and after it.
func TestErrorsOfManyPorts(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := kind(t, "broken", reactor.Options{Ports: []string{"peer"}}, reactor.Table[reader, reactor.State]{
		fsm.Any: {OnMessage: func(r *reader, cx *read, to *reactor.State) reactor.State {
			r.log.add(fmt.Sprint(cx.Err(0)))
			return *to
		}},
		idle: {Name: "idle", Within: fsm.Never, Wait: reactor.Port(0).Readable(), OnReady: func(_ *reader, cx *read, _ reactor.Ready) reactor.State {
			var b [1]byte
			cx.Read(0, b[:])
			return fsm.Stay
		}},
	})
	breaks := func(why string) reactor.Ref[reactor.State] {
		s, ref := adopt(d, l, k, reader{log: log})
		d.Do(func() {
			s.Err = errors.New(why)
			s.Event(poll.Readable)
		})
		return ref
	}
	for i := range 300 {
		d.send(breaks(fmt.Sprint("error", i)), fsm.Stop)
	}
	log.take()
	one, two := breaks("one"), breaks("two")
	d.send(one, fsm.Stay)
	d.send(two, fsm.Stay)
	log.want(t, "one two")
}
