package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

// A proxy passes bytes on between its client and a target that it dials. Its mistake, if it
// makes one, is planted by wrong.
type proxy struct {
	wrong        string
	moved        int
	ended, other bool // the client's input has ended, the target's
}

var (
	proxyKind = newProxy(client.Readable().While(upstream.Room()) | upstream.Readable().While(client.Room()))
	hasty     = newProxy(client.Readable() | upstream.Readable()) // reads although there is no room for it
)

func newProxy(wait fsm.Ready) *reactor.Kind[proxy, reactor.None] {
	return reactor.Must(reactor.NewKind("proxy", reactor.Options{Ports: []string{"client", "upstream"}, WriteBuffer: 4 << 10}, reactor.Table[proxy, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		dialling: {Name: "dialling", Wait: upstream.Opened(), Within: fsm.After(5*time.Second, fsm.Stop), OnReady: func(*proxy, *echoCx, reactor.Ready) reactor.State { return relaying },
			OnEnter: func(_ *proxy, cx *echoCx) reactor.State { return cx.Fail(cx.Dial(upstream, "tcp", "10.0.0.1:80")) }, To: fsm.To(relaying)},
		relaying: {Name: "relaying", Wait: wait, Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*proxy).relay},
	}))
}

func (p *proxy) relay(cx *echoCx, ready reactor.Ready) reactor.State {
	for _, way := range []struct {
		from, to reactor.Port
		over     *bool
	}{{client, upstream, &p.ended}, {upstream, client, &p.other}} {
		if !ready.Has(way.from.Readable()) || *way.over {
			continue
		}
		err := p.move(cx, way.to, way.from)
		if errors.Is(err, io.EOF) {
			if *way.over, err = true, nil; p.wrong != "keeps the end" {
				err = cx.CloseWrite(way.to)
			}
		}
		switch {
		case err == nil, errors.Is(err, reactor.ErrWouldBlock), errors.Is(err, reactor.ErrFull) && p.wrong != "fails when full":
			continue
		case p.wrong == "closes what broke":
			cx.Close(way.from)
			return fsm.Stop
		case p.wrong == "closes and fails":
			cx.Close(way.from)
			return cx.Fail(err)
		case p.wrong == "hides what broke":
			return fsm.Stop
		}
		return cx.Fail(err)
	}
	if p.ended && p.other || (p.ended || p.other) && p.wrong == "stops at one end" {
		return fsm.Stop
	}
	return fsm.Stay
}

// move moves bytes from one port to the other.
func (p *proxy) move(cx *echoCx, to, from reactor.Port) error {
	if p.wrong != "changes a byte" && p.wrong != "loses what is refused" && p.wrong != "fails when full" {
		_, err := cx.Copy(to, from)
		return err
	}
	in, err := cx.Peek(from)
	if err != nil {
		return err
	}
	n := min(len(in), 1000)
	b := bytes.Clone(in[:n])
	switch p.moved += n; {
	case p.wrong == "changes a byte" && p.moved > 5000:
		b[0] ^= 1
	case p.wrong == "loses what is refused":
		cx.Discard(from, n)
		cx.Write(to, b)
		return nil
	}
	if err := cx.Write(to, b); err != nil {
		return err
	}
	cx.Discard(from, n)
	return nil
}

func proxySpec(wrong string) Spec {
	return Spec{
		Setup: func(w *World) error {
			kind := proxyKind
			if wrong == "fails when full" {
				kind = hasty
			}
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", proxy{wrong: wrong})
			return err
		},
		Dict:    []string{"request\n", "reply\n", strings.Repeat("long ", 600)},
		Oracles: []Oracle{Relay("proxy", ":7000", "10.0.0.1:80")},
	}
}

