package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Messages between machines of both loops, and machines that watch others end.

const (
	subscribers = 60
	burst       = 32 // records that a publisher sends at once
	mailbox     = 8  // of a subscriber: less than a burst
)

// record goes from a publisher to all subscribers.
type record struct {
	by  reactor.Token
	seq uint64
}

// subscriber checks that it gets all records of each publisher, in order.
type subscriber struct{ next map[reactor.Token]uint64 }

func newSubscriber(t *tally, delivered *atomic.Int64) *reactor.Kind[subscriber, record] {
	return reactor.Must(reactor.NewKind("subscriber", reactor.Options{Mailbox: mailbox, Queue: 256, OnEnd: t.ends(reactor.ErrShutdown)},
		reactor.Table[subscriber, record]{
			fsm.Any: {Shutdown: fsm.Stop},
			{Name: "hearing", Idle: fsm.Never, OnMessage: func(s *subscriber, _ *reactor.Context[record], m *record) fsm.State {
				delivered.Add(1)
				if m.seq != s.next[m.by] {
					t.fail(errors.New("a subscriber got a record out of order"))
				}
				s.next[m.by] = m.seq + 1
				return fsm.Stay
			}},
		}))
}

// publisher is a connection whose records go to all subscribers, and then back to the client.
type publisher struct {
	to []reactor.Ref[record]
	at int // the next subscriber of the record that is being sent
	t  *tally
}

func newPublisher(t *tally) *reactor.Kind[publisher, reactor.None] {
	return reactor.Must(reactor.NewKind("publisher", reactor.Options{Ports: []string{"peer"}, ReusePort: true, OnEnd: t.ends()},
		reactor.Table[publisher, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop},
			{Name: "publishing", Wait: peer.Readable().While(peer.Room() | fsm.Sendable), Idle: fsm.After(time.Minute, fsm.Stop),
				OnReady: (*publisher).ready},
		}))
}

func (p *publisher) ready(cx *plainCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil || len(in) < 8 {
		return cx.Fail(err)
	}
	for m := (record{cx.Token(), binary.LittleEndian.Uint64(in)}); p.at < len(p.to); p.at++ {
		switch err := p.to[p.at].Post(&cx.IO, m); {
		case errors.Is(err, reactor.ErrFull):
			p.t.note("times a mailbox was full")
			return fsm.Stay // called again when there is room
		case err != nil:
			return cx.Fail(err)
		}
	}
	p.at = 0
	if err := cx.Write(peer, in[:8]); err != nil {
		return cx.Fail(err)
	}
	cx.Discard(peer, 8)
	return fsm.Stay
}

// fanOut sends bursts of records, and awaits that each was posted to all subscribers.
func fanOut(s *server) (load, error) {
	var sent, delivered atomic.Int64
	k := newSubscriber(s.tally, &delivered)
	var all []reactor.Ref[record]
	for i := range subscribers {
		ref, err := k.Spawn(s.loops[i%2], subscriber{map[reactor.Token]uint64{}})
		if err != nil {
			return nil, err
		}
		all = append(all, ref)
	}
	at, err := listen(s, newPublisher(s.tally), publisher{to: all, t: s.tally})
	s.atEnd(func() error {
		for end := time.Now().Add(patience); delivered.Load() < sent.Load() && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if got, want := delivered.Load(), sent.Load(); got != want {
			return fmt.Errorf("%s: %d messages were delivered: want %d", s.name, got, want)
		}
		return nil
	})
	return func(w *worker) error {
		c, err := dial("tcp", at)
		if err != nil {
			return err
		}
		defer c.Close()
		for seq := uint64(0); w.next(); {
			var b, got [8 * burst]byte
			for i := range burst {
				binary.LittleEndian.PutUint64(b[8*i:], seq)
				seq++
			}
			c.SetDeadline(time.Now().Add(patience))
			began := time.Now()
			if _, err := c.Write(b[:]); err != nil {
				return err
			}
			if _, err := io.ReadFull(c, got[:]); err != nil {
				return err
			}
			w.took(time.Since(began))
			if got != b {
				return errors.New("the publisher's replies differ from what was sent")
			}
			sent.Add(burst * subscribers)
			w.count(burst * subscribers * 8)
		}
		return nil
	}, err
}

