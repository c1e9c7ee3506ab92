//go:build unix || windows

package reactor_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// teller echoes, and counts in its machine the messages that it was sent.
type teller struct{ told chan<- int }

func tellers(t testing.TB, opt reactor.Options) *reactor.Kind[teller, int] {
	opt.Ports = []string{"peer"}
	return kind(t, "teller", opt, reactor.Table[teller, int]{
		fsm.First: {Name: "echoing", Wait: port0.Readable().While(port0.Room()), Idle: fsm.After(netPatience, fsm.Stop),
			OnReady: func(_ *teller, cx *reactor.Context[int], _ reactor.Ready) reactor.State {
				_, err := cx.Copy(port0, port0)
				return cx.Fail(err)
			},
			OnMessage: func(m *teller, _ *reactor.Context[int], n *int) reactor.State {
				m.told <- *n
				return fsm.Stay
			}},
	})
}

// TestLeast serves with each limit at the least that is allowed, alone and all together.
func TestLeast(t *testing.T) {
	type limits struct {
		name string
		cfg  reactor.Config
		opt  reactor.Options
	}
	all := limits{
		"all",
		reactor.Config{Slots: 1, Timers: 1, Monitors: 1, Events: 1, Accepts: 1, Batch: 1, Steps: 1, Lookups: 1, Buffers: 8 << 10, Resolution: 100 * time.Microsecond},
		reactor.Options{Mailbox: 1, Queue: 1, WriteBuffer: 1, ReadBuffer: 1, MaxMachines: 1, Linger: 10 * time.Second},
	}
	for _, c := range []limits{
		all,
		{"Slots", reactor.Config{Slots: 1}, reactor.Options{}},
		{"Events", reactor.Config{Events: 1}, reactor.Options{}},
		{"Accepts", reactor.Config{Accepts: 1}, reactor.Options{}},
		{"Batch", reactor.Config{Batch: 1}, reactor.Options{}},
		{"Steps", reactor.Config{Steps: 1}, reactor.Options{}},
		{"Buffers", reactor.Config{Buffers: 8 << 10}, reactor.Options{}},
		{"WriteBuffer", reactor.Config{}, reactor.Options{WriteBuffer: 1}},
		{"ReadBuffer", reactor.Config{}, reactor.Options{ReadBuffer: 1}},
		{"Mailbox", reactor.Config{}, reactor.Options{Mailbox: 1}},
		{"Queue", reactor.Config{}, reactor.Options{Queue: 1}},
		{"Most", reactor.Config{}, reactor.Options{MaxMachines: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := netLoop(t, c.cfg)
			k := tellers(t, c.opt)
			told := make(chan int, 3)
			n := netListen(t, l, k, teller{told: told})
			for round := range 3 { // one after the other: there may be one slot
				if err := tellBack(t, n, bytes.Repeat([]byte(fmt.Sprint(round, " ")), 2_000)); err != nil {
					t.Fatal(err)
				}
			}
			netWait(t, "all have ended", func() bool { return netStats(t, l).Machines == 0 })
			ref, err := k.Spawn(l, teller{told: told})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				netWait(t, "room for a message", func() bool { return ref.Send(i) == nil })
				if got := netTake[int](t, told); got != i {
					t.Errorf("told %d, want %d", got, i)
				}
			}
		})
	}
}

// tellBack sends all in one connection, and reads it back to the end.
func tellBack(t *testing.T, n *reactor.Listener, all []byte) error {
	c := netDial(t, n)
	defer c.Close()
	go func() {
		c.Write(all)
		c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err == nil && !bytes.Equal(got, all) {
		err = fmt.Errorf("%d bytes came back of %d, or others", len(got), len(all))
	}
	return err
}