// Relay passes a proxy that is right, and fails those that are not.
func TestRelayOracle(t *testing.T) {
	if found := Find(proxySpec(""), 1, Budget{Runs: testenv.Pick(200, 2_000)}); found.Failure != nil {
		t.Error(found.Explain())
	}
	proxies := []struct{ wrong, want string }{
		{"changes a byte", `model "proxy": connection `},
		{"stops at one end", `model "proxy": the machine of connections 0 and 4 ends by itself, and the peer of connection `},
		{"keeps the end", `model "proxy": connection 4 gets no end, although the peer of connection 0 has half-closed`},
		{"hides what broke", `model "proxy": connection `},
		{"closes what broke", `model "proxy": connection `},
		{"closes and fails", `model "proxy": connection `},
		{"fails when full", `model "proxy": the machine of connections `},
		{"loses what is refused", `model "proxy": connection `},
	}
	for _, c := range proxies[:testenv.Pick(6, len(proxies))] {
		for seed := range uint64(testenv.Pick(1, 3)) { // most need some 1,000 runs
			found := Find(proxySpec(c.wrong), seed, Budget{Runs: 5000})
			if t.Log(c.wrong, found.Runs, found.Failure); found.Failure == nil || !strings.HasPrefix(found.Failure.Error(), c.want) {
				t.Errorf("%s: %v: want %s", c.wrong, found.Explain(), c.want)
			}
		}
	}
}

// A caller asks a server for a number, and again after a while if the connection breaks or the
// answer is wrong. It says which one it got.
type caller struct {
	wrong string
	asked int
}

const (
	calling = fsm.First + iota
	asking
	pausing
)

var callerKind = reactor.Must(reactor.NewKind("caller", reactor.Options{Ports: []string{"server"}},
	reactor.Table[caller, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Fail: pausing, Stall: fsm.After(10*time.Second, pausing)},
		calling: {Name: "calling", Wait: peer.Opened(), Within: fsm.After(5*time.Second, pausing), OnReady: func(*caller, *echoCx, reactor.Ready) reactor.State { return asking },
			OnEnter: func(_ *caller, cx *echoCx) reactor.State { return cx.Fail(cx.Dial(peer, "tcp", "10.0.0.1:80")) }, To: fsm.To(asking)},
		asking: {Name: "asking", Wait: peer.Readable(), Within: fsm.After(5*time.Second, pausing), OnEnter: (*caller).ask, OnReady: (*caller).hear, To: fsm.To(pausing, asking)},
		pausing: {Name: "pausing", Within: fsm.After(time.Second, calling), OnEnter: func(c *caller, cx *echoCx) reactor.State {
			cx.Close(peer)
			return fsm.Stay
		}},
	}))

func (c *caller) ask(cx *echoCx) reactor.State {
	c.asked++
	if c.wrong == "loses its way" && c.asked == 7 {
		return cx.Fail(cx.Write(peer, []byte("again\n")))
	}
	return cx.Fail(cx.Write(peer, []byte("next\n")))
}

func (c *caller) hear(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	n := bytes.IndexByte(in, '\n') + 1
	if n == 0 {
		return fsm.Stay
	}
	cx.Discard(peer, n)
	return asking
}

// A client under test is judged by what it sends to a backend.
func TestClientOfABackend(t *testing.T) {
	t.Parallel()
	numbers := Model[int, string]{
		Input: firstLine,
		Step:  func(count *int, _ string) string { *count++; return fmt.Sprintf("number %d\n", *count) },
		Over:  func(count int) bool { return count == 5 },
	}
	polite := Model[struct{}, string]{ // a question at the beginning, and one for each answer
		Greeting: "next\n",
		Input:    numbers.Input,
		Step:     func(*struct{}, string) string { return "next\n" },
	}
	spec := func(wrong string) Spec {
		return Spec{
			Setup: func(w *World) error {
				_, err := callerKind.Spawn(w.Loop(0), caller{wrong: wrong})
				return err
			},
			Dict:     []string{"number 7\n", "oops"},
			Backends: []Backend{Serve("10.0.0.1:80", numbers)},
			Oracles:  []Oracle{PerConn("questions", polite).At("10.0.0.1:80")},
		}
	}
	if found := Find(spec(""), 1, Budget{Runs: testenv.Pick(30, 150)}); found.Failure != nil {
		t.Error(found.Explain())
	}
	found := Find(spec("loses its way"), 1, Budget{Runs: 1000})
	if found.Failure == nil || found.Failure.Oracle != `model "questions"` {
		t.Error(found.Explain())
	}
}

