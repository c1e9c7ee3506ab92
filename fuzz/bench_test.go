package fuzz

import (
	"bytes"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// benchEvents measures events of a trace: the peer sends, the machine is called, reads and
// writes, the peer reads. An event takes one turn of the loop.
func benchEvents(b *testing.B, s Spec) {
	w := newEngine(s)
	if err := w.begin(nil); err != nil {
		b.Fatal(err)
	}
	defer w.world.Cleanup()
	for i := range 4 {
		w.world.Do(trace.Event{Op: trace.Dial, On: uint16(i)})
	}
	at := 0
	run := func() {
		w.world.Do(trace.Event{Op: trace.Send, On: uint16(at & 3)})
		c := w.world.Conn(at & 3)
		if len(c.Got) > 1<<16 || len(c.Sent) > 1<<16 {
			c.Got, c.Sent = c.Got[:0], c.Sent[:0]
		}
		at++
	}
	for range 1 << 16 {
		run()
	}
	before := w.world.Events()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		run()
	}
	b.StopTimer()
	if w.judge.Failure() != nil || w.world.Events()-before < uint64(b.N) {
		b.Fatalf("%d readiness events for %d of the trace, %v", w.world.Events()-before, b.N, w.judge.Failure())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkEcho(b *testing.B) { benchEvents(b, echoSpec()) }

// server replies to requests as a web server does: it reads a head of lines up to an empty
// line, and sends a reply with a length.
type server struct{ served int }

const (
	head = fsm.First + iota
	answering
)

func newServer() *reactor.Kind[server, reactor.None] {
	return reactor.Must(reactor.NewKind("server", reactor.Options{Ports: []string{"peer"}}, reactor.Table[server, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		head: {Name: "head", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop), Within: fsm.After(time.Hour, fsm.Stop),
			OnReady: (*server).head, To: fsm.To(answering)},
		answering: {Name: "answering", OnEnter: (*server).answer, Within: fsm.After(time.Second, fsm.Stop), To: fsm.To(head)},
	}))
}

func (s *server) head(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	end := bytes.Index(in, []byte("\r\n\r\n"))
	if end < 0 {
		return fsm.Stay
	}
	line, rest, _ := bytes.Cut(in[:end], []byte("\r\n"))
	if !bytes.HasPrefix(line, []byte("GET ")) || !bytes.HasSuffix(line, []byte(" HTTP/1.1")) {
		return fsm.Stop
	}
	for len(rest) > 0 {
		var header []byte
		header, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		if bytes.IndexByte(header, ':') < 0 {
			return fsm.Stop
		}
	}
	cx.Discard(peer, end+4)
	return answering
}

func (s *server) answer(cx *echoCx) reactor.State {
	s.served++
	if err := cx.Write(peer, []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")); err != nil {
		return cx.Fail(err)
	}
	return head
}

func serverSpec() Spec {
	k := newServer()
	return Spec{
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", server{})
			return err
		},
		Dict: []string{"GET /index.html HTTP/1.1\r\nHost: example.com\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n", "GET / HTTP/1.1\r\n", "\r\n", "Host: x\r\n"},
	}
}

func TestServer(t *testing.T) { Run(t, serverSpec()) }

// BenchmarkServer measures a request and its reply, which take two states.
func BenchmarkServer(b *testing.B) { benchEvents(b, serverSpec()) }

// BenchmarkRun measures a run without events, from its beginning to its end.
func BenchmarkRun(b *testing.B) {
	s := echoSpec()
	w := newEngine(s)
	tr := trace.Trace{{Op: trace.Dial}, {Op: trace.Send}}
	b.ReportAllocs()
	for range b.N {
		if f := w.run(tr); f != nil {
			b.Fatal(f)
		}
	}
}

// beating sends nothing, and arms a timer again and again.
type beating struct{ every time.Duration }

func (m *beating) arm(cx *echoCx) reactor.State {
	if m.every == 0 {
		return fsm.Stay
	}
	return cx.Fail(cx.Arm(0, m.every))
}

func (m *beating) beat(cx *echoCx, _ reactor.Fired) reactor.State { return m.arm(cx) }

func (m *beating) read(cx *echoCx, _ reactor.Ready) reactor.State {
	_, err := cx.Peek(peer)
	return cx.Fail(err)
}

// benchHour measures an hour of the world's clock in which 1,000 connections are idle.
func benchHour(b *testing.B, every time.Duration) {
	k := reactor.Must(reactor.NewKind("beating", reactor.Options{Ports: []string{"peer"}, Timers: []reactor.TimerSpec{{Name: "beat"}}},
		reactor.Table[beating, reactor.None]{{Shutdown: fsm.Stop},
			{Name: "idle", Wait: peer.Readable(), Idle: fsm.After(2*time.Hour, fsm.Stop), OnEnter: (*beating).arm, OnTimer: (*beating).beat, OnReady: (*beating).read}}))
	s := Spec{Conns: 1000, Config: reactor.Config{Slots: 1024}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", beating{every})
		return err
	}}
	w := newEngine(s)
	for range b.N {
		b.StopTimer()
		if err := w.begin(nil); err != nil {
			b.Fatal(err)
		}
		for i := range 1000 {
			w.world.Do(trace.Event{Op: trace.Dial, On: uint16(i)})
		}
		b.StartTimer()
		w.world.Do(trace.Event{Op: trace.Advance, A: 60, B: 4})
		b.StopTimer()
		stats, err := w.world.Loop(0).Stats()
		if err != nil || stats.Machines != 1000 || w.judge.Failure() != nil {
			b.Fatalf("%d machines after an hour, %v, %v: want 1,000", stats.Machines, err, w.judge.Failure())
		}
		w.world.Cleanup()
	}
}

// BenchmarkFind measures a search of 200 runs, without a report and with one.
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

func BenchmarkIdleHour(b *testing.B) { benchHour(b, 0) }

// BenchmarkBeatingHour measures an hour with 120,000 timers.
func BenchmarkBeatingHour(b *testing.B) { benchHour(b, 30*time.Second) }
