package reactor_test

import (
	"context"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// null is a driver that costs next to nothing: each Wait finds its sockets readable, with
// one byte each, until so many events have been found.
type null struct {
	*fake
	events []poll.Event
	left   int
	begin  chan int
	done   chan struct{}
	woken  chan struct{}
}

func (d *null) Now() int64              { return 1 }
func (d *null) Close(driver.Sock) error { return nil }
func (d *null) End() error              { return nil }

func (d *null) Wake() {
	select {
	case d.woken <- struct{}{}:
	default:
	}
}

func (d *null) Register(_ driver.Sock, data driver.EventData) error {
	d.events = append(d.events, poll.Event{Token: poll.Token(data), Ready: poll.Readable})
	return nil
}

func (d *null) Read(driver.Sock, []byte) (int, driver.Flow, error) { return 1, driver.ReadBlocked, nil }

func (d *null) Wait(dst []poll.Event, until int64) (int, error) {
	if d.left > 0 {
		n := copy(dst[:min(len(dst), d.left)], d.events)
		d.left -= n
		return n, nil
	}
	if until != 0 {
		select {
		case d.done <- struct{}{}:
			d.left = <-d.begin
		case <-d.woken:
		}
	}
	return 0, nil
}

// flipper reads its byte and goes to its other state, where it waits again.
type flipper struct{ flips int }

type flipCx = reactor.Context[reactor.None]

func (f *flipper) flip(cx *flipCx, _ reactor.Ready) reactor.State {
	var b [1]byte
	if _, err := cx.Read(0, b[:]); err != nil {
		return cx.Fail(err)
	}
	f.flips++
	return idle + busy - cx.State()
}

// BenchmarkDispatch measures the loop's own time per event, in batches of 256: a machine is
// ready, its handler reads and returns another state, and it waits again.
func BenchmarkDispatch(b *testing.B) {
	const machines = 256
	d := &null{fake: newFake(b), begin: make(chan int), done: make(chan struct{}), woken: make(chan struct{}, 1)}
	l, err := reactor.NewLoop(reactor.Config{Slots: machines, Driver: d})
	if err != nil {
		b.Fatal(err)
	}
	row := reactor.Row[flipper, reactor.None]{Within: fsm.Never, Wait: reactor.Port(0).Readable(), OnReady: (*flipper).flip, To: fsm.To(idle, busy)}
	rows := reactor.Table[flipper, reactor.None]{{}, row, row}
	rows[idle].Name, rows[busy].Name = "idle", "busy"
	k := kind(b, "flipper", reactor.Options{Ports: []string{"peer"}}, rows)
	for range machines {
		if _, err := k.Adopt(l, d.NewSocket().Conn(), flipper{}); err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- l.Run(ctx) }()
	<-d.done
	b.ReportAllocs()
	b.ResetTimer()
	d.begin <- b.N
	<-d.done
	b.StopTimer()
	cancel()
	d.begin <- 0
	<-over
}
