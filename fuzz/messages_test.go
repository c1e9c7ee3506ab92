package fuzz

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// A sender posts a numbered parcel to the sink, on another loop, for each byte that its
// peer sends, and answers the byte when the parcel is accepted. The sink has a small
// mailbox and is busy at times. Both write what they do into books.

type parcel struct{ from, number int }

// books records what all machines of a run did.
type books struct {
	sink     reactor.Ref[parcel]
	senders  int
	accepted int
	handled  int
	last     [64]int // number of the last parcel, by sender
}

// The mistakes that can be planted into machines that handle parcels.
const (
	loses = 1 + iota
	doubles
	swaps
	neverReopens
)

type sender struct {
	*books
	probe  probe.Probe
	fault  int
	me     int
	number int
	shut   bool // of neverReopens
}

type sink struct {
	*books
	probe probe.Probe
	fault int
	held  *parcel
}

type (
	senderCx = reactor.Context[reactor.None]
	sinkCx   = reactor.Context[parcel]
)

func newSender() *reactor.Kind[sender, reactor.None] {
	return reactor.Must(reactor.NewKind("sender", reactor.Options{Ports: []string{"peer"}}, reactor.Table[sender, reactor.None]{
		{Shutdown: fsm.Stop, OnEnter: (*sender).join},
		{Name: "sending", Wait: peer.Readable().While(fsm.Sendable), Idle: fsm.After(time.Hour, fsm.Stop), OnReady: (*sender).send}}))
}

func newSink() *reactor.Kind[sink, parcel] {
	return reactor.Must(reactor.NewKind("sink", reactor.Options{Mailbox: 2, Queue: 4}, reactor.Table[sink, parcel]{
		{OnMessage: (*sink).take},
		{Name: "taking", Idle: fsm.Never, To: fsm.To(2)},
		{Name: "busy", Defer: true, Within: fsm.After(10*time.Millisecond, 1)}}))
}

func (s *sender) join(*senderCx) reactor.State {
	s.senders++
	s.me = s.senders % len(s.last)
	s.last[s.me] = 0
	return fsm.Stay
}

func (s *sender) send(cx *senderCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	if s.shut {
		return fsm.Stay
	}
	for i := range in {
		err := s.sink.Post(&cx.IO, parcel{s.me, s.number + 1})
		if errors.Is(err, reactor.ErrFull) {
			s.probe.Sometimes("a parcel is refused", true)
			s.shut = s.fault == neverReopens
			cx.Discard(peer, i)
			return fsm.Stay
		}
		if err != nil {
			return cx.Fail(err)
		}
		s.number++
		s.accepted++
		if err := cx.Write(peer, in[i:i+1]); err != nil {
			return cx.Fail(err)
		}
	}
	cx.Discard(peer, len(in))
	return fsm.Stay
}

func (s *sink) take(_ *sinkCx, p *parcel) reactor.State {
	switch {
	case s.fault == loses && p.number >= 3:
		return fsm.Stay
	case s.fault == doubles && p.number == 3:
		s.count(*p)
	case s.fault == swaps && p.number == 3:
		held := *p
		s.held = &held
		return fsm.Stay
	}
	s.count(*p)
	if s.held != nil {
		s.count(*s.held)
		s.held = nil
	}
	if p.number%4 == 0 {
		return 2
	}
	return fsm.Stay
}

func (s *sink) count(p parcel) {
	s.handled++
	s.probe.Always("parcels of a sender come once, in order", p.number == s.last[p.from]+1)
	s.probe.Sometimes("a sender's tenth parcel comes", p.number == 10)
	s.last[p.from] = p.number
}

// audit is an oracle that reads the books: each accepted parcel was handled, or counted as
// one to a machine that had ended.
type audit struct {
	judge.Oracle
	now **books
}

func (audit) Title() string   { return "books" }
func (audit) Remembers() bool { return true }

func (a audit) All([]judge.History) (string, judge.Stamp, bool) {
	if b := *a.now; b.accepted != b.handled {
		return fmt.Sprintf("%d parcels were accepted, %d handled", b.accepted, b.handled), judge.Stamp{}, true
	}
	return "", judge.Stamp{}, true
}

func parcelSpec(fault int) Spec {
	send, take := newSender(), newSink()
	now := new(*books)
	return Spec{
		Loops: 2, Without: Segmentation | SpuriousEvents, Oracles: []Oracle{sameBytes, {audit{Datagrams("", func(_, _ []string) string { return "" }).judge, now}}}, Dict: []string{"p", "ppppp", "pppppppppp"},
		Sometimes: []string{"a parcel is refused", "a sender's tenth parcel comes"},
		Setup: func(w *World) (err error) {
			b := &books{}
			*now = b
			if b.sink, err = take.Spawn(w.Loop(1), sink{books: b, probe: w.Probe(), fault: fault}); err != nil {
				return err
			}
			_, err = send.Listen(w.Loop(0), "tcp", ":7000", sender{books: b, probe: w.Probe(), fault: fault})
			return err
		},
	}
}

// A parcel that is accepted is handled once and in order, and a gate that closed opens
// again. The search finds machines that do otherwise.
func TestParcels(t *testing.T) {
	t.Parallel()
	found := Find(parcelSpec(0), 1, Budget{Runs: testenv.Pick(300, 3000), Workers: 1})
	if found.Failure != nil || len(found.Unseen) > 0 {
		t.Errorf("%s", found.Explain())
	}
	for _, c := range []struct {
		fault int
		want  string
	}{
		{loses, `linearizability "books": `},
		{doubles, "always: parcels of a sender come once, in order"},
		{swaps, "always: parcels of a sender come once, in order"},
		{neverReopens, `model "echo": `},
	} {
		found := Find(parcelSpec(c.fault), 1, Budget{Runs: 3000, Workers: 1})
		if found.Failure == nil || !strings.HasPrefix(found.Failure.Error(), c.want) {
			t.Errorf("fault %d: %v: want %s", c.fault, found, c.want)
		} else if len(found.Trace) > 4 {
			t.Errorf("fault %d: %d events: want 4 at most\n%s", c.fault, len(found.Trace), found.Trace)
		}
	}
}

// Two machines that wait for room in the mailbox of a third one both get some, turn after
// turn.
func TestGateIsFair(t *testing.T) {
	spec := parcelSpec(0) // the sink's Mailbox is 2, and it is busy 10 ms after each fourth parcel
	w := newEngine(spec)
	tr, err := trace.Parse("dial 1\ndial 0\nsend 1 word=2\nsend 0 word=0\nsend 1 word=0 more=2000\nadvance n=1 unit=3\n")
	if err != nil {
		t.Fatal(err)
	}
	w.begin(tr)
	defer w.world.Cleanup()
	for _, e := range tr {
		w.world.Do(e)
	}
	if len(w.world.Conn(0).Got) == 0 {
		t.Errorf("connection 0 has waited for a second, in which connection 1 had %d parcels accepted", len(w.world.Conn(1).Got))
	}
}
