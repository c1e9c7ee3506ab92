package fuzz

import (
	"math"
	"testing"
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// tiny is a loop written by hand: an echo for one connection at a time, with one slot.
type tiny struct {
	d        driver.Driver
	listener driver.Sock
	sock     driver.Sock // 0: none
	life     uint64      // number of connections before this one
	out      []byte
	stop     bool
	retry    int64
	stats    reactor.Stats
	twice    bool // it closes twice
	drops    bool // it closes at a hang-up, and does not read what came before
}

const tinyListener = 2

func (l *tiny) Turn() bool {
	var events [4]poll.Event
	n, _ := l.d.Wait(events[:], 0)
	for _, ev := range events[:n] {
		if ev.Token != tinyListener && driver.EventData(ev.Token) != l.data() {
			l.stats.Stale++
		} else if l.drops && ev.Ready&poll.ReadClosed != 0 {
			l.close()
		}
	}
	if l.stop {
		l.close()
		l.d.Close(l.listener)
		l.d.End()
		return true
	}
	if l.sock == 0 {
		var err error
		if l.sock, _, err = l.d.Accept(l.listener); err != nil {
			l.retry = l.d.Now() + int64(time.Millisecond)
		} else if l.retry = math.MaxInt64; l.sock != 0 {
			l.d.Register(l.sock, l.data())
			l.stats.Machines = 1
		}
	}
	l.echo()
	return false
}

func (l *tiny) data() driver.EventData { return 2*driver.EventData(l.life)<<32 | 1<<32 }

func (l *tiny) echo() {
	var b [8]byte
	for l.sock != 0 {
		n, flow, err := l.d.Write(l.sock, l.out)
		if l.out = l.out[n:]; err == nil && len(l.out) > 0 {
			return
		}
		if err == nil {
			n, flow, err = l.d.Read(l.sock, b[:])
			l.out = append(l.out[:0], b[:n]...)
		}
		if err != nil || flow&driver.ReadEnded != 0 {
			l.close()
		} else if n == 0 {
			return
		}
	}
}

func (l *tiny) close() {
	if l.sock == 0 {
		return
	}
	l.d.Close(l.sock)
	if l.twice {
		l.d.Close(l.sock)
	}
	l.sock, l.stats.Machines, l.retry = 0, 0, 0 // a connection that waits to be accepted had its event
	l.life, l.out = l.life+1, l.out[:0]
}

// Until returns when a failed accept is tried again: everything else that the loop does
// follows from an event.
func (l *tiny) Until() int64 {
	if l.stop {
		return 0
	}
	return l.retry
}

func (l *tiny) Leave()               { l.stop = true }
func (l *tiny) Stop()                { l.stop = true }
func (l *tiny) Stats() reactor.Stats { return l.stats }

func tinySpec(how tiny) Spec {
	return Spec{
		Conns: 1, Dict: []string{"hello", "a longer word"},
		Oracles: []Oracle{sameBytes},
		Setup: func(w *World) (err error) {
			w.Bare(0, func(d driver.Driver) BareLoop {
				l := &tiny{d: d, twice: how.twice, drops: how.drops, retry: math.MaxInt64}
				if l.listener, err = d.Listen(driver.Addr{Net: driver.TCP}, driver.SocketOptions{}); err == nil {
					err = d.Register(l.listener, tinyListener)
				}
				return l
			})
			return err
		},
	}
}

func TestBareLoop(t *testing.T) {
	if found := Find(tinySpec(tiny{twice: true}), 1, Budget{Runs: 100}); found.Failure == nil || found.Failure.Oracle != judge.Contract {
		t.Errorf("a loop that closes twice: %v: want a failure of K", found.Failure)
	}
	if found := Find(tinySpec(tiny{}), 1, Budget{Runs: 200}); found.Failure != nil {
		t.Error(found.Explain())
	}
}

// Bytes with the peer's end right behind them get the same answer as bytes whose end comes
// later.
func TestHangUp(t *testing.T) {
	found := Find(tinySpec(tiny{drops: true}), 1, Budget{Runs: 100})
	if found.Failure == nil || found.Failure.Oracle != judge.HangUp {
		t.Fatalf("%v: want a failure of H", found)
	}
	const want = `hang-up: connection 0 gets "hello" when its end comes later, and "" with its end right behind its bytes`
	if got := found.Failure.Error(); got != want || len(found.Trace) > 2 {
		t.Errorf("%s, shrunk to\n%s\nwant %s, shrunk to a dial and a send", got, found.Trace, want)
	}
	s := tinySpec(tiny{drops: true})
	s.Without = HangUp
	if found := Find(s, 1, Budget{Runs: 100}); found.Failure != nil {
		t.Errorf("without HangUp: %v", found.Failure)
	}
}
