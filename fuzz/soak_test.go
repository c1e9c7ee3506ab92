package fuzz

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

// guest is the machine of a connection: it numbers the lines that it gets. The house knows
// all guests.
type guest struct {
	house  *house
	id     uint32
	lines  int
	helper reactor.Ref[string]
}

// house is what guests share. mistake is what is wrong with it.
type house struct {
	mistake string
	guests  map[uint32]string
	log     []byte
	next    uint32
	doorman reactor.Ref[note]
}

// note tells the doorman that a guest has come or gone.
type note struct {
	id   uint32
	gone bool
}

// doorman has a timer for each guest.
type doorman struct{ house *house }

type noteCx = reactor.Context[note]

func (h *doorman) note(cx *noteCx, n *note) reactor.State {
	switch {
	case !n.gone:
		cx.ArmID(0, n.id, 1000*time.Hour) // there may be too many
	case h.house.mistake != "a timer that is not disarmed":
		cx.DisarmID(0, n.id)
	}
	return fsm.Stay
}

var (
	doormanKind = reactor.Must(reactor.NewKind("doorman", reactor.Options{Timers: []reactor.TimerSpec{{Name: "curfew", Many: 1 << 16}}}, reactor.Table[doorman, note]{
		{Shutdown: fsm.Stop},
		{Name: "hosting", Idle: fsm.Never, OnMessage: (*doorman).note, OnTimer: func(*doorman, *noteCx, reactor.Fired) reactor.State { return fsm.Stay }}}))
	helperKind = reactor.Must(reactor.NewKind("helper", reactor.Options{}, reactor.Table[worker, string]{
		{Shutdown: fsm.Stop},
		{Name: "helping", Idle: fsm.Never, OnMessage: func(*worker, *reactor.Context[string], *string) reactor.State { return fsm.Stop }}}))
	guestKind = reactor.Must(reactor.NewKind("guest", reactor.Options{Ports: []string{"peer"}}, reactor.Table[guest, reactor.None]{
		{Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnEnter: (*guest).come, OnExit: (*guest).leave},
		{Name: "talking", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*guest).line}}))
)

func (g *guest) come(cx *echoCx) (s reactor.State) {
	h := g.house
	g.id = h.next
	h.next++
	h.guests[g.id] = cx.RemoteAddr(peer).String()
	g.helper, _ = helperKind.Spawn(&cx.IO, worker{})
	h.doorman.Post(&cx.IO, note{id: g.id})
	return fsm.Stay
}

func (g *guest) leave(cx *echoCx) {
	if g.house.mistake != "a map that is not shrunk" {
		delete(g.house.guests, g.id)
	}
	if g.house.mistake != "a machine that does not end" {
		g.helper.Post(&cx.IO, "go")
	}
	g.house.doorman.Post(&cx.IO, note{g.id, true})
}

func (g *guest) line(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	n := bytes.IndexByte(in, '\n') + 1
	if n == 0 {
		return fsm.Stay
	}
	if g.house.mistake == "a slice that is not shrunk" {
		g.house.log = append(g.house.log, in[:n]...)
	}
	if err = cx.Write(peer, fmt.Appendf(nil, "%d %s", g.lines, in[:n])); err == nil {
		cx.Discard(peer, n)
		if g.lines++; g.house.mistake == "a number that wraps" {
			g.lines &= 0xffff
		}
	}
	return cx.Fail(err)
}

func houseSpec(mistake string) Spec {
	return Spec{
		Dict: []string{"hello\n", "and\n", "bye\n"},
		Oracles: []Oracle{PerConn("numbered lines", Model[int, string]{
			Input: firstLine,
			Step: func(n *int, line string) string {
				*n++
				return fmt.Sprint(*n-1, " ", line)
			},
		})},
		Setup: func(w *World) (err error) {
			h := &house{mistake: mistake, guests: make(map[uint32]string)}
			if h.doorman, err = doormanKind.Spawn(w.Loop(0), doorman{h}); err == nil {
				_, err = guestKind.Listen(w.Loop(0), "tcp", ":7000", guest{house: h})
			}
			return err
		},
	}
}

// A soak finds what grows with the number of connections, and what goes wrong only after
// many messages. Its trace fails again, and passes without the mistake.
func TestSoak(t *testing.T) {
	mistakes := []struct{ mistake, oracle, text string }{
		{"a timer that is not disarmed", "leak", "named timers grow with the number of connections, by 1 each"},
		{"a map that is not shrunk", "leak", "bytes of heap grow with the number of connections"},
		{"a number that wraps", `model "numbered lines"`, `: want "65536 `},
		{"a machine that does not end", "leak", "machines of kind helper grow with the number of connections, by 1 each"},
		{"a slice that is not shrunk", "leak", "bytes of heap grow with the number of connections"},
	}
	for _, c := range mistakes[:testenv.Pick(1, len(mistakes))] {
		t.Run(c.mistake, func(t *testing.T) {
			begin := time.Now()
			found := Find(houseSpec(c.mistake), 1, Budget{Runs: 20, Soak: time.Minute})
			t.Logf("%v, %v\n%s", time.Since(begin), found, found.Trace)
			f := found.Failure
			if f == nil || f.Oracle != c.oracle || !strings.Contains(f.Text, c.text) {
				t.Fatalf("%v: want %s: %s", f, c.oracle, c.text)
			}
			if again := Replay(houseSpec(c.mistake), found.Trace); again.Failure == nil || again.Failure.Oracle != c.oracle {
				t.Errorf("when its trace runs again: %v", again)
			}
			if right := Replay(houseSpec(""), found.Trace); right.Failure != nil {
				t.Errorf("without the mistake: %v", right)
			}
			if len(found.Trace) > 8 {
				t.Errorf("%d events: want 8 at most\n%s", len(found.Trace), found.Trace)
			}
		})
	}
}

