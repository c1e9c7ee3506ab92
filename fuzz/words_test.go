package fuzz

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fuzz/internal/search"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// castSpec has two listeners, a proxy that dials a target, and a machine that only machines
// dial. Each has words of its own.
func castSpec() Spec {
	return Spec{
		Dict: []string{"common"},
		Roles: []Role{
			{Addr: ":8000", Dict: []string{"get", "set"}, Peers: 2},
			{Addr: ":8001", Dict: []string{"stop", "start"}},
			{Addr: "10.0.0.1:80", Dict: []string{"200", "404"}},
			{Addr: ":9000", Peers: NoPeers},
		},
		Setup: func(w *World) error {
			for _, addr := range []string{":8000", ":8001", ":9000"} {
				if _, err := echoKind.Listen(w.Loop(0), "tcp", addr, echo{}); err != nil {
					return err
				}
			}
			_, err := proxyKind.Listen(w.Loop(0), "tcp", ":7000", proxy{})
			return err
		},
	}
}

// roleWatch checks who sends what, and how many peers there are.
type roleWatch struct {
	t    *testing.T
	w    *sim.World
	seen map[string]int // words, by port
	most int
}

func (*roleWatch) Wants() []sim.What { return []sim.What{sim.Sends, sim.EventOver} }

func (r *roleWatch) Observe(o *sim.Observation) {
	if o.What == sim.Sends {
		if text := string(o.Bytes); len(text) > 1 {
			r.seen[r.w.Conn(o.Conn).Addr.String()+" "+text]++
		}
		return
	}
	open := 0
	for i := range r.w.Conns() / 2 {
		c := r.w.Conn(i)
		if port := c.Addr.IP.Port(); c.Open() && port == 9000 {
			r.t.Error("a peer has dialled a listener with NoPeers")
		} else if c.Open() && port == 8000 {
			open++
		}
	}
	r.most = max(r.most, open)
}

// Peers of each listener, and the server that a machine dials, send their own words alone.
func TestRoles(t *testing.T) {
	for _, how := range []Strategy{Swarm, Guided} {
		e := newEngine(castSpec())
		e.judge.Run(nil)
		watch := &roleWatch{t: t, w: e.world, seen: map[string]int{}}
		e.world.Attach(watch)
		s := search.New(e.spec.search(how), e.world, 1)
		m := s.Maker()
		without := trace.Weights{trace.Split: 0, trace.Abrupt: 0, trace.Window: 0}
		for range 400 {
			p, _ := s.Plan()
			tr := slices.DeleteFunc(m.Make(p), func(ev trace.Event) bool { return without.Off(ev.Op) || ev.Op == trace.Send && ev.B > 0 })
			e.judge.Run(tr)
			var shown search.Shown
			e.cover.Copy(&shown)
			s.Learn(tr, &shown, e.known.Add(&shown), *e.world.Found())
		}
		want := map[string]bool{"[::]:8000 get": true, "[::]:8000 set": true, "[::]:8001 stop": true, "[::]:8001 start": true,
			"[::]:7000 common": true, "10.0.0.1:80 200": true, "10.0.0.1:80 404": true}
		for seen := range watch.seen {
			if !want[seen] {
				t.Errorf("%v: %s", how, seen)
			}
		}
		for word := range want {
			if watch.seen[word] < 20 {
				t.Errorf("%v: %s was sent %d times", how, word, watch.seen[word])
			}
		}
		if watch.most != 2 {
			t.Errorf("%v: %d peers at once: want 2", how, watch.most)
		}
	}
}

// A failure shows the words of the role, and a word of another role does nothing.
func TestRoleWordsAreShown(t *testing.T) {
	spec := castSpec()
	m := Model[struct{}, byte]{Input: func(in []byte) (byte, int, bool) { return in[0], 1, true },
		Step: func(_ *struct{}, b byte) string { return strings.ReplaceAll(string(b), "p", "?") }}
	spec.Oracles = []Oracle{PerConn("admin", m).At(":8001")}
	spec.Report = true
	found := Find(spec, 1, Budget{Runs: 1000, Soak: 100 * time.Millisecond})
	if found.Failure == nil {
		t.Fatal(found)
	}
	if len(found.Trace) != 2 || found.Trace[1].A != 2000 {
		t.Errorf("the trace is\n%s", found.Trace)
	}
	for _, text := range []string{found.Explain(), found.GoTest("castSpec()"), found.Report.Text()} {
		if !strings.Contains(text, `"stop"`) || !strings.Contains(text, "word=2000") {
			t.Errorf("the word is not shown:\n%s", text)
		}
	}
	for _, text := range []string{"dial 0 listener=1\nsend 0 word=1000\n", "dial 0 listener=1\nsend 0 word=0\n", "dial 0 listener=2\nsend 0 word=2000\n"} {
		tr, _ := trace.Parse(text)
		e := newEngine(spec)
		if f := e.run(tr); f != nil || len(e.world.Conn(0).Sent) > 0 {
			t.Errorf("%s%q was sent; %v", text, e.world.Conn(0).Sent, f)
		}
	}
	cfg := newEngine(spec).spec.search(Guided)
	tr := trace.Trace{{Op: trace.Dial, A: 1}, {Op: trace.Send, A: 2001}, {Op: trace.Send, A: 1000}, {Op: trace.Send, A: 0}}
	if again := cfg.Trace(cfg.Bytes(tr)); again.String() != tr.String() {
		t.Errorf("from bytes:\n%swant:\n%s", again, tr)
	}
}

// A role whose address is never met is named.
func TestIdleRole(t *testing.T) {
	spec := castSpec()
	spec.Roles = append(spec.Roles, Role{Addr: ":8081"})
	found := Find(spec, 1, Budget{Runs: 100})
	if found.Failure != nil || !slices.Equal(found.Unseen, []string{"a connection for role :9000", "a connection for role :8081"}) {
		t.Error(found)
	}
}

// Roles that cannot be are an error.
func TestWrongRoles(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{Roles: make([]Role, 61)}, "Spec.Roles: 61 roles: want at most 60"},
		{Spec{Roles: []Role{{Addr: ":1", Dict: make([]string, 1001)}}}, "Spec.Roles: :1 has 1001 words: want at most 1000"},
		{Spec{Roles: []Role{{Addr: ":1"}}, Dict: make([]string, 1001)}, "Spec.Dict has 1001 words"},
		{Spec{Roles: []Role{{Addr: ":1", Peers: -2}}}, "Spec.Roles: :1 has -2 peers"},
	} {
		c.spec.Setup = castSpec().Setup
		if found := Find(c.spec, 1, Budget{Runs: 1}); found.Failure == nil || !strings.Contains(found.Failure.Text, c.want) {
			t.Errorf("got %v, want %q", found.Failure, c.want)
		}
	}
}
