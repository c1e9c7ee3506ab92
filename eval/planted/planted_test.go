package planted

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/testenv"
)

// In servers without a bug nothing is found.
func TestRightServersPass(t *testing.T) {
	for _, s := range Servers() {
		t.Run(s.Name, func(t *testing.T) {
			p := new(Plant)
			if found := fuzz.Find(s.Spec(p), 1, fuzz.Budget{Runs: 200, Workers: 1}); found.Failure != nil {
				t.Error(found.Explain())
			}
			if p.Reached != 0 || p.Runs < 200 {
				t.Errorf("a bug was reached in %d of %d runs: want 0 of 200 at least", p.Reached, p.Runs)
			}
		})
	}
}

// A search that does not find this bug is broken.
func TestCanary(t *testing.T) {
	s, b := lookUp(t, "echo/short-write")
	p := b.Plant()
	found := fuzz.Find(s.Spec(p), 1, fuzz.Budget{Runs: 2000, Workers: 1})
	if found.Failure == nil {
		t.Fatalf("%s is not found in %d runs; it was triggered in %d", b.Name, found.Runs, p.Triggered)
	}
	if again := fuzz.Replay(s.Spec(b.Plant()), found.Trace); again.Failure == nil {
		t.Errorf("the trace passes when it is run again:\n%s", found.Trace)
	}
	if right := fuzz.Replay(s.Spec(new(Plant)), found.Trace); right.Failure != nil {
		t.Errorf("the server without the bug fails, too: %v", right.Failure)
	}
	if len(found.Trace) > 5 {
		t.Errorf("%d events: want 5 at most\n%s", len(found.Trace), found.Trace)
	}
}

// Most bugs are found within a few runs; the command eval searches for the others. No
// bug is found that is said to need more than the search has.
func TestBugsAreFound(t *testing.T) {
	const soon, most = 100, 0.6
	found, all := 0, 0
	for _, s := range Servers() {
		for _, b := range s.Bugs {
			p := b.Plant()
			switch f := fuzz.Find(s.Spec(p), 1, fuzz.Budget{Runs: soon, Workers: 1}); {
			case p.Reached == 0 && f.Failure == nil:
				t.Logf("%s is not reached in %d runs", b.Name, f.Runs)
			case f.Failure != nil && b.Needs != "":
				t.Errorf("%s is found, by %s: strike out that it needs %s", b.Name, f.Failure.Oracle, b.Needs)
			case f.Failure != nil:
				found++
			}
			all++
		}
	}
	t.Logf("%d of %d bugs are found in %d runs", found, all, soon)
	if float64(found) < most*float64(all) {
		t.Errorf("%d of %d bugs are found in %d runs: want %.0f %%", found, all, soon, 100*most)
	}
}

// What shows only after many connections or messages is found by a soak.
func TestSoakFindsBugs(t *testing.T) {
	s, _ := lookUp(t, "inn/guests-kept")
	for _, b := range s.Bugs {
		if found := fuzz.Find(s.Spec(b.Plant()), 1, fuzz.Budget{Runs: 10, Soak: time.Minute, Workers: 1}); found.Failure == nil {
			t.Errorf("%s is not found", b.Name)
		}
	}
}

// The report of a failure names a handler, with file and line, that leads to the mistake.
func TestReportsNameTheHandler(t *testing.T) {
	named, all := 0, 0
	for _, s := range Servers() {
		for _, b := range s.Bugs {
			found := fuzz.Find(s.Spec(b.Plant()), 1, fuzz.Budget{Runs: testenv.Pick(100, 3000), Workers: 1})
			p := b.Plant()
			p.callers = make(map[string]bool)
			if found.Failure == nil || fuzz.Replay(s.Spec(p), found.Trace).Failure == nil {
				continue
			}
			text := found.Explain()
			_, list, machines := strings.Cut(text, "The handlers that ran")
			if !machines {
				continue // a loop that is written by hand
			}
			all++
			is := false
			for name := range p.callers {
				is = is || strings.Contains(list, name+" ")
			}
			if is {
				named++
			} else {
				t.Errorf("%s: no handler of %v is named in:\n%s", b.Name, slices.Sorted(maps.Keys(p.callers)), text)
			}
		}
	}
	if t.Logf("%d of %d reports name it", named, all); all == 0 {
		t.Error("no bug is found")
	}
}

func lookUp(t *testing.T, name string) (*Server, Bug) {
	t.Helper()
	for _, s := range Servers() {
		for _, b := range s.Bugs {
			if b.Name == name {
				return s, b
			}
		}
	}
	t.Fatalf("no bug is named %s", name)
	return nil, Bug{}
}

// Traces that once failed without a bug, by a mistake in a server, an oracle or the
// loop, pass.
func TestRightServersPassAgain(t *testing.T) {
	for _, c := range []struct{ name, bug, trace string }{
		// The machine of the connection before has yet to be accepted, and ends by itself:
		// what it owed is not the new one's.
		{"a number is dialled again", "lines/no-login", `
dial 0 listener=0
dial 1 listener=0
send 1 word=2 more=0
close 1
jump n=1 unit=4 hold
dial 1 listener=0
send 1 word=0 more=0
limit slots=0 steps=0
finish 1`},
		// The relay is told, though it had all of the client's input.
		{"a client is reset behind its end, with output on its way", "socks/one-end-kills", `
dial 0 listener=0
send 0 word=0 more=0
short-write 0 bytes=3 times=5
send 0 word=2 more=0
finish 0
send 4 word=1 more=0 hold
abrupt 0 calls=2 what=0
advance n=1 unit=4`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := lookUp(t, c.bug)
			tr, err := trace.Parse(c.trace)
			if err != nil {
				t.Fatal(err)
			}
			if found := fuzz.Replay(s.Spec(new(Plant)), tr); found.Failure != nil {
				t.Error(found.Explain())
			}
		})
	}
}

// Bugs of programs that only pressure shows, or a look at why a machine still lives, are found
// within the runs of a default test, although no spec says a word about them.
func TestBugsUnderPressure(t *testing.T) {
	for _, name := range []string{"counter/twice", "counter/answer-lost", "board/line-lost", "jobs/newest-first", "socks/ended-waits"} {
		for seed := range uint64(3) {
			s, b := lookUp(t, name)
			if s.model != nil {
				t.Errorf("%s has a model: want none", s.Name)
			}
			if found := fuzz.Find(s.Spec(b.Plant()), seed, fuzz.Budget{Runs: 1000, Workers: 1}); found.Failure == nil {
				t.Errorf("%s, seed %d: not found in %d runs", name, seed, found.Runs)
			}
		}
	}
}

// Runs of right servers that were accused once, and must pass. In the first one, a line is sent
// shortly before the deadline, and the deadline comes first.
func TestRightServersAreNotAccused(t *testing.T) {
	for server, texts := range map[string][]string{
		"clock": {"dial 0\nsend 0 word=0 hold\njump n=10 unit=3\n"},
	} {
		at := slices.IndexFunc(Servers(), func(s *Server) bool { return s.Name == server })
		for _, text := range texts {
			tr, err := trace.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if found := fuzz.Replay(Servers()[at].Spec(new(Plant)), tr); found.Failure != nil {
				t.Errorf("%s: %s", server, found.Explain())
			}
		}
	}
}