// A soak finds nothing in programs without a mistake.
func TestSoakOfRightPrograms(t *testing.T) {
	for name, s := range map[string]Spec{"house": houseSpec(""), "echo": echoSpec(), "server": serverSpec(), "room": roomSpec(), "carrier": carrierSpec()} {
		begin := time.Now()
		found := Find(s, 1, Budget{Runs: 20, Soak: time.Minute})
		if found.Failure != nil {
			t.Errorf("%s: %s", name, found.Explain())
		}
		t.Logf("%s: %d events in %v", name, found.Soaked, time.Since(begin))
	}
}

// Other goroutines that use more and more memory do not make a program leak.
func TestSoakBesideOthers(t *testing.T) {
	stop, over := make(chan bool), make(chan bool)
	go func() {
		defer close(over)
		var kept [][]byte
		for tick := time.NewTicker(time.Millisecond); ; {
			select {
			case <-stop:
				runtime.KeepAlive(kept)
				return
			case <-tick.C:
				kept = append(kept, make([]byte, 4<<10))
			}
		}
	}()
	for seed := range uint64(testenv.Pick(1, 3)) {
		if found := Find(houseSpec(""), seed, Budget{Runs: 1, Soak: time.Minute}); found.Failure != nil {
			t.Errorf("seed %d: %v", seed, found)
		}
	}
	close(stop)
	<-over
}

// What is bounded is no leak, and what is kept on purpose may be left out.
func TestSoakOfCaches(t *testing.T) {
	caches := []struct {
		name    string
		most    int
		without Check
		want    bool
	}{
		{"of 3,000 entries", 3000, 0, false},
		{"without a bound", 1 << 30, 0, true},
		{"without a bound, on purpose", 1 << 30, Leaks, false},
	}
	for _, c := range caches[:testenv.Pick(1, len(caches))] {
		s := echoSpec()
		k := reactor.Must(reactor.NewKind("caching", reactor.Options{Ports: []string{"peer"}}, reactor.Table[cacher, reactor.None]{
			{Shutdown: fsm.Stop, OnEnter: (*cacher).come},
			{Name: "reading", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(_ *cacher, cx *echoCx, _ reactor.Ready) reactor.State {
				in, err := cx.Peek(peer)
				cx.Discard(peer, len(in))
				return cx.Fail(err)
			}}}))
		s.Without = c.without
		s.Setup = func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", cacher{most: c.most, seen: &[]*[4]int{}})
			return err
		}
		if found := Find(s, 1, Budget{Runs: 1, Soak: time.Minute}); (found.Failure != nil) != c.want {
			t.Errorf("a cache %s: %v: want a failure: %v", c.name, found, c.want)
		}
	}
}

// Memory that grows in two runs, and in no further run of the same trace, is used by something
// else in the process, such as a test that runs at the same time.
func TestSoakThatIsDisturbed(t *testing.T) {
	const many = 300 // connections, which only a long run has
	longRuns := 0
	var kept [][]byte
	k := reactor.Must(reactor.NewKind("steady", reactor.Options{Ports: []string{"peer"}}, reactor.Table[steady, reactor.None]{
		{Shutdown: fsm.Stop, OnEnter: (*steady).come},
		{Name: "reading", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(_ *steady, cx *echoCx, _ reactor.Ready) reactor.State {
			in, err := cx.Peek(peer)
			cx.Discard(peer, len(in))
			return cx.Fail(err)
		}}}))
	s := echoSpec()
	s.Setup = func(w *World) error {
		conns := 0
		kept = nil
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", steady{func() {
			if conns++; conns == many {
				longRuns++
			}
			if longRuns <= 2 {
				kept = append(kept, make([]byte, 100))
			}
		}})
		return err
	}
	if found := Find(s, 1, Budget{Runs: 1, Soak: time.Minute}); found.Failure != nil || longRuns < 3 {
		t.Errorf("%v; after %d long runs; want at least 3, and no failure", found, longRuns)
	}
}

// steady calls a function for each connection.
type steady struct{ begins func() }

func (s *steady) come(*echoCx) reactor.State {
	s.begins()
	return fsm.Stay
}

// cacher keeps something for each connection, up to a bound.
type cacher struct {
	most int
	seen *[]*[4]int
}

func (c *cacher) come(*echoCx) reactor.State {
	if *c.seen = append(*c.seen, new([4]int)); len(*c.seen) > c.most {
		*c.seen = (*c.seen)[1:]
	}
	return fsm.Stay
}
