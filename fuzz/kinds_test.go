package fuzz

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// relay copies between a client and an upstream that it dials.
type relay struct{ client, upstream bool }

const (
	client   reactor.Port = 0
	upstream reactor.Port = 1

	dialling = fsm.First
	relaying = fsm.First + 1
)

var relayKind = reactor.Must(reactor.NewKind("relay", reactor.Options{Ports: []string{"client", "upstream"}, WriteBuffer: 1 << 10},
	reactor.Table[relay, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		dialling: {Name: "dialling", Wait: upstream.Opened(), Within: fsm.After(5*time.Second, fsm.Stop), OnEnter: (*relay).dial, OnReady: (*relay).opened,
			To: fsm.To(relaying)},
		relaying: {Name: "relaying", Wait: client.Readable().While(upstream.Room()) | upstream.Readable().While(client.Room()),
			Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*relay).both},
	}))

func (r *relay) dial(cx *echoCx) reactor.State {
	return cx.Fail(cx.Dial(upstream, "tcp", "10.0.0.1:80"))
}

func (r *relay) opened(*echoCx, reactor.Ready) reactor.State { return relaying }

func (r *relay) both(cx *echoCx, ready reactor.Ready) reactor.State {
	if ready.Has(client.Readable()) && !r.client {
		if err := r.move(cx, upstream, client, &r.client); err != nil {
			return cx.Fail(err)
		}
	}
	if ready.Has(upstream.Readable()) && !r.upstream {
		if err := r.move(cx, client, upstream, &r.upstream); err != nil {
			return cx.Fail(err)
		}
	}
	if r.client && r.upstream {
		return fsm.Stop
	}
	return fsm.Stay
}

func (r *relay) move(cx *echoCx, to, from reactor.Port, over *bool) error {
	_, err := cx.Copy(to, from)
	if err != nil && cx.Err(from) != nil && err == cx.Err(from) && err.Error() == "EOF" {
		*over = true
		return cx.CloseWrite(to)
	}
	if err == reactor.ErrWouldBlock || errors.Is(err, reactor.ErrFull) {
		return nil
	}
	return err
}

func TestRelay(t *testing.T) {
	Run(t, Spec{
		Setup: func(w *World) error {
			_, err := relayKind.Listen(w.Loop(0), "tcp", ":7000", relay{})
			return err
		},
		Dict: []string{"request\n", "a reply that is longer\n", string(make([]byte, 3000))},
	})
}

// A machine that gets its answers from a listener of its own loop owes no answers while that
// listener gives none because of a fault or a limit.
func TestOwnListener(t *testing.T) {
	s := Spec{Dict: []string{"hello"}, Oracles: []Oracle{sameBytes}, Setup: func(w *World) error {
		if _, err := echoKind.Listen(w.Loop(0), "tcp", "10.0.0.1:80", echo{}); err != nil {
			return err
		}
		_, err := relayKind.Listen(w.Loop(0), "tcp", ":7000", relay{})
		return err
	}}
	for _, text := range []string{
		"dial 0 listener=1\nsend 0\n",
		"connect-fails 0 how=1 times=1\ndial 0 listener=1\nsend 0\n",
		"limit slots=1 steps=0\ndial 0 listener=1\nsend 0\n",
		"limit slots=2 steps=0\ndial 0 listener=1\ndial 1 listener=1\nsend 0\nsend 1\n",
	} {
		tr, err := trace.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if found := Replay(s, tr); found.Failure != nil {
			t.Errorf("%v of\n%s", found.Failure, text)
		}
	}
	if found := Find(s, 1, Budget{Runs: 500}); found.Failure != nil {
		t.Error(found.Explain())
	}
}

// When a listener is gone with its loop, no peer accepts at its address: a silent peer there
// would make the relay owe answers to its clients.
func TestListenerThatIsGone(t *testing.T) {
	s := Spec{Loops: 2, Dict: []string{"hello"}, Oracles: []Oracle{sameBytes}, Setup: func(w *World) error {
		if _, err := echoKind.Listen(w.Loop(1), "tcp", "10.0.0.1:80", echo{}); err != nil {
			return err
		}
		_, err := relayKind.Listen(w.Loop(0), "tcp", ":7000", relay{})
		return err
	}}
	tr, err := trace.Parse("leave 1\ndial 0 listener=1\nsend 0\n")
	if err != nil {
		t.Fatal(err)
	}
	if found := Replay(s, tr); found.Failure != nil {
		t.Error(found.Explain())
	}
}

// A handler may not call with the loop of another machine as the Host, as in production.
func TestHostInHandler(t *testing.T) {
	var other *reactor.Loop
	var got error
	k := reactor.Must(reactor.NewKind("asker", reactor.Options{Ports: []string{"peer"}}, reactor.Table[echo, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "asking", Wait: peer.Readable(), Idle: fsm.Never, OnReady: func(*echo, *echoCx, reactor.Ready) reactor.State {
			_, got = echoKind.Listen(other, "tcp", ":7001", echo{})
			return fsm.Stop
		}},
	}))
	tr, err := trace.Parse("dial 0\nsend 0\n")
	if err != nil {
		t.Fatal(err)
	}
	found := Replay(Spec{Loops: 2, Dict: []string{"hello"}, Setup: func(w *World) error {
		other = w.Loop(1)
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", echo{})
		return err
	}}, tr)
	if found.Failure != nil || !errors.Is(got, reactor.ErrInHandler) {
		t.Errorf("Listen at another loop in a handler: got %v, %v, want ErrInHandler", got, found.Failure)
	}
}

