package fuzz

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// workers are the numbers of workers that searches are compared with.
var workers = []int{1, 2, 4}

// A search finds the same with any number of workers: the same failure, by the same trace,
// after the same runs, which showed the same.
func TestWorkers(t *testing.T) {
	t.Parallel()
	reported := roomSpec()
	bomb := Spec{Setup: bombSpec().Setup, Dict: []string{"0", "1", "2", "3", "4"}}
	one := echoSpec()
	one.Dict = one.Dict[:1]
	right := echoSpec()
	right.Oracles, right.Isolated, right.Pressure = []Oracle{sameBytes}, true, true
	for _, c := range []struct {
		name string
		spec Spec
		b    Budget
	}{
		{"right", right, Budget{Runs: testenv.Pick(60, 1100)}},
		{"reported", reported, Budget{Runs: testenv.Pick(60, 300)}},
		{"fails late", bomb, Budget{Runs: 3000}},
		{"probes", climbingSpec(), Budget{Runs: testenv.Pick(100, 1000)}},
		{"datagrams", postmanSpec(), Budget{Runs: testenv.Pick(100, 200), Strategy: Swarm}},
		{"exhaustive", one, Budget{Strategy: Exhaustive(3)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := ""
			for _, n := range workers {
				c.b.Workers = n
				got := whole(t, Find(c.spec, 7, c.b))
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("with %d workers:\n%s\nwith 1:\n%s", n, got, want)
				}
			}
		})
	}
}

// climber marks how often its peer has sent the next letter of the alphabet.
type climber struct {
	probe probe.Probe
	high  int
}

func climbingSpec() Spec {
	k := reactor.Must(reactor.NewKind("climber", reactor.Options{Ports: []string{"peer"}}, reactor.Table[climber, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "climbing", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(c *climber, cx *echoCx, _ reactor.Ready) reactor.State {
			in, err := cx.Peek(peer)
			for _, b := range in {
				if b == byte('a'+c.high) {
					c.high++
				}
			}
			c.probe.Mark("letters", c.high)
			c.probe.Sometimes("six letters", c.high == 6)
			c.probe.Always("eight letters at most", c.high <= 8)
			cx.Discard(peer, len(in))
			return cx.Fail(err)
		}}}))
	return Spec{Dict: strings.Split("abcdefghi", ""), Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", climber{probe: w.Probe()})
		return err
	}}
}

// whole returns all of a Finding that must not depend on the number of workers.
func whole(t *testing.T, f *Finding) string {
	t.Helper()
	text := fmt.Sprintf("%v, %d events, %d readiness events, done %v\n%s", f, f.Events, f.Simulated, f.Done, f.Trace.String()+f.Mermaid())
	if f.Report != nil {
		text += untimed(t, f.Report.Text())
	}
	return text
}

// BenchmarkWorkers measures the runs of a search with one worker and with as many as there are
// processors.
func BenchmarkWorkers(b *testing.B) {
	for _, n := range []int{1, runtime.GOMAXPROCS(0)} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range b.N {
				if found := Find(echoSpec(), 1, Budget{Runs: 3000, Workers: n}); found.Failure != nil {
					b.Fatal(found.Failure)
				}
			}
			b.ReportMetric(float64(3000*b.N)/b.Elapsed().Seconds(), "runs/s")
		})
	}
}