// order says how a watched machine is to end.
type order int

const (
	stop     order = iota // it returns Stop
	stopWith              // it stops with errOrdered
	panics                // its handler panics
	goexit                // its handler ends the goroutine
	wait                  // its deadline passes
	orders
)

var errOrdered = errors.New("ordered")

// is reports whether reason is that of the end that was ordered.
func (o order) is(reason error) bool {
	var p *reactor.PanicError
	switch o {
	case stop:
		return reason == nil
	case stopWith:
		return errors.Is(reason, errOrdered)
	case panics:
		return errors.As(reason, &p) && p.Value == any(errOrdered)
	case goexit:
		return errors.As(reason, &p) && p.Value == nil
	}
	return errors.Is(reason, reactor.ErrTimeout)
}

type watched struct{}

func newWatched(s *server) *reactor.Kind[watched, order] {
	others := s.ends(errOrdered, reactor.ErrTimeout)
	onEnd := func(t reactor.Token, reason error) {
		if panics.is(reason) || goexit.is(reason) {
			s.round.panics.count(0)
			s.note("panics")
			return
		}
		others(t, reason)
	}
	return reactor.Must(reactor.NewKind("watched", reactor.Options{OnEnd: onEnd}, reactor.Table[watched, order]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "waiting", Within: fsm.After(5*time.Second, fsm.Stop),
			OnMessage: func(_ *watched, cx *reactor.Context[order], o *order) fsm.State {
				switch *o {
				case stop:
					return fsm.Stop
				case stopWith:
					return cx.Stop(errOrdered)
				case panics:
					panic(errOrdered)
				case goexit:
					runtime.Goexit()
				}
				return fsm.Stay
			}},
	}))
}

// watcher monitors a machine, orders its end, and says whether it ended so.
type watcher struct {
	of   reactor.Ref[order]
	how  order
	said chan<- error
}

func newWatcher(t *tally) *reactor.Kind[watcher, reactor.None] {
	return reactor.Must(reactor.NewKind("watcher", reactor.Options{OnEnd: t.ends()}, reactor.Table[watcher, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "watching", Within: fsm.After(patience, fsm.Stop),
			OnEnter: func(w *watcher, cx *plainCx) fsm.State {
				err := cx.Monitor(w.of.Token())
				if err == nil {
					err = w.of.Post(&cx.IO, w.how)
				}
				return cx.Fail(err)
			},
			OnDown: func(w *watcher, _ *plainCx, d reactor.Down) fsm.State {
				var err error
				if !w.how.is(d.Reason) {
					err = fmt.Errorf("order %d: the machine ended with %v", w.how, d.Reason)
				}
				w.said <- err
				return fsm.Stop
			}},
	}))
}

// monitors makes pairs of machines, of which one watches how the other ends.
func monitors(s *server) (load, error) {
	of, by := newWatched(s), newWatcher(s.tally)
	return func(w *worker) error {
		l := s.loops[w.rand.IntN(2)]
		ref, err := of.Spawn(l, watched{})
		if err != nil {
			return err
		}
		said := make(chan error, 1)
		if _, err := by.Spawn(l, watcher{ref, order(w.rand.IntN(int(orders))), said}); err != nil {
			return err
		}
		return w.await(said)
	}, nil
}

// await returns what a machine says, which is one unit of work.
func (w *worker) await(said <-chan error) error {
	began := time.Now()
	select {
	case err := <-said:
		w.took(time.Since(began))
		w.count(0)
		return err
	case <-time.After(patience):
		return errors.New("a machine did not say how it went")
	}
}