// member is a member of a room: what one sends, all get, on whatever loop they are.
type member struct {
	all   *[]reactor.Ref[said]
	timer int
}

type said struct{ text string }

type roomCx = reactor.Context[said]

var memberKind = reactor.Must(reactor.NewKind("member", reactor.Options{
	Ports: []string{"peer"}, Timers: []reactor.TimerSpec{{Name: "nudge"}}, Mailbox: 4, WriteBuffer: 512},
	reactor.Table[member, said]{
		fsm.Any: {Shutdown: fsm.Stop, OnMessage: (*member).hear, OnExit: (*member).leave},
		{Name: "joining", OnEnter: (*member).join, Within: fsm.After(time.Second, fsm.Stop), Wait: peer.Readable(), OnReady: (*member).first, To: fsm.To(2)},
		{Name: "joined", Wait: peer.Readable().While(fsm.Sendable), OnReady: (*member).say, Idle: fsm.After(time.Minute, fsm.Stop), OnTimer: (*member).nudge,
			OnEnter: func(_ *member, cx *roomCx) reactor.State { return cx.Fail(cx.Arm(0, time.Second)) }, To: fsm.To(2, 3)},
		{Name: "busy", Defer: true, Within: fsm.After(50*time.Millisecond, 2)},
	}))

func (m *member) join(cx *roomCx) reactor.State {
	*m.all = append(*m.all, cx.Self())
	return fsm.Stay
}

func (m *member) leave(cx *roomCx) {
	*m.all = slices.DeleteFunc(*m.all, func(r reactor.Ref[said]) bool { return r == cx.Self() })
}

func (m *member) first(cx *roomCx, _ reactor.Ready) reactor.State {
	if _, err := cx.Peek(peer); err != nil {
		return cx.Fail(err)
	}
	return 2
}

func (m *member) say(cx *roomCx, _ reactor.Ready) reactor.State {
	var b [16]byte
	n, err := cx.Read(peer, b[:])
	if err != nil {
		return cx.Fail(err)
	}
	for _, to := range *m.all {
		to.Post(&cx.IO, said{string(b[:n])})
	}
	return fsm.Stay
}

func (m *member) hear(cx *roomCx, s *said) reactor.State {
	err := cx.Write(peer, []byte(s.text))
	if errors.Is(err, reactor.ErrFull) {
		return fsm.Stay
	}
	if err == nil && s.text == "busy" && cx.State() == 2 {
		return 3
	}
	return cx.Fail(err)
}

func (m *member) nudge(cx *roomCx, _ reactor.Fired) reactor.State {
	if m.timer++; m.timer > 3 {
		return fsm.Stay
	}
	return cx.Fail(cx.Arm(0, time.Second))
}

func TestRoom(t *testing.T) {
	Run(t, Spec{
		Loops:   2,
		Without: Segmentation, // the mailbox of a fast reader is full
		Setup: func(w *World) error {
			all := new([]reactor.Ref[said])
			for i := range w.Loops() {
				if _, err := memberKind.Listen(w.Loop(i), "tcp", []string{":7000", ":7001"}[i], member{all: all}); err != nil {
					return err
				}
			}
			w.Action("announce", func(arg int) {
				if len(*all) > 0 {
					(*all)[arg%len(*all)].Send(said{"news"})
				}
			})
			return nil
		},
		Dict: []string{"hello", "busy", "a line that is longer than a buffer\n"},
	})
}

// lines answers whole lines only, and leaves an incomplete one in the buffer.
type lines struct{}

func (*lines) line(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	at := bytes.IndexByte(in, '\n')
	if at < 0 {
		return fsm.Stay
	}
	if err := cx.Write(peer, append([]byte("line: "), in[:at+1]...)); err != nil {
		return cx.Fail(err)
	}
	cx.Discard(peer, at+1)
	return fsm.Stay
}

func TestLines(t *testing.T) {
	k := reactor.Must(reactor.NewKind("lines", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[lines, reactor.None]{{}, {Name: "reading", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Hour, fsm.Stop), OnReady: (*lines).line}}))
	Run(t, Spec{
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", lines{})
			return err
		},
		Dict:     []string{"half a line", "\n", "one\ntwo\nthr", "ee\n"},
		Isolated: true,
		Oracles: []Oracle{PerConn("lines", Model[struct{}, string]{
			Input: func(in []byte) (string, int, bool) {
				at := bytes.IndexByte(in, '\n')
				return string(in[:at+1]), at + 1, at >= 0
			},
			Step: func(_ *struct{}, s string) string { return "line: " + s },
		})},
	})
}
