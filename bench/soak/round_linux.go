package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/stator-go/stator/reactor"
)

// server is what the roles open their listeners on.
type server struct {
	loops [2]*reactor.Loop
	dir   string // for paths of unix sockets and FIFOs
	*tally
	round *round
}

// round is two loops and the load on them.
type round struct {
	config
	out     io.Writer
	loops   [2]*reactor.Loop
	running sync.WaitGroup // the loops
	tallies []*tally
	stops   []func() error // what roles check and close at the end
	panics  tally          // counts those that were asked for
	began   time.Time
	used    time.Duration // of the processors, before
	last    reactor.Stats // of loops that have ended
	took    time.Duration
	cores   float64 // that were busy on average
}

func newRound(cfg config, out io.Writer) *round {
	return &round{config: cfg, out: out, panics: *newTally("panics"), began: time.Now(), used: processorTime()}
}

// atEnd registers what is called when the load has ended and the loops run still.
func (s *server) atEnd(f func() error) { s.round.stops = append(s.round.stops, f) }

// run runs the load, ends the loops, and returns what was wrong.
func (r *round) run(ctx context.Context) (wrong []string, err error) {
	dir, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for i := range r.loops {
		// Few buffers, so that slow readers use them up.
		if r.loops[i], err = reactor.NewLoop(reactor.Config{Slots: 8192, Timers: 16384, Buffers: 16 << 20}); err != nil {
			return nil, err
		}
		defer r.loops[i].Close()
	}
	loads, err := r.serve(dir)
	if err != nil {
		return nil, err
	}
	for _, l := range r.loops {
		r.running.Go(func() { l.Run(context.Background()) })
	}
	ctx, stop := context.WithTimeout(ctx, r.length)
	defer stop()
	var workers sync.WaitGroup
	for i, role := range roles {
		for id := range role.workers {
			w := &worker{ctx: ctx, id: id, tally: r.tallies[i], every: time.Duration(float64(role.every) / r.rate),
				rand: rand.New(rand.NewPCG(uint64(i), uint64(id)))}
			workers.Go(func() { w.run(loads[i]) })
		}
	}
	r.watch(ctx)
	workers.Wait()
	return r.end(), nil
}

// serve opens what each role needs on the loops.
func (r *round) serve(dir string) (loads []load, err error) {
	for _, role := range roles {
		t := newTally(role.name)
		r.tallies = append(r.tallies, t)
		l, err := role.serve(&server{loops: r.loops, dir: dir, tally: t, round: r})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", role.name, err)
		}
		loads = append(loads, l)
	}
	return loads, nil
}

// watch prints a line at each interval until the load ends.
func (r *round) watch(ctx context.Context) {
	every := time.NewTicker(r.report)
	defer every.Stop()
	last, used := time.Now(), processorTime()
	fmt.Fprintln(r.out, "   time  pings: p50 / p99 / max ms    machines  held MiB  files  resident MiB  cores  errors")
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		var errors int64
		var ping latencies
		for i, t := range r.tallies {
			errors += t.failures()
			if recent := t.cut(); i == 0 {
				ping = recent
			}
		}
		s := r.stats()
		now, u := time.Now(), processorTime()
		fmt.Fprintf(r.out, "%7s  %-28v  %9d  %8.1f  %5d  %12.1f  %5.2f  %6d\n", now.Sub(r.began).Round(time.Second), &ping,
			s.Machines, mib(s.Held), files(), mib(resident()), (u-used).Seconds()/now.Sub(last).Seconds(), errors)
		last, used = now, u
		for _, t := range r.tallies {
			for _, text := range t.news() {
				fmt.Fprintf(r.out, "         WRONG: %s\n", text)
			}
		}
	}
}

// stats returns the counters of both loops together, as far as the report uses them.
func (r *round) stats() (sum reactor.Stats) {
	for _, l := range r.loops {
		s, err := l.Stats()
		if err != nil {
			panic(err) // it is for handlers only
		}
		sum.Machines += s.Machines
		sum.Held += s.Held
		sum.Waiting += s.Waiting
		sum.Panics += s.Panics
		sum.Lingered += s.Lingered
		sum.Accepted += s.Accepted
		sum.Messages += s.Messages
		sum.Timers += s.Timers
		sum.WriteBufferFull += s.WriteBufferFull
		sum.AcceptErrors += s.AcceptErrors
		sum.LookupsWaiting += s.LookupsWaiting
		sum.Longest = max(sum.Longest, s.Longest)
	}
	return sum
}

// end shuts the loops down, and returns what was wrong.
func (r *round) end() (wrong []string) {
	for _, stop := range r.stops {
		if err := stop(); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
	defer stop()
	for i, l := range r.loops {
		if err := l.Shutdown(ctx); err != nil {
			s, _ := l.Stats()
			wrong = append(wrong, fmt.Sprintf("loop %d: shutdown: %v: %v", i, err, s))
		}
	}
	r.running.Wait()
	r.took = time.Since(r.began)
	r.cores = (processorTime() - r.used).Seconds() / r.took.Seconds()
	s := r.stats()
	r.last, r.loops, r.stops = s, [2]*reactor.Loop{}, nil // what keeps a loop keeps its buffers
	for _, c := range []struct {
		what      string
		got, want int64
	}{
		{"machines", int64(s.Machines), 0},
		{"bytes of buffers held", int64(s.Held), 0},
		{"machines that wait for buffers", int64(s.Waiting), 0},
		{"dials that wait for a look-up", int64(s.LookupsWaiting), 0},
		{"panics", int64(s.Panics), r.panics.done},
	} {
		if c.got != c.want {
			wrong = append(wrong, fmt.Sprintf("at the end of the loops: %d %s: want %d", c.got, c.what, c.want))
		}
	}
	for _, t := range r.tallies {
		t.cut()
		wrong = append(wrong, t.list()...)
	}
	return wrong
}

// table prints what each role has done.
func (r *round) table() {
	tw := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "\nrole\tdone\ta second\tMiB\tp50 / p99 / max ms\terrors\tand\n")
	for _, t := range r.tallies {
		fmt.Fprintf(tw, "%s\t%d\t%.1f\t%.1f\t%v\t%d\t", t.name, t.done, float64(t.done)/r.took.Seconds(), mib(t.bytes), &t.all, t.failures())
		for _, what := range slices.Sorted(maps.Keys(t.notes)) {
			fmt.Fprintf(tw, "%d %s  ", t.notes[what], what)
		}
		fmt.Fprintln(tw)
	}
	tw.Flush()
	s := r.last
	fmt.Fprintf(r.out, "\nloops   %d accepted, %d messages, %d timers, %d writes refused, %d outputs cut off, longest turn %v\n",
		s.Accepted, s.Messages, s.Timers, s.WriteBufferFull, s.Lingered, s.Longest.Round(time.Millisecond))
	fmt.Fprintf(r.out, "cores   %.2f, in %v\n", r.cores, r.took.Round(time.Second))
}
