package reactor_test

import (
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Longest is how long a slow handler kept all other machines waiting. A loop that
// sleeps takes no long turn.
func TestLongestTurn(t *testing.T) {
	const slow = 30 * time.Millisecond
	d := newFake(t)
	l := d.start(reactor.Config{})
	s, _ := adopt(d, l, readers(t, reactor.Options{}, reactor.Port(0).Readable()), reader{
		do: func(_ *reader, cx *read, _ reactor.Ready) reactor.State {
			if _, err := cx.Peek(0); err != nil {
				return cx.Fail(err)
			}
			d.Pass(slow)
			return fsm.Stop
		}})
	d.Advance(time.Hour)
	if got := stats(t, l).Longest; got != 0 {
		t.Errorf("an idle loop: got a longest turn of %v, want 0", got)
	}
	s.PeerSends("x")
	if got := stats(t, l).Longest; got != slow {
		t.Errorf("a handler that takes %v: got a longest turn of %v, want the same", slow, got)
	}
}
