//go:build unix || windows

package reactor_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// What Peek returns for input in front of a reset while Config.Buffers, or Options.ReadBuffer,
// have no room for it.

// acknowledger consumes what Peek returns, and writes when it gets a message.
func acknowledger(t testing.TB, log *journal, ended *ends) *reactor.Kind[empty, string] {
	return kind(t, "acknowledger", reactor.Options{Ports: []string{"peer"}, OnEnd: ended.add}, reactor.Table[empty, string]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "reading", Wait: reactor.Port(0).Readable(), Idle: fsm.Never,
			OnMessage: func(_ *empty, cx *reactor.Context[string], m *string) reactor.State {
				return cx.Fail(cx.Write(0, []byte(*m)))
			},
			OnReady: func(_ *empty, cx *reactor.Context[string], _ reactor.Ready) reactor.State {
				b, err := cx.Peek(0)
				if err != nil {
					log.add(fmt.Sprint(err))
					return cx.Fail(err)
				}
				log.add(string(b))
				cx.Discard(0, len(b))
				return fsm.Stay
			}},
	})
}

// A machine waits for Buffers to read what came before a reset, and the reset is found. What
// the loop reads then, to see whether there is input, is shown to the machine at once: it
// has it, and need not wait for others any more.
func TestInputBeforeAResetIsShownToAMachineThatWaits(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{Buffers: 8 * kib})
	s, ref := adopt(d, l, acknowledger(t, log, ended), empty{})
	log.take()
	d.hold(l, 1, log)
	broken(d, s, poll.Readable, "hello")
	log.want(t, "would block")
	if err := ref.Send("ack"); err != nil {
		t.Fatal(err)
	}
	d.Settle()
	log.want(t, "would block hello connection reset by peer")
	if err := ended.next(t); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("ended with %v, want the reset", err)
	}
}

// A read buffer that is full keeps a machine from reading what came before a reset: then it
// ends by that, however many calls it has in a turn, and not by the reset.
func TestFullReadBufferBeforeAReset(t *testing.T) {
	for _, steps := range []int{1, 32} {
		d, log, ended := newFake(t), &journal{}, newEnds()
		l := d.start(reactor.Config{Steps: steps})
		s, _ := adopt(d, l, readers(t, reactor.Options{ReadBuffer: 16, OnEnd: ended.add}, reactor.Port(0).Readable()), reader{log: log, do: func(r *reader, cx *read, what reactor.Ready) reactor.State {
			cx.Write(0, []byte("ack")) // finds the reset
			return takeLine(r, cx, what)
		}})
		log.take()
		broken(d, s, poll.Readable, "a\n"+bytesOf(20))
		if err := ended.next(t); !errors.Is(err, reactor.ErrFull) {
			t.Errorf("%d steps: ended with %v after %q, want %v", steps, err, log.take(), reactor.ErrFull)
		}
	}
}