// Two listeners have two protocols, and a model for each: of bytes that come back, and of bytes
// that count.
func TestTwoListeners(t *testing.T) {
	count := reactor.Must(reactor.NewKind("count", reactor.Options{Ports: []string{"peer"}}, reactor.Table[int, reactor.None]{
		{Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		{Name: "counting", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(n *int, cx *echoCx, _ reactor.Ready) reactor.State {
			in, err := cx.Peek(peer)
			if err != nil {
				return cx.Fail(err)
			}
			var b [16]byte
			if err := cx.Write(peer, fmt.Appendf(b[:0], "%d\n", *n+1)); err != nil {
				return fsm.Stay
			}
			*n++
			cx.Discard(peer, min(1, len(in)))
			return fsm.Stay
		}}}))
	one := func(in []byte) (byte, int, bool) { return in[0], 1, true }
	same := Model[struct{}, byte]{Input: one, Step: func(_ *struct{}, b byte) string { return string([]byte{b}) }}
	counts := Model[int, byte]{Input: one, Step: func(n *int, _ byte) string { *n++; return fmt.Sprintf("%d\n", *n) }}
	spec := Spec{Dict: []string{"a", "bc"}, Setup: func(w *World) error {
		_, err := echoKind.Listen(w.Loop(0), "tcp", ":7000", echo{})
		if err == nil {
			_, err = count.Listen(w.Loop(0), "tcp", ":7001", 0)
		}
		return err
	}}
	spec.Oracles = []Oracle{PerConn("echo", same).At(":7000"), PerConn("count", counts).At("127.0.0.1:7001")}
	if found := Find(spec, 1, Budget{Runs: testenv.Pick(300, 1000)}); found.Failure != nil || len(found.Unseen) > 0 {
		t.Error(found.Explain())
	}
	spec.Oracles = []Oracle{PerConn("echo", same).At(":7002"), Relay("relay", ":7000", "10.0.0.1:80")}
	found := Find(spec, 1, Budget{Runs: 100})
	if want := []string{`a connection for model "echo"`, `a connection for model "relay"`}; !slices.Equal(found.Unseen, want) {
		t.Errorf("no connection is judged, and unseen are %q: want %q", found.Unseen, want)
	}
	spec.Oracles = []Oracle{PerConn("echo", same).At(":7001")}
	if found := Find(spec, 1, Budget{Runs: 100}); found.Failure == nil || found.Failure.Oracle != `model "echo"` {
		t.Errorf("the model of the other listener: %v", found)
	}
}

// A proxy that has ended, by a shutdown or a deadline, passes nothing more on, although its
// connections linger.
func TestRelayOfEndedMachine(t *testing.T) {
	mute := Model[struct{}, string]{Greeting: "220\n", Step: func(*struct{}, string) string { return "" },
		Input: func(in []byte) (string, int, bool) { return "", len(in), true }}
	for _, text := range []string{
		"dial 0 listener=0\nabrupt 4 calls=0 what=1003\nabrupt 0 calls=0 what=3\nleave 0\n",
		"connect-waits 0 ms=0 times=0\ndial 0 listener=0\nsend 0 word=0\njump n=5 unit=3\n",
	} {
		tr, err := trace.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, backends := range [][]Backend{nil, {Serve("10.0.0.1:80", mute)}} {
			s := proxySpec("")
			s.Backends = backends
			if found := Replay(s, tr); found.Failure != nil {
				t.Error(found.Explain())
			}
		}
	}
}

// At an address that is silent a machine waits for as long as it does, which a model judges, and
// at one that refuses it learns so at once.
func TestAnswers(t *testing.T) {
	t.Parallel()
	ends := func(after time.Duration) Oracle {
		return PerConn("patience", Model[struct{}, string]{
			Input: func(in []byte) (string, int, bool) { return string(in), len(in), true },
			Step:  func(*struct{}, string) string { return "" },
			Ends:  func(_ struct{}, at Moment) time.Duration { return at.Begin + after },
		})
	}
	for _, c := range []struct {
		answer Answer
		after  time.Duration
		want   string
	}{
		{IsSilent, 5 * time.Second, ""},
		{IsSilent, 3 * time.Second, `model "patience": connection 0: `},
		{Refuses, 0, ""},
	} {
		s := proxySpec("")
		s.Answers = func(driver.Addr) Answer { return c.answer }
		if s.Oracles = nil; c.after > 0 {
			s.Oracles = []Oracle{ends(c.after)}
		}
		found := Find(s, 1, Budget{Runs: 300})
		if text := fmt.Sprint(found.Failure); c.want == "" && found.Failure != nil || !strings.HasPrefix(text, c.want) {
			t.Errorf("%v, %v: %s\nwant %q", c.answer, c.after, found.Explain(), c.want)
		}
		if relays := !slices.Contains(found.Missing, "proxy: dialling → relaying"); relays {
			t.Errorf("%v: a connection was made", c.answer)
		}
	}
}
