package reactor_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/sig"
)

// keeper gives its Context away, which it must not.
type keeper struct {
	kept **reactor.Context[int]
	log  *journal
}

func (k *keeper) enter(cx *reactor.Context[int]) reactor.State {
	*k.kept = cx
	return cx.Fail(cx.Arm(0, time.Second))
}

func (k *keeper) noted(*reactor.Context[int], reactor.Fired) reactor.State {
	k.log.add("fired")
	return fsm.Stay
}

// A Context that is used after its handler has answered does nothing, and says so.
func TestContextOutsideItsHandler(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	var cx *reactor.Context[int]
	k := kind(t, "keeper", reactor.Options{Ports: []string{"peer", "other"}, Timers: []reactor.TimerSpec{{Name: "tick"}}}, reactor.Table[keeper, int]{
		fsm.Any: {Wait: reactor.Port(0).Readable(), Shutdown: fsm.Stop,
			OnMessage: func(*keeper, *reactor.Context[int], *int) reactor.State { return fsm.Stay },
			OnTimer:   (*keeper).noted,
			OnDown:    func(*keeper, *reactor.Context[int], reactor.Down) reactor.State { return fsm.Stay },
			OnSignal:  func(*keeper, *reactor.Context[int], sig.Set) reactor.State { return fsm.Stay },
			OnReady:   func(*keeper, *reactor.Context[int], reactor.Ready) reactor.State { return fsm.Stay }},
		idle: {Name: "idle", OnEnter: (*keeper).enter, Within: fsm.After(time.Hour, fsm.Stop)},
	})
	log := &journal{}
	s, ref := adopt(d, l, k, keeper{kept: &cx, log: log})
	s.sends("secret")
	d.do(func() {})
	d.settle()
	d.do(func() { // between two turns
		for what, err := range map[string]error{
			"Write":      cx.Write(0, []byte("x")),
			"CloseWrite": cx.CloseWrite(0),
			"Dial":       cx.Dial(1, "tcp", "127.0.0.1:1"),
			"Adopt":      cx.Adopt(1, fakeConn{s}),
			"Arm":        cx.Arm(0, 1),
			"Monitor":    cx.Monitor(ref.Token()),
			"Notify":     cx.Notify(1 << 2),
			"Post":       ref.Post(&cx.IO, 1),
			"Peek":       second(cx.Peek(0)),
			"Spawn":      second(k.Spawn(&cx.IO, keeper{kept: &cx})),
		} {
			if !errors.Is(err, reactor.ErrOutside) {
				t.Errorf("%s: %v: want ErrOutside", what, err)
			}
		}
	})
	cx.Disarm(0)
	cx.Within(time.Millisecond)
	d.advance(time.Second)
	log.want(t, "fired")
	if n := stats(t, l).Machines; n != 1 {
		t.Errorf("%d machines live on", n)
	}
	if got := s.got(); got != "" {
		t.Errorf("the peer got %q", got)
	}
}

// bystander is an Observer that panics at what it sees.
type bystander struct{ at reactor.State }

func (b bystander) Moved(_ reactor.Token, _ reactor.AnyKind, _, to reactor.State) {
	if to == b.at {
		panic("what a sight")
	}
}

func (bystander) Ended(reactor.Token, reactor.AnyKind, error) {}

// The panic of an Observer ends the machine that it watched, and no other.
func TestPanicInObserver(t *testing.T) {
	for at, want := range map[reactor.State]reactor.Stats{
		idle: {Panics: 2}, busy: {Panics: 1, Machines: 1}, fsm.Stop: {Panics: 1, Machines: 1},
	} {
		d := newFake(t)
		l := d.start(reactor.Config{Observer: bystander{at}})
		k := walkers(t, newEnds())
		log := &journal{}
		walked := spawn(t, l, k, walker{log: log})
		spawn(t, l, k, walker{log: &journal{}})
		d.settle()
		if at != idle {
			log.take()
			d.send(walked, at)
			log.want(t, "-1 ends") // each Exit once
		}
		if s := stats(t, l); s.Panics != want.Panics || s.Machines != want.Machines {
			t.Errorf("at %v: %v: want %d panics and %d machines", at, s, want.Panics, want.Machines)
		}
	}
}

func second[T any](_ T, err error) error { return err }
