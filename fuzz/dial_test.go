package fuzz

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// assisted serves a client with the help of a server that it dials. If the server takes too long,
// it serves the client alone. Its mistake, if it makes one, is planted by wrong.
type assisted struct {
	addr, wrong string
	probe       probe.Probe
	began       time.Duration
}

const (
	assistedDialling = fsm.First + iota
	assistedHelped
	assistedAlone
)

var assistedKind = reactor.Must(reactor.NewKind("assisted", reactor.Options{Ports: []string{"client", "upstream"}}, reactor.Table[assisted, reactor.None]{
	{Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
	assistedDialling: {Name: "dialling", Wait: upstream.Opened(), Within: fsm.After(200*time.Millisecond, assistedAlone), Fail: assistedAlone, To: fsm.To(assistedHelped),
		OnEnter: func(h *assisted, cx *echoCx) reactor.State {
			h.began = cx.Now()
			return cx.Fail(cx.Dial(upstream, "tcp", h.addr))
		},
		OnReady: func(*assisted, *echoCx, reactor.Ready) reactor.State { return assistedHelped }},
	assistedHelped: {Name: "helped", Wait: client.Readable() | upstream.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), Fail: fsm.Stop,
		OnEnter: func(h *assisted, cx *echoCx) reactor.State {
			left := time.Second - (cx.Now() - h.began)
			if h.wrong == "hurried" { // as if the dial took no time
				left -= 900 * time.Millisecond
			}
			h.probe.Always("there is time left", left > 0)
			return fsm.Stay
		},
		OnReady: (*assisted).hear},
	assistedAlone: {Name: "alone", Wait: client.Readable() | upstream.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), Fail: fsm.Stop,
		OnEnter: func(h *assisted, cx *echoCx) reactor.State {
			if h.wrong != "forgets" || !errors.Is(cx.Cause(), reactor.ErrTimeout) {
				cx.Close(upstream)
			}
			return fsm.Stay
		},
		OnReady: func(h *assisted, cx *echoCx, ready reactor.Ready) reactor.State {
			h.probe.Always("it is alone", !ready.Has(upstream.Readable()))
			return h.hear(cx, ready)
		}},
}))

func (h *assisted) hear(cx *echoCx, ready reactor.Ready) reactor.State {
	for _, p := range []reactor.Port{client, upstream} {
		if ready.Has(p.Readable()) {
			in, err := cx.Peek(p)
			if err != nil {
				return cx.Fail(err)
			}
			cx.Discard(p, len(in))
		}
	}
	return fsm.Stay
}

func assistedSpec(addr, wrong string) Spec {
	return Spec{Dict: []string{"hello"}, Without: LateEnd, Names: map[string][]string{"help.test": {"10.0.0.1"}},
		Setup: func(w *World) error {
			_, err := assistedKind.Listen(w.Loop(0), "tcp", ":7000", assisted{addr: addr, wrong: wrong, probe: w.Probe()})
			return err
		}}
}

// What goes wrong if a connection takes time, or the look-up of a name, is found; it is not if
// both take none.
func TestLateDial(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"10.0.0.1:80", "help.test:80"} {
		for _, wrong := range []string{"hurried", "forgets"} {
			if wrong == "forgets" && addr != "10.0.0.1:80" {
				continue
			}
			for seed := range uint64(testenv.Pick(2, 10)) {
				found := Find(assistedSpec(addr, wrong), seed, Budget{Runs: 1000})
				if found.Failure == nil || found.Failure.Oracle != "always" {
					t.Errorf("%s %s: seed %d: %v", addr, wrong, seed, found)
				} else if text := found.Explain(); !strings.Contains(text, "connect-waits\n") && !strings.Contains(text, "lookup-waits\n") {
					t.Errorf("%s %s: seed %d: the fault is not named\n%s", addr, wrong, seed, text)
				}
			}
			spec := assistedSpec(addr, wrong)
			spec.Faults = trace.Weights{trace.ConnectWaits: 0, trace.LookUpWaits: 0, trace.Jump: 0}
			if found := Find(spec, 1, Budget{Runs: 300}); found.Failure != nil {
				t.Errorf("%s %s: without waits: %s", addr, wrong, found.Explain())
			}
		}
		if found := Find(assistedSpec(addr, ""), 1, Budget{Runs: testenv.Pick(200, 1000)}); found.Failure != nil {
			t.Error(found.Explain())
		}
	}
}

