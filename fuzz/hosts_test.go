package fuzz

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// host sends a greeting, and answers bytes with the same bytes some time later. When its
// peer half-closes, it either sends the answers that are due or drops them.
type host struct {
	greeting string
	after    time.Duration
	drops    bool
	due      string
}

const (
	hostTalking = fsm.First + iota
	hostParting
)

func hostSpec(h host, patience time.Duration, m Model[struct{}, byte], oracle func(string, Model[struct{}, byte]) Oracle) Spec {
	k := reactor.Must(reactor.NewKind("host", reactor.Options{Ports: []string{"peer"}, Timers: []reactor.TimerSpec{{Name: "answer", In: fsm.To(hostTalking, hostParting)}}},
		reactor.Table[host, reactor.None]{
			{Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnTimer: (*host).answer},
			{Name: "talking", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop), OnEnter: (*host).greet, OnReady: (*host).hear, To: fsm.To(hostParting)},
			{Name: "parting", Within: fsm.After(time.Minute, fsm.Stop)},
		}))
	m.New = func() (s struct{}) { return s }
	m.Input = func(in []byte) (byte, int, bool) { return in[0], 1, true }
	m.Step = func(_ *struct{}, b byte) string { return string([]byte{b}) }
	return Spec{
		Dict: []string{"a", "bcd"}, Without: HangUp, Oracles: []Oracle{oracle("talk", m)}, Patience: patience,
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", h)
			return err
		},
	}
}

func (h *host) greet(cx *echoCx) reactor.State {
	return cx.Fail(cx.Write(peer, []byte(h.greeting)))
}

func (h *host) hear(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err == io.EOF && !h.drops && h.due != "" {
		return hostParting
	}
	if err == nil && h.due == "" {
		err = cx.Arm(0, h.after)
	}
	if err != nil {
		return cx.Fail(err)
	}
	h.due += string(in)
	cx.Discard(peer, len(in))
	return fsm.Stay
}

func (h *host) answer(cx *echoCx, _ reactor.Fired) reactor.State {
	err := cx.Write(peer, []byte(h.due))
	if h.due = ""; err == nil && cx.State() == hostParting {
		return fsm.Stop
	}
	return cx.Fail(err)
}

// A model says how a connection begins and whether a peer that half-closes gets answers; a
// Spec says how long answers may take.
func TestHosts(t *testing.T) {
	alone, together := PerConn[struct{}, byte], Linear[struct{}, byte]
	const soon, later, hi = 100 * time.Millisecond, 5 * time.Second, "hi\n"
	for _, c := range []struct {
		name     string
		host     host
		patience time.Duration
		model    Model[struct{}, byte]
		oracle   func(string, Model[struct{}, byte]) Oracle
		want     string // in the failure; empty: none
	}{
		{"greets", host{greeting: hi, after: soon}, 0, Model[struct{}, byte]{Greeting: hi, HalfClose: true}, alone, ""},
		{"greets all together", host{greeting: hi, after: soon}, 0, Model[struct{}, byte]{Greeting: hi}, together, ""},
		{"says nothing", host{after: soon}, 0, Model[struct{}, byte]{Greeting: hi}, alone, `gets "" for its connection itself, and no more: want "hi\n"`},
		{"says nothing to all", host{after: soon}, 0, Model[struct{}, byte]{Greeting: hi}, together, `connection 0 gets "": want "hi\n" first`},
		{"says something else", host{greeting: "ho", after: soon}, 0, Model[struct{}, byte]{Greeting: hi}, alone, `gets "ho" for its connection itself: want "hi\n"`},
		{"something else to all", host{greeting: "ho", after: soon}, 0, Model[struct{}, byte]{Greeting: hi}, together, `connection 0 gets "ho": want "hi\n" first`},
		{"greets unasked", host{greeting: hi, after: soon}, 0, Model[struct{}, byte]{}, alone, `gets "hi\n`},
		{"takes its time", host{after: later}, 2 * later, Model[struct{}, byte]{HalfClose: true}, alone, ""},
		{"takes too much of it", host{after: later}, 0, Model[struct{}, byte]{}, alone, ", and no more: want "},
		{"forgets who ended", host{after: soon, drops: true}, 0, Model[struct{}, byte]{HalfClose: true}, alone, ", and its machine ends when the peer has half-closed: want "},
		{"may forget", host{after: soon, drops: true}, 0, Model[struct{}, byte]{}, alone, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := Find(hostSpec(c.host, c.patience, c.model, c.oracle), 2, Budget{Runs: 400})
			switch {
			case c.want == "" && found.Failure != nil:
				t.Error(found.Explain())
			case c.want != "" && (found.Failure == nil || !strings.Contains(found.Failure.Error(), c.want) || len(found.Trace) > 3):
				t.Errorf("%v, %d events: want %q, in 3 at most", found, len(found.Trace), c.want)
			}
		})
	}
}
