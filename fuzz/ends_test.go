package fuzz

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// polite answers each line with the line itself, and QUIT with goodbye. Its fields plant
// mistakes.
type polite struct {
	how     string
	answers int
	deaf    bool
}

const (
	politeReading = fsm.First + iota
	politeParting
)

func politeSpec(how string, over func(bool) bool) Spec {
	k := reactor.Must(reactor.NewKind("polite", reactor.Options{Ports: []string{"peer"}}, reactor.Table[polite, reactor.None]{
		{Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		{Name: "reading", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, politeParting), OnEnter: (*polite).enter, OnReady: (*polite).read,
			To: fsm.To(politeParting)},
		{Name: "parting", Wait: peer.Drained(), Within: fsm.After(time.Second, fsm.Stop), OnReady: (*polite).part},
	}))
	return Spec{
		Dict: []string{"hello\n", "QUIT\n", "half", "a\nb\nc\n"}, Isolated: true,
		Oracles: []Oracle{PerConn("lines", Model[bool, string]{
			New: func() (over bool) { return false },
			Input: func(in []byte) (string, int, bool) {
				at := bytes.IndexByte(in, '\n')
				return string(in[:at+1]), at + 1, at >= 0
			},
			Step: func(over *bool, line string) string {
				switch {
				case *over:
					return ""
				case line == "QUIT\n":
					*over = true
					return "bye\n"
				}
				return line
			},
			Over: over,
		})},
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", polite{how: how})
			return err
		},
	}
}

func (p *polite) enter(*echoCx) reactor.State {
	if p.how == "ends at once" {
		return fsm.Stop
	}
	return fsm.Stay
}

func (p *polite) read(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	if p.deaf {
		cx.Discard(peer, len(in))
		return fsm.Stay
	}
	line, _, whole := bytes.Cut(in, []byte("\n"))
	if !whole {
		return fsm.Stay
	}
	cx.Discard(peer, len(line)+1)
	p.answers++
	switch {
	case string(line) == "QUIT":
		if err := cx.Write(peer, []byte("bye\n")); err != nil {
			return cx.Fail(err)
		}
		if p.how == "stays" {
			p.deaf = true
			return fsm.Stay
		}
		return politeParting
	case p.how == "ends behind two answers" && p.answers == 2:
		return fsm.Stop
	}
	return cx.Fail(cx.Write(peer, append(line, '\n')))
}

func (p *polite) part(*echoCx, reactor.Ready) reactor.State { return fsm.Stop }

// A machine that ends by itself must have given all answers. If the model has an Over, the
// machine must end exactly when the connection is over.
func TestEndsAreJudged(t *testing.T) {
	over := func(over bool) bool { return over }
	for _, c := range []struct {
		how  string
		over func(bool) bool
		want string
		most int
	}{
		{"is right", nil, "", 0},
		{"is right", over, "", 0},
		{"ends at once", nil, `, and its machine ends, without a reason: want "`, 2},
		{"ends at once", over, "connection 0: its machine has ended it by itself: the model's Over says that it is not over", 1},
		{"ends behind two answers", nil, `, and its machine ends, without a reason: want "`, 2},
		{"stays", nil, "", 0},
		{"stays", over, "connection 0: is still open: the model's Over says that its machine is to end it", 2},
	} {
		runs := 400
		if c.want == "" {
			runs = 300
		}
		found := Find(politeSpec(c.how, c.over), 1, Budget{Runs: runs})
		got := ""
		if found.Failure != nil {
			got = found.Failure.Error()
		}
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("one that %s: %q: want %q\n%s", c.how, got, c.want, found.Explain())
		}
		if len(found.Trace) > c.most {
			t.Errorf("one that %s: %d events: want %d at most\n%s", c.how, len(found.Trace), c.most, found.Trace)
		}
	}
}
