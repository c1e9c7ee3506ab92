package fuzz

import (
	"io"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

// Specs of ordinary machines that pass only if package reactor reads input before errors, wakes
// machines that have input left, and ends connections as it promises.

// carrier hands bytes on between its peer and a server, in both directions.
type carrier struct{ ended int }

const (
	up reactor.Port = 1

	carrierDialling = fsm.First
	carrying        = fsm.First + 1
)

func carrierSpec() Spec {
	k := reactor.Must(reactor.NewKind("carrier", reactor.Options{Ports: []string{"peer", "up"}}, reactor.Table[carrier, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Idle: fsm.After(time.Minute, fsm.Stop)},
		carrierDialling: {Name: "dialling", Wait: up.Opened(), To: fsm.To(carrying),
			OnEnter: func(_ *carrier, cx *echoCx) reactor.State { return cx.Fail(cx.Dial(up, "tcp", "127.0.0.1:9000")) },
			OnReady: func(*carrier, *echoCx, reactor.Ready) reactor.State { return carrying }},
		carrying: {Name: "carrying", Wait: peer.Readable().While(up.Room()) | up.Readable().While(peer.Room()), OnReady: (*carrier).carry},
	}))
	return Spec{
		Without: Segmentation | HangUp | SpuriousEvents, Dict: []string{"hello", "a longer word than the others are"},
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", carrier{})
			return err
		},
	}
}

func (r *carrier) carry(cx *echoCx, ready reactor.Ready) reactor.State {
	to, from := up, peer
	if !ready.Has(peer.Readable()) {
		to, from = peer, up
	}
	if _, err := cx.Copy(to, from); err != io.EOF {
		return cx.Fail(err)
	}
	if r.ended++; r.ended == 2 {
		return fsm.Stop
	}
	cx.CloseWrite(to)
	return fsm.Stay
}

// salvagerSpec has a machine that gets the error of its connection while it does not read,
// and then reads what is left, half of it per call.
func salvagerSpec() Spec {
	k := reactor.Must(reactor.NewKind("salvager", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "busy", Within: fsm.After(time.Second, 2), Fail: 2},
		{Name: "salvaging", Wait: peer.Readable(), Idle: fsm.Never, OnReady: func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
			in, err := cx.Peek(peer)
			if err != nil {
				return cx.Fail(err)
			}
			cx.Discard(peer, (len(in)+1)/2)
			return fsm.Stay
		}},
	}))
	return Spec{Dict: []string{"hello"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}}
}

// answererSpec has a machine that answers its first input, and stops.
func answererSpec() Spec {
	k := reactor.Must(reactor.NewKind("answerer", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "reading", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
			in, err := cx.Peek(peer)
			if err != nil {
				return cx.Fail(err)
			}
			cx.Discard(peer, len(in))
			cx.Write(peer, []byte("413\n"))
			return fsm.Stop
		}},
	}))
	return Spec{Without: Segmentation | HangUp, Dict: []string{"hello"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}}
}

// lookerSpec has an echo of datagrams that peeks at each before it receives it.
func lookerSpec() Spec {
	type looker struct{ always func(string, bool) }
	k := reactor.Must(reactor.NewKind("looker", reactor.Options{Ports: []string{"peer"}}, reactor.Table[looker, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "reading", Wait: peer.Readable(), Idle: fsm.Never, OnReady: func(m *looker, cx *echoCx, _ reactor.Ready) reactor.State {
			in, err := cx.Peek(peer)
			if err != nil {
				return cx.Fail(err)
			}
			var b [100]byte
			seen := string(in)
			n, from, err := cx.ReadFrom(peer, b[:])
			m.always("ReadFrom returns the datagram that Peek returned", err == nil && string(b[:n]) == seen)
			if err == nil {
				cx.SendTo(peer, b[:n], from)
			}
			return cx.Fail(err)
		}},
	}))
	return Spec{Dict: []string{"one", "two"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "udp", ":7000", looker{w.Probe().Always})
		return err
	}}
}

// addresserSpec has a machine that replies by SendTo on a stream, and ignores the error.
func addresserSpec() Spec {
	k := reactor.Must(reactor.NewKind("addresser", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "reading", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
			var b [100]byte
			n, err := cx.Read(peer, b[:])
			if n > 0 {
				to := cx.RemoteAddr(peer)
				_ = cx.SendTo(peer, b[:n], to)
			}
			return cx.Fail(err)
		}},
	}))
	return Spec{Dict: []string{"hello"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}}
}

// The name of each case has the check that fails if reactor breaks its promise.
func TestEndsOfOrdinaryMachines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		spec Spec
	}{
		{"carrier: lost input, false end", carrierSpec()},
		{"echo: lost input", echoSpec()},
		{"salvager: quiescence", salvagerSpec()},
		{"answerer: false end", answererSpec()},
		{"looker: always", lookerSpec()},
		{"addresser: descriptor contract", addresserSpec()},
	} {
		t.Run(c.name, func(t *testing.T) {
			if found := Find(c.spec, 1, Budget{Runs: testenv.Pick(300, 2000)}); found.Failure != nil {
				t.Errorf("after %d runs: %s", found.Runs, found.Explain())
			}
		})
	}
}

// A machine that closes its connection right after it wrote loses that, with and without the
// metamorphic checks: whether it says bye, or has come to the end of its input.
func TestCloseBeforeOutputIsSent(t *testing.T) {
	for name, last := range map[string]byte{"after bye": 'q', "at the end": 0} {
		k := reactor.Must(reactor.NewKind("hasty", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
			{Shutdown: fsm.Stop},
			{Name: "reading", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
				b, err := cx.Peek(peer)
				if err != nil {
					cx.Close(peer)
					return fsm.Stop
				}
				over := b[len(b)-1] == last
				if err := cx.Write(peer, b); err != nil {
					return cx.Fail(err)
				}
				if cx.Discard(peer, len(b)); over {
					cx.Close(peer)
					return fsm.Stop
				}
				return fsm.Stay
			}}}))
		for seed := range uint64(10) {
			found := Find(Spec{Dict: []string{"a", "q"}, Without: Segmentation | HangUp | SpuriousEvents, Setup: func(w *World) error {
				_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
				return err
			}}, seed, Budget{Runs: 1000})
			if found.Failure == nil || found.Failure.Oracle != judge.LostOutput {
				t.Errorf("%s, seed %d: %v after %d runs: want %s", name, seed, found.Failure, found.Runs, judge.LostOutput)
			}
		}
	}
}
