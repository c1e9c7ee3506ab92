package fuzz

import (
	"fmt"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// secret is a protocol of up to twelve steps. Each step takes one byte of sixteen; all
// bytes but one lead back to the first step. All steps run the same code, so only the
// machine's state, or the value that it reports to a probe, shows how far it got.
type secret struct {
	probe probe.Probe
	flat  bool // one state for all steps
	at    int
	word  string
	found func()
}

const secretWord = "fk3aa90cmx7e" // each in secretBytes

var secretBytes = []string{"0", "3", "7", "9", "a", "b", "c", "d", "e", "f", "g", "k", "l", "m", "x", "z"}

func newSecret(steps int) *reactor.Kind[secret, reactor.None] {
	rows := reactor.Table[secret, reactor.None]{{Shutdown: fsm.Stop}}
	for step := range steps {
		rows = append(rows, reactor.Row[secret, reactor.None]{Name: fmt.Sprint("step ", step), Wait: peer.Readable(), Idle: fsm.After(time.Hour, fsm.Stop), OnReady: (*secret).step,
			To: fsm.To(fsm.First, fsm.First+1, fsm.First+reactor.State((step+1)%steps))})
	}
	return reactor.Must(reactor.NewKind("secret", reactor.Options{Ports: []string{"peer"}}, rows))
}

func (s *secret) step(cx *echoCx, _ reactor.Ready) reactor.State {
	var b [1]byte
	if _, err := cx.Read(peer, b[:]); err != nil {
		return cx.Fail(err)
	}
	s.at *= s.same(b[0])
	if s.at += s.same(b[0]); s.at == len(s.word) {
		s.found()
		s.at = 0
	}
	if s.probe.Mark("steps", s.at); s.flat {
		return fsm.Stay
	}
	return fsm.First + reactor.State(s.at)
}

// same returns 1 for the byte that leads to the next step, without a branch.
func (s *secret) same(b byte) int { return int((uint32(b^s.word[s.at]) - 1) >> 31) }

func secretSpec(steps int, flat, probed bool) Spec {
	k := newSecret(steps)
	return Spec{
		Setup: func(w *World) error {
			m := secret{flat: flat, word: secretWord[:steps], found: func() { w.Probe().Always("the secret is found", false) }}
			if probed {
				m.probe = w.Probe()
			}
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", m)
			return err
		},
		Dict: secretBytes, Without: Segmentation | SpuriousEvents,
	}
}

// A search that keeps traces which got further finds a protocol of many steps, by its
// states or by what a probe reports. A search that keeps none does not.
func TestGuidanceFindsTheSecret(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	t.Parallel()
	const runs, steps = 20_000, 6
	searches := []struct {
		name         string
		flat, probed bool
		how          Strategy
		seed         uint64
		finds        bool
	}{
		{"by states", false, false, Guided, 1, true},
		{"by a mark", true, true, Guided, 1, true},
		{"without either", true, false, Guided, 1, false},
		{"without a corpus", false, true, Swarm, 1, false},
	}
	for _, c := range searches[:testenv.Pick(2, len(searches))] {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := Budget{Runs: runs, Strategy: c.how}
			if !c.finds {
				b.Runs = runs / 10
			}
			found := Find(secretSpec(steps, c.flat, c.probed), c.seed, b)
			t.Logf("%d runs, %d features, %v", found.Runs, found.Corpus, found.Failure)
			if got := found.Failure != nil; got != c.finds {
				t.Fatalf("found %v in %d runs: want %v", got, found.Runs, c.finds)
			}
			if c.finds && len(found.Trace) > steps+1 {
				t.Errorf("%d events: want %d at most\n%s", len(found.Trace), steps+1, found.Trace)
			}
		})
	}
}
