package fuzz

import (
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// readingSpec returns a Spec for machines with one state, which reads.
func readingSpec[M any](m func() M, ready func(*M, *echoCx, reactor.Ready) reactor.State) Spec {
	k := reactor.Must(reactor.NewKind("reading", reactor.Options{Ports: []string{"peer"}}, reactor.Table[M, reactor.None]{
		{Shutdown: fsm.Stop}, {Name: "reading", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: ready}}))
	return Spec{Dict: []string{"hello", "\n"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", m())
		return err
	}}
}

// faultySpec returns the Spec of one of the faulty machines in find_test.go.
func faultySpec(name string) Spec {
	for _, f := range faults {
		if f.name == name {
			return readingSpec(func() faulty { return faulty{how: f.how, shared: new([]byte), first: true} }, (*faulty).ready)
		}
	}
	panic("no such fault: " + name)
}

// trusting panics if it is called without input after it had some.
func trusting() Spec {
	return readingSpec(func() (spoken bool) { return false }, func(spoken *bool, cx *echoCx, _ reactor.Ready) reactor.State {
		var b [64]byte
		_, err := cx.Read(peer, b[:])
		if err == reactor.ErrWouldBlock && *spoken {
			panic("nothing came")
		}
		*spoken = *spoken || err == nil
		return cx.Fail(err)
	})
}

// impatient writes something if it is called without input.
func impatient() Spec {
	return readingSpec(func() (spoken bool) { return false }, func(spoken *bool, cx *echoCx, _ reactor.Ready) reactor.State {
		var b [64]byte
		_, err := cx.Read(peer, b[:])
		if err == reactor.ErrWouldBlock && *spoken {
			return cx.Fail(cx.Write(peer, []byte("well?")))
		}
		*spoken = *spoken || err == nil
		return cx.Fail(err)
	})
}

// A difference between two runs is explained by both runs, the first byte in which they
// differ, and the event of the trace at which it came.
func TestDifferencesAreTold(t *testing.T) {
	alone := faultySpec("has one buffer for all")
	alone.Isolated = true
	for _, c := range []struct {
		name, trace string
		spec        Spec
		at          int
		want        []string
	}{
		{"segmentation", "dial 1\npace 0 bytes=3 ms=9\ndial 0\nadvance n=1 unit=3\nsend 0\n", faultySpec("answers each piece"), 5, []string{
			`segmentation: connection 0 gets "piece," with its bytes in one piece, and "piece,piece,piece,piece,piece," byte by byte`,
			"after event 5 of 5, at 0s\n",
			"It sends \"hello\",\nand what it gets differs from byte 6 on:\n",
			"  with its bytes in one piece  6      \"piece,\"  nothing\n" +
				"  byte by byte                 30     \"piece,\"  \"piece,piece,piece,piece,\"\n",
			"What happens with its bytes in one piece:\n", "What happens byte by byte:\n",
			"\"piece,\" ← here is byte 6\n\nThe handlers that ran",
			" 3  0s    0     dials listener 0\n",
		}},
		{"spurious events", "short-read 0 bytes=1\ndial 1\ndial 0\nsend 0 hold\nsend 1\n", impatient(), 5, []string{
			`spurious events: connection 0 gets "" without faults, and "well?well?well?" with events that are not true`,
			"after event 5 of 5, at 0s\n",
			"  without faults                 0      \"\"     nothing\n  with events that are not true  15     \"\"     \"well?well?well?\"\n",
			"is said to be readable, and is not\n", "\"well?\" ← here is byte 0\n",
		}},
		{"isolation", "dial 0\nblock-read 0 times=1\nsend 0\ndial 1\nsend 1\n", alone, 5, []string{
			`isolation: connection 1 gets "hhello" among others, and "hello" when it is alone`,
			"after event 5 of 5, at 0s\n",
			"  among others      6      \"h\"    \"hello\"\n  when it is alone  5      \"h\"    \"ello\"\n",
			" 4  0s    1     dials listener 0\n",
		}},
		{"determinism", "dial 0\nadvance n=1 unit=3\nsend 0\n", faultySpec("depends on what was before"), 3, []string{
			"determinism: a second run of the same trace differs from the first (a range over a map, the time, random numbers, a global, what Setup does not make anew?)\nafter event 3 of 3, at 1s\n",
			"What happens the first time:\n", "What happens the second time:\n", "← not in the other run\n",
		}},
		{"a run that fails by itself", "pace 0\ndial 1\ndial 0\nsend 0\nturn 0\nsend 1\n", trusting(), 6, []string{
			`panic: reading panicked in state "reading": nothing came`, "after event 6 of 6, at 0s\n",
			"What happens with events that are not true:\n", "panic in state \"reading\": nothing came\n",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr, err := trace.Parse(c.trace)
			if err != nil {
				t.Fatal(err)
			}
			if c.name != "segmentation" {
				c.spec.Without = Segmentation
			}
			found := Replay(c.spec, tr)
			if found.Failure == nil {
				t.Fatal("nothing is found")
			}
			text := found.Explain()
			if found.Failure.At != c.at {
				t.Errorf("it happened at event %d: want %d", found.Failure.At, c.at)
			}
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in:\n%s", want, text)
				}
			}
		})
	}
}
