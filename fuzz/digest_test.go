package fuzz

import (
	"net/netip"
	"os"
	"strconv"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

// The same trace has the same digest in a world that ran thousands of other traces before
// and in a new one. FUZZ_DIGESTS is the number of seeds tried with each of three kinds of
// world; the default is 500.
func TestDigests(t *testing.T) {
	seeds := testenv.Pick(150, 500)
	if s := os.Getenv("FUZZ_DIGESTS"); s != "" {
		var err error
		if seeds, err = strconv.Atoi(s); err != nil || seeds < 1 {
			t.Fatalf("FUZZ_DIGESTS %q: want a number above 0", s)
		}
	}
	for _, c := range []struct {
		name string
		spec Spec
	}{{"echo", echoSpec()}, {"puppet", anythingSpec(newPuppet())}, {"parcels", parcelSpec(0)}} {
		t.Run(c.name, func(t *testing.T) {
			used := newEngine(c.spec)
			used.run(nil)
			events, differ := 0, 0
			for seed := range uint64(seeds) {
				tr := used.random(seed, Swarm)()
				used.run(tr)
				first := used.world.Sum()
				again := used
				if seed%16 == 0 {
					again = newEngine(*used.spec)
				}
				again.run(tr)
				if events += len(tr); again.world.Sum() != first {
					differ++
					t.Errorf("seed %d: the digests differ of\n%s", seed, tr)
				}
			}
			t.Logf("%d differences in %d seeds, %d events", differ, seeds, events)
		})
	}
}

// The digest depends on what happened: another word makes another digest.
func TestDigestDiffers(t *testing.T) {
	spec := echoSpec()
	w := newEngine(spec)
	w.run(trace.Trace{{Op: trace.Dial}, {Op: trace.Send}})
	first := w.world.Sum()
	if w.run(trace.Trace{{Op: trace.Dial}, {Op: trace.Send, A: 1}}); w.world.Sum() == first {
		t.Error("two words, one digest")
	}
}

// swapper answers two connections, the first two that send something, in a different order
// each time.
type swapper struct {
	flip  *int
	heard []netip.AddrPort
}

func (s *swapper) hear(cx *echoCx, _ reactor.Ready) reactor.State {
	var b [8]byte
	_, from, err := cx.ReadFrom(peer, b[:])
	if err != nil {
		return cx.Fail(err)
	}
	if s.heard = append(s.heard, from); len(s.heard) == 2 {
		*s.flip++
		cx.SendTo(peer, []byte("one"), s.heard[*s.flip%2])
		cx.SendTo(peer, []byte("two"), s.heard[1-*s.flip%2])
	}
	return fsm.Stay
}

// The digest depends on where a datagram goes.
func TestDigestHasAddresses(t *testing.T) {
	k := reactor.Must(reactor.NewKind("swapper", reactor.Options{Ports: []string{"peer"}}, reactor.Table[swapper, reactor.None]{
		fsm.Any:   {Shutdown: fsm.Stop},
		fsm.First: {Name: "hearing", Wait: peer.Readable(), Idle: fsm.Never, OnReady: (*swapper).hear},
	}))
	flip := 0
	spec := Spec{Dict: []string{"x"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "udp", ":7000", swapper{flip: &flip})
		return err
	}}
	found := Replay(spec, trace.Trace{{Op: trace.Datagram, On: 0}, {Op: trace.Datagram, On: 1}})
	if found.Failure == nil || found.Failure.Oracle != judge.Determinism {
		t.Errorf("%v: want a failure of %s", found.Failure, judge.Determinism)
	}
}