// dialOnce dials when it is spawned, and keeps how that ended.
type dialOnce struct {
	addr string
	got  *error
}

var errOpened = errors.New("opened")

// A trace says when a connection attempt and a look-up are answered, and how.
func TestDialTakesTime(t *testing.T) {
	k := reactor.Must(reactor.NewKind("once", reactor.Options{Ports: []string{"server"}}, reactor.Table[dialOnce, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "dialling", Wait: peer.Opened(), Within: fsm.After(time.Minute, fsm.Stop), Fail: fsm.First + 1, To: fsm.To(fsm.First + 1),
			OnEnter: func(m *dialOnce, cx *echoCx) reactor.State { return cx.Fail(cx.Dial(peer, "tcp", m.addr)) },
			OnReady: func(m *dialOnce, _ *echoCx, _ reactor.Ready) reactor.State {
				*m.got = errOpened
				return fsm.First + 1
			}},
		{Name: "over", Within: fsm.After(time.Minute, fsm.Stop), OnEnter: func(m *dialOnce, cx *echoCx) reactor.State {
			if *m.got == nil {
				*m.got = cx.Cause()
			}
			return fsm.Stay
		}},
	}))
	var dns *net.DNSError
	for _, c := range []struct {
		addr, trace string
		is          func(error) bool
	}{
		{"10.0.0.1:80", "act 0", func(err error) bool { return err == errOpened }},
		{"10.0.0.1:80", "connect-waits 0 ms=5\nact 0\nadvance n=4 unit=1", func(err error) bool { return err == nil }},
		{"10.0.0.1:80", "connect-waits 0 ms=5\nact 0\nadvance n=5 unit=1", func(err error) bool { return err == errOpened }},
		{"10.0.0.1:80", "connect-waits 0 ms=5\nconnect-fails 0\nact 0\nadvance n=4 unit=1", func(err error) bool { return err == nil }},
		{"10.0.0.1:80", "connect-waits 0 ms=5\nconnect-fails 0\nact 0\nadvance n=5 unit=1", func(err error) bool { return errors.Is(err, reactor.ErrRefused) }},
		{"10.0.0.1:80", "connect-waits 0 ms=5\nconnect-fails 0 how=1\nact 0\nadvance n=9 unit=1", func(err error) bool { return err == nil }},
		{"there.test:80", "act 0", func(err error) bool { return err == errOpened }},
		{"there.test:80", "connect-fails 0\nact 0", func(err error) bool { return err == errOpened }}, // by the other address
		{"there.test:80", "lookup-waits 0 ms=5\nact 0\nadvance n=4 unit=1", func(err error) bool { return err == nil }},
		{"there.test:80", "lookup-waits 0 ms=5\nact 0\nadvance n=5 unit=1", func(err error) bool { return err == errOpened }},
		{"there.test:80", "lookup-fails 0\nact 0", func(err error) bool { return errors.As(err, &dns) && dns.IsNotFound }},
		{"there.test:80", "lookup-fails 0 how=1\nact 0", func(err error) bool { return errors.As(err, &dns) && dns.IsTimeout }},
		{"nowhere.test:80", "act 0", func(err error) bool { return errors.As(err, &dns) && dns.IsNotFound }},
	} {
		var got, then error
		e := newEngine(Spec{Names: map[string][]string{"there.test": {"fd00::1", "10.0.0.1"}}, Setup: func(w *World) error {
			got = nil
			w.Action("dial", func(int) { k.Spawn(w.Loop(0), dialOnce{c.addr, &got}) })
			return nil
		}})
		e.world.Attach(atStage{func() { then = got }})
		tr, err := trace.Parse(c.trace)
		if err != nil {
			t.Fatal(err)
		}
		if f := e.check(tr, true); f != nil && f.Oracle != "quiescence" {
			t.Error(f)
		}
		e.run(tr)
		if !c.is(then) {
			t.Errorf("%s: %q: got %v", c.addr, c.trace, then)
		}
	}
}
