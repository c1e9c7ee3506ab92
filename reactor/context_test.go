package reactor_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/sig"
)

// keeper keeps its Context for use outside of its calls, which it must not.
type keeper struct {
	kept **reactor.Context[int]
	log  *journal
}

func (k *keeper) enter(cx *reactor.Context[int]) reactor.State {
	*k.kept = cx
	return cx.Fail(cx.Arm(0, time.Second))
}

func (k *keeper) fired(*reactor.Context[int], reactor.Fired) reactor.State {
	k.log.add("fired")
	return fsm.Stay
}

// A Context that is used after its handler has returned does nothing: methods that
// return an error return ErrOutside.
func TestContextOutsideItsHandler(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	var cx *reactor.Context[int]
	k := kind(t, "keeper", reactor.Options{Ports: []string{"peer", "other"}, Timers: []reactor.TimerSpec{{Name: "tick"}}}, reactor.Table[keeper, int]{
		fsm.Any: {Wait: reactor.Port(0).Readable(), Shutdown: fsm.Stop,
			OnMessage: func(*keeper, *reactor.Context[int], *int) reactor.State { return fsm.Stay },
			OnTimer:   (*keeper).fired,
			OnDown:    func(*keeper, *reactor.Context[int], reactor.Down) reactor.State { return fsm.Stay },
			OnSignal:  func(*keeper, *reactor.Context[int], sig.Set) reactor.State { return fsm.Stay },
			OnReady:   func(*keeper, *reactor.Context[int], reactor.Ready) reactor.State { return fsm.Stay }},
		idle: {Name: "idle", OnEnter: (*keeper).enter, Within: fsm.After(time.Hour, fsm.Stop)},
	})
	log := &journal{}
	s, ref := adopt(d, l, k, keeper{kept: &cx, log: log})
	s.PeerSends("secret")
	d.Do(func() {})
	d.Settle()
	d.Do(func() { // between two turns
		for what, err := range map[string]error{
			"Write":      cx.Write(0, []byte("x")),
			"CloseWrite": cx.CloseWrite(0),
			"Dial":       cx.Dial(1, "tcp", "127.0.0.1:1"),
			"Adopt":      cx.Adopt(1, s.Conn()),
			"Arm":        cx.Arm(0, 1),
			"Monitor":    cx.Monitor(ref.Token()),
			"Notify":     cx.Notify(1 << 2),
			"Post":       ref.Post(&cx.IO, 1),
			"Peek":       second(cx.Peek(0)),
			"Spawn":      second(k.Spawn(&cx.IO, keeper{kept: &cx})),
		} {
			if !errors.Is(err, reactor.ErrOutside) {
				t.Errorf("%s outside of a call: got %v, want ErrOutside", what, err)
			}
		}
	})
	cx.Disarm(0)
	cx.Within(time.Millisecond)
	d.Advance(time.Second)
	log.want(t, "fired")
	if n := stats(t, l).Machines; n != 1 {
		t.Errorf("got %d machines, want 1", n)
	}
	if got := s.Written(); got != "" {
		t.Errorf("the peer: got %q, want nothing", got)
	}
}

func second[T any](_ T, err error) error { return err }
