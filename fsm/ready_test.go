package fsm

import (
	"math/rand/v2"
	"testing"
)

// plainWait is the model of a Ready: its bits as arrays.
type plainWait struct {
	bits  [4][MaxPorts]bool // readable, writable, drained, opened
	gates [MaxPorts][5]bool // room of each port, then sendable
}

func (w *plainWait) pack() (r Ready) {
	for p := Port(0); p < MaxPorts; p++ {
		for kind, bit := range [...]Ready{p.Readable(), p.Writable(), p.Drained(), p.Opened()} {
			if !w.bits[kind][p] {
				continue
			}
			if kind == 0 {
				bit = bit.While(gateOf(w.gates[p]))
			}
			r |= bit
		}
	}
	return r
}

func gateOf(open [5]bool) (g Gate) {
	for i, is := range open {
		if is {
			g |= [...]Gate{Port(0).Room(), Port(1).Room(), Port(2).Room(), Port(3).Room(), Sendable}[i]
		}
	}
	return g
}

func (w *plainWait) deliver(ready *plainWait, open [5]bool) (result plainWait) {
	for kind := range w.bits {
		for p := range w.bits[kind] {
			result.bits[kind][p] = w.bits[kind][p] && ready.bits[kind][p]
			for g, needed := range w.gates[p] {
				if kind == 0 && needed && !open[g] {
					result.bits[kind][p] = false
				}
			}
		}
	}
	return result
}

func randomWait(rnd *rand.Rand, gates bool) (w plainWait) {
	for p := range MaxPorts {
		for kind := range w.bits {
			w.bits[kind][p] = rnd.IntN(2) == 0
		}
		for g := range w.gates[p] {
			w.gates[p][g] = gates && rnd.IntN(4) == 0
		}
	}
	return w
}

func TestDeliverAgainstModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		wait, ready := randomWait(rnd, true), randomWait(rnd, false)
		var open [5]bool
		for g := range open {
			open[g] = rnd.IntN(2) == 0
		}
		want := wait.deliver(&ready, open)
		// Gates in the readiness that came must have no effect.
		if got := wait.pack().Deliver(ready.pack()|gatesMask, gateOf(open)); got != want.pack() {
			t.Fatalf("(%v).Deliver(%v, %v) = %v, want %v", wait.pack(), ready.pack(), gateOf(open), got, want.pack())
		}
	}
}

func TestReadyLayout(t *testing.T) {
	for p := Port(0); p < MaxPorts; p++ {
		for _, c := range []struct {
			name      string
			got, want Ready
		}{
			{"readable", p.Readable(), 1 << p},
			{"writable", p.Writable(), 1 << (4 + p)},
			{"drained", p.Drained(), 1 << (8 + p)},
			{"opened", p.Opened(), 1 << (12 + p)},
			{"room", Ready(p.Room()), 1 << p},
			{"gated", p.Readable().While(Sendable), 1<<p | 1<<4<<(16+8*p)},
		} {
			if c.got != c.want {
				t.Errorf("port %d: %s is %#x, want %#x", p, c.name, uint64(c.got), uint64(c.want))
			}
		}
	}
	both := Port(0).Readable() | Port(2).Readable() | Port(1).Writable()
	r := both.While(Sendable).While(Port(3).Room())
	if want := Sendable | Port(3).Room(); r.Gate(0) != want || r.Gate(1) != 0 || r.Gate(2) != want || r.Gate(3) != 0 || r.Gate(9) != 0 {
		t.Errorf("the gates of %v are wrong", r)
	}
	if r.Bits() != both || r.Gates() != Sendable|Port(3).Room() {
		t.Errorf("Bits = %v, Gates = %v of %v", r.Bits(), r.Gates(), r)
	}
	if !r.Has(Port(2).Readable()) || r.Has(Port(3).Readable()) || r.Has(Port(3).Readable().While(Sendable)) {
		t.Errorf("%v: Has is wrong, or considers gates", r)
	}
}

func TestText(t *testing.T) {
	names := []string{"client", "upstream"}
	a, b, c := Port(0), Port(1), Port(2)
	for _, x := range []struct {
		got, want string
	}{
		{Ready(0).String(), "nothing"},
		{a.Readable().String(), "readable(0)"},
		{(a.Readable() | b.Opened()).Text(names), "readable(client)|opened(upstream)"},
		{(a.Readable().While(b.Room()) | b.Readable().While(a.Room()|Sendable)).Text(names),
			"readable(client) while room(upstream), readable(upstream) while room(client)&sendable"},
		{(a.Readable().While(b.Room()) | c.Drained() | a.Writable()).Text(names),
			"writable(client)|drained(2), readable(client) while room(upstream)"},
		{a.Drained().While(Sendable).String(), "drained(0), none while ..."},
		{(a.Writable() | 1<<20).String(), "writable(0), none while sendable"},
		{Port(4).Readable().String(), "no such port"},
		{Gate(0).String(), "open"},
		{(a.Room() | 1<<5).String(), "room(0)&unknown(0x20)"},
		{To(1, 2, 63, Stay, Stop).String(), "{1 2 63}"},
		{To(64).String(), "{0}"},
		{States(0).String(), "{}"},
		{Stay.String() + Pass.String() + Defer.String() + Stop.String() + State(7).String(), "staypassdeferstop7"},
	} {
		if x.got != x.want {
			t.Errorf("got %q, want %q", x.got, x.want)
		}
	}
}

func TestSets(t *testing.T) {
	set := To(1, 5, 63)
	for s := range 256 {
		if got, want := set.Has(State(s)), s == 1 || s == 5 || s == 63; got != want {
			t.Errorf("%v.Has(%d) = %v", set, s, got)
		}
	}
}

var sinkReady Ready

func BenchmarkDeliver(b *testing.B) {
	up := Port(0).Readable().While(Port(1).Room())
	down := Port(1).Readable().While(Port(0).Room())
	for _, c := range []struct {
		name string
		wait Ready
	}{{"free", Port(0).Readable()}, {"gated", up | down}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var ready Ready
			for i := range b.N { // each call depends on the one before
				ready = c.wait.Deliver(^ready, Gate(i)&3)
			}
			sinkReady = ready
		})
	}
}
