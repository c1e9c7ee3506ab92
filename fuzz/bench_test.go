package fuzz

import (
	"testing"
	"time"
)

// BenchmarkEcho is the way of an event of a trace: a peer sends, the machine is
// told, reads and writes, the peer reads. One turn of the loop an event.
func BenchmarkEcho(b *testing.B) {
	s := echoSpec()
	w := newWorld(s.filled())
	if err := w.begin(nil); err != nil {
		b.Fatal(err)
	}
	for i := range 4 {
		w.do(Event{Op: opDial, On: uint16(i)})
	}
	at := 0
	run := func() {
		w.do(Event{Op: opSend, On: uint16(at & 3)})
		at++
		for i := range w.conns {
			c := &w.conns[i]
			if len(c.got) > 1<<16 {
				c.got, c.sent = c.got[:0], c.sent[:0]
			}
		}
	}
	for range 1 << 16 {
		run()
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := w.events
	for range b.N {
		run()
	}
	b.ReportMetric(float64(w.events-before)/b.Elapsed().Seconds(), "readiness/s")
}

// BenchmarkRun is a run from its beginning to its end: what one costs beside its events.
func BenchmarkRun(b *testing.B) {
	s := echoSpec()
	w := newWorld(s.filled())
	tr := Trace{{Op: opDial}, {Op: opSend}}
	b.ReportAllocs()
	for range b.N {
		if f := w.run(tr); f != nil {
			b.Fatal(f)
		}
	}
}

// BenchmarkIdleHour is an hour in which 1,000 connections say nothing.
func BenchmarkIdleHour(b *testing.B) {
	s := echoSpec()
	s.Conns, s.Config.Slots = 1000, 1024
	w := newWorld(s.filled())
	tr := make(Trace, 0, 1001)
	for i := range 1000 {
		tr = append(tr, Event{Op: opDial, On: uint16(i)})
	}
	tr = append(tr, Event{Op: opAdvance, A: 60, B: 4})
	for range b.N {
		begin := time.Now()
		if f := w.run(tr); f != nil {
			b.Fatal(f)
		}
		if took := time.Since(begin); took > time.Second {
			b.Log("an hour took", took)
		}
	}
}

// BenchmarkFind is 200 runs of a search, without a report and with one.
func BenchmarkFind(b *testing.B) {
	for _, report := range []bool{false, true} {
		b.Run(map[bool]string{false: "unreported", true: "reported"}[report], func(b *testing.B) {
			s := roomSpec()
			s.Report = report
			for range b.N {
				if found := Find(s, 1, Budget{Runs: 200}); found.Failure != nil {
					b.Fatal(found.Failure)
				}
			}
		})
	}
}
