package right

import (
	"fmt"
	"io"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// counter counts the bytes that a client sends before it half-closes, and replies then.
type counter struct{ bytes, lines int }

// daytime says what it has to say and half-closes, and waits for the client to close.
type daytime struct{}

type countCx = reactor.Context[reactor.None]

const countPeer reactor.Port = 0

func newCounter() *reactor.Kind[counter, reactor.None] {
	return reactor.Must(reactor.NewKind("counter", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[counter, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "counting", Wait: countPeer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop),
				OnReady: (*counter).count},
		}))
}

func (c *counter) count(cx *countCx, _ reactor.Ready) fsm.State {
	var b [512]byte
	n, err := cx.Read(countPeer, b[:])
	if err == io.EOF {
		if err := cx.Write(countPeer, fmt.Appendln(nil, c.bytes, c.lines)); err != nil {
			return cx.Fail(err)
		}
		return fsm.Stop
	}
	c.bytes += n
	for _, x := range b[:n] {
		if x == '\n' {
			c.lines++
		}
	}
	return cx.Fail(err)
}

const (
	daytimeSaying = fsm.First + iota
	daytimeClosing
)

func newDaytime() *reactor.Kind[daytime, reactor.None] {
	return reactor.Must(reactor.NewKind("daytime", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[daytime, reactor.None]{
			fsm.Any:        {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			daytimeSaying:  {Name: "saying", OnEnter: (*daytime).say, To: fsm.To(daytimeClosing)},
			daytimeClosing: {Name: "closing", Wait: countPeer.Readable(), OnReady: (*daytime).drop, Within: fsm.After(10*time.Second, fsm.Stop)},
		}))
}

func (d *daytime) say(cx *countCx) fsm.State {
	err := cx.Write(countPeer, []byte("it is noon\n"))
	if err == nil {
		err = cx.CloseWrite(countPeer)
	}
	if err != nil {
		return cx.Fail(err)
	}
	return daytimeClosing
}

func (d *daytime) drop(cx *countCx, _ reactor.Ready) fsm.State {
	var b [512]byte
	_, err := cx.Read(countPeer, b[:])
	return cx.Fail(err)
}

func countSpec() fuzz.Spec {
	counters, daytimes := newCounter(), newDaytime()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			if _, err := counters.Listen(w.Loop(0), "tcp", ":7000", counter{}); err != nil {
				return err
			}
			_, err := daytimes.Listen(w.Loop(0), "tcp", ":13", daytime{})
			return err
		},
		Dict:     []string{"a line\n", "half", string(make([]byte, 3000))},
		Isolated: true,
	}
}
