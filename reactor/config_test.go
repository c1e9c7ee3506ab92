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

// repeater echoes its input, and passes on its messages.
type repeater struct{ messages chan<- int }

func repeaters(t testing.TB, opt reactor.Options) *reactor.Kind[repeater, int] {
	opt.Ports = []string{"peer"}
	return kind(t, "repeater", opt, reactor.Table[repeater, int]{
		fsm.First: {Name: "echoing", Wait: port0.Readable().While(port0.Room()), Idle: fsm.After(patience, fsm.Stop),
			OnReady: func(_ *repeater, cx *reactor.Context[int], _ reactor.Ready) reactor.State {
				_, err := cx.Copy(port0, port0)
				return cx.Fail(err)
			},
			OnMessage: func(m *repeater, _ *reactor.Context[int], n *int) reactor.State {
				m.messages <- *n
				return fsm.Stay
			}},
	})
}

// A loop serves with each limit at the smallest value that is allowed, and with all of
// them at once.
func TestSmallestLimits(t *testing.T) {
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
		{"MaxMachines", reactor.Config{}, reactor.Options{MaxMachines: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := netLoop(t, c.cfg)
			k := repeaters(t, c.opt)
			messages := make(chan int, 3)
			n := netListen(t, l, k, repeater{messages: messages})
			for round := range 3 { // one after the other: there may be one slot
				if err := sendAndRead(t, n, bytes.Repeat([]byte(fmt.Sprint(round, " ")), 2_000)); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "all have ended", func() bool { return stats(t, l).Machines == 0 })
			ref, err := k.Spawn(l, repeater{messages: messages})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				eventually(t, "room for a message", func() bool { return ref.Send(i) == nil })
				if got := await(t, "a message", messages); got != i {
					t.Errorf("got message %d, want %d", got, i)
				}
			}
		})
	}
}

// sendAndRead sends all in one connection, and reads it back to the end.
func sendAndRead(t *testing.T, n *reactor.Listener, all []byte) error {
	c := netDial(t, n)
	defer c.Close()
	go func() {
		c.Write(all)
		c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err == nil && !bytes.Equal(got, all) {
		err = fmt.Errorf("got %d bytes back, want the same %d", len(got), len(all))
	}
	return err
}
