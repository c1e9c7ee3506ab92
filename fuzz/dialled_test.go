package fuzz

import (
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// A machine that listens at a port, and dials the same port of another host, does not reach
// itself. A role of that host is none of the listener's clients.
func TestSamePortOfAnotherHost(t *testing.T) {
	k := reactor.Must(reactor.NewKind("front", reactor.Options{Ports: []string{"client", "upstream"}}, reactor.Table[echo, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "passing", Wait: client.Readable().While(upstream.Room()), Idle: fsm.After(time.Minute, fsm.Stop),
			OnEnter: func(_ *echo, cx *echoCx) reactor.State { return cx.Fail(cx.Dial(upstream, "tcp", "10.0.0.1:443")) },
			OnReady: func(_ *echo, cx *echoCx, _ reactor.Ready) reactor.State {
				_, err := cx.Copy(upstream, client)
				return cx.Fail(err)
			}},
	}))
	text := Show(Spec{
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":443", echo{})
			return err
		},
		Dict:  []string{"from a client"},
		Roles: []Role{{Addr: "10.0.0.1:443", Dict: []string{"from the server"}}},
	}, nil)
	if n := strings.Count(text, "front: any → passing"); n != 1 || !strings.Contains(text, `machine reads`) {
		t.Errorf("%d machines: want one, which reads what its client says\n%s", n, text)
	}
	if _, after, _ := strings.Cut(text, "sends  "); !strings.Contains(after, "from a client") {
		t.Errorf("want a client with its own words\n%s", text)
	}
}

// What connections get byte by byte is compared only if the same connections have the same
// numbers: this client dials again, and its server keeps what was reset.
func TestNumbersOfDialledConnections(t *testing.T) {
	const over = fsm.First + 1
	k := reactor.Must(reactor.NewKind("client", reactor.Options{Ports: []string{"server"}, ReadBuffer: 1024}, reactor.Table[echo, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Fail: over},
		{Name: "open", Wait: peer.Readable(), Idle: fsm.Never,
			OnEnter: func(_ *echo, cx *echoCx) reactor.State {
				if err := cx.Dial(peer, "tcp", "10.0.0.1:80"); err != nil {
					return cx.Fail(err)
				}
				return cx.Fail(cx.Write(peer, []byte("hello\n")))
			},
			OnReady: func(_ *echo, cx *echoCx, _ reactor.Ready) reactor.State {
				in, err := cx.Peek(peer)
				_, n, _ := Line(in)
				cx.Discard(peer, n)
				return cx.Fail(err)
			}},
		{Name: "over", Within: fsm.After(time.Second, fsm.First), OnEnter: func(_ *echo, cx *echoCx) reactor.State {
			cx.Close(peer)
			return fsm.Stay
		}},
	}))
	s := Spec{
		Setup: func(w *World) error {
			_, err := k.Spawn(w.Loop(0), echo{})
			return err
		},
		Dict:     []string{string(make([]byte, 1100))},
		Backends: []Backend{Serve("10.0.0.1:80", Model[struct{}, string]{Input: Line, Step: func(*struct{}, string) string { return "ok\n" }})},
	}
	tr, err := trace.Parse("send 4 word=0\nadvance n=1 unit=3\n")
	if err != nil {
		t.Fatal(err)
	}
	if found := Replay(s, tr); found.Failure != nil {
		t.Error(found.Failure)
	}
}

// Moment.Sent counts what is no whole input yet, and a Conn that its peer has half-closed is not
// Whole.
func TestPartsAndHalves(t *testing.T) {
	k := reactor.Must(reactor.NewKind("lines", reactor.Options{Ports: []string{"peer"}}, reactor.Table[echo, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "open", Wait: peer.Readable(), Idle: fsm.After(10*time.Second, fsm.Stop), OnReady: func(_ *echo, cx *echoCx, _ reactor.Ready) reactor.State {
			in, err := cx.Peek(peer)
			line, n, ok := Line(in)
			if err != nil || !ok {
				return cx.Fail(err)
			}
			cx.Discard(peer, n)
			return cx.Fail(cx.Write(peer, []byte(line+"\n")))
		}},
	}))
	s := Spec{
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", echo{})
			return err
		},
		Dict: []string{"a\n"},
		Oracles: []Oracle{PerConn("lines", Model[struct{}, string]{Input: Line,
			Step: func(_ *struct{}, line string) string { return line + "\n" },
			Ends: func(_ struct{}, at Moment) time.Duration { return at.Sent + 10*time.Second },
		}), Conns("halves", func(conns []Conn, _ time.Duration) string {
			for _, c := range conns {
				if c.Whole && c.HalfClosed > 0 {
					return "whole, and half-closed"
				}
			}
			return ""
		})},
	}
	for _, text := range []string{"dial 0\nadvance n=5 unit=3\nsend 0 byte=0\nadvance n=9 unit=3\n", "dial 0\nfinish 0\n"} {
		tr, err := trace.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if found := Replay(s, tr); found.Failure != nil {
			t.Errorf("%s%v", text, found.Failure)
		}
	}
}
