package fuzz

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// puppet does what its peer's bytes say: anything that a handler may call, in any order.
// Nothing that it does may break what the loop promises.
type puppet struct {
	others *[]reactor.Ref[order]
}

type order struct{ what byte }

type puppetCx = reactor.Context[order]

const (
	obeying = fsm.First + iota
	deferring
	waitingUp
	last
)

func newPuppet() *reactor.Kind[puppet, order] {
	to := fsm.To(obeying, deferring, waitingUp, last)
	both := client.Readable().While(client.Room()) | upstream.Readable()
	return reactor.Must(reactor.NewKind("puppet", reactor.Options{
		Ports: []string{"client", "upstream"}, Timers: []reactor.TimerSpec{{Name: "one"}, {Name: "many", Many: 3, In: fsm.To(obeying, deferring)}},
		Mailbox: 3, Queue: 16, WriteBuffer: 300, ReadBuffer: 200, Linger: time.Second},
		reactor.Table[puppet, order]{
			fsm.Any: {Shutdown: fsm.Stop, Fail: last, OnMessage: (*puppet).message, OnTimer: (*puppet).timer, OnReady: (*puppet).ready,
				Within: fsm.After(10*time.Minute, fsm.Stop), OnEnter: (*puppet).born, To: to},
			obeying:   {Name: "obeying", Wait: both, Idle: fsm.After(time.Minute, fsm.Stop), Stall: fsm.After(5*time.Second, last)},
			deferring: {Name: "deferring", Wait: both | upstream.Opened(), Defer: true, Within: fsm.After(time.Second, obeying)},
			waitingUp: {Name: "waiting", Wait: upstream.Opened() | upstream.Drained() | client.Writable(), Within: fsm.After(2*time.Second, obeying)},
			last:      {Name: "last", Wait: client.Drained(), Within: fsm.After(time.Second, fsm.Stop), Shutdown: last},
		}))
}

func (p *puppet) born(cx *puppetCx) reactor.State {
	*p.others = append(*p.others, cx.Self())
	return fsm.Stay
}

func (p *puppet) ready(cx *puppetCx, r reactor.Ready) reactor.State {
	if cx.State() == last {
		return fsm.Stop
	}
	for port := client; port <= upstream; port++ {
		if !r.Has(port.Readable()) {
			continue
		}
		in, err := cx.Peek(port)
		if errors.Is(err, reactor.ErrFull) {
			return fsm.Stop
		}
		if err != nil {
			if port == upstream && err != reactor.ErrWouldBlock {
				cx.Close(upstream)
				continue
			}
			if err == io.EOF || err != reactor.ErrWouldBlock {
				return cx.Fail(err)
			}
			continue
		}
		what := in[0]
		if what != 'p' {
			cx.Discard(port, 1)
		}
		if to := p.obey(cx, what); to != fsm.Stay {
			return to
		}
	}
	if r.Has(upstream.Opened()) && cx.State() == waitingUp {
		return obeying
	}
	return fsm.Stay
}

func (p *puppet) message(cx *puppetCx, o *order) reactor.State {
	if o.what == 'l' {
		return fsm.Defer
	}
	return p.obey(cx, o.what)
}

func (p *puppet) timer(cx *puppetCx, f reactor.Fired) reactor.State {
	cx.Write(client, []byte{byte(f.Timer), byte(f.ID)})
	if f.ID == 2 {
		return deferring
	}
	return fsm.Stay
}

var much = make([]byte, 250)

// obey executes one command.
func (p *puppet) obey(cx *puppetCx, what byte) reactor.State {
	switch what {
	case 'w':
		return cx.Fail(full(cx.Write(client, []byte("word"))))
	case 'W':
		return cx.Fail(full(cx.Write(client, much)))
	case 's':
		_, err := cx.WriteSome(client, []byte("some"))
		return cx.Fail(err)
	case 'u':
		return cx.Fail(full(cx.Write(upstream, much)))
	case 'd':
		cx.Dial(upstream, "tcp", "10.0.0.1:80")
	case 'D':
		cx.Close(upstream)
		cx.Dial(upstream, "tcp", "127.0.0.1:7000") // one of its own kind
	case 'c':
		cx.Close(upstream)
	case 'C':
		cx.Close(client)
	case 'h':
		cx.CloseWrite(client)
	case 'H':
		cx.CloseWrite(upstream)
	case 'x':
		_, err := cx.Copy(upstream, client)
		return cx.Fail(full(err))
	case 'X':
		_, err := cx.Copy(client, upstream)
		return cx.Fail(full(err))
	case 'a':
		cx.Arm(0, time.Millisecond)
	case 'A':
		for id := range uint32(4) {
			cx.ArmID(1, id, time.Duration(id)*time.Second)
		}
	case 'z':
		cx.Disarm(0)
		cx.DisarmID(1, 1)
	case 'm', 'l':
		for _, to := range *p.others {
			to.Post(&cx.IO, order{"wul"[int(what)%3]})
		}
	case '1', '2', '3', '4':
		return reactor.State(what - '0')
	case 'i':
		cx.Within(time.Millisecond)
	case 'q':
		return fsm.Stop
	}
	return fsm.Stay
}

// full returns err, or nil if err only says that there is no room now.
func full(err error) error {
	if errors.Is(err, reactor.ErrFull) || errors.Is(err, reactor.ErrClosed) {
		return nil
	}
	return err
}

func TestAnything(t *testing.T) { Run(t, anythingSpec(newPuppet())) }

func anythingSpec(k *reactor.Kind[puppet, order]) Spec {
	return Spec{
		Loops: 2, Without: Segmentation | SpuriousEvents | Deadlines | LostOutput | Leaks, // others keeps all puppets
		Setup: func(w *World) error {
			others := new([]reactor.Ref[order])
			for i := range w.Loops() {
				if _, err := k.Listen(w.Loop(i), "tcp", []string{":7000", ":7001"}[i], puppet{others}); err != nil {
					return err
				}
			}
			w.Action("order", func(arg int) {
				if len(*others) > 0 {
					(*others)[arg%len(*others)].Send(order{"wWsudDcChHxXaAzmlq1234i"[(arg>>4)%23]})
				}
			})
			w.Action("spawn", func(arg int) {
				if len(*others) < 50 {
					k.Spawn(w.Loop(arg%w.Loops()), puppet{others})
				}
			})
			return nil
		},
		Dict: []string{"w", "W", "s", "u", "d", "D", "c", "C", "h", "H", "x", "X", "a", "A", "z", "m", "l", "1", "2", "3", "4", "i", "q",
			"dux", "wC", "hq", "Wq", "p", "WWWW", "dH", "2m", "aA4", "Dx3"},
	}
}

// An event for a socket that its machine has closed reaches the loop while the same
// port has a new socket.
func TestStaleEventIsDropped(t *testing.T) {
	k := newPuppet()
	s := Spec{Dict: []string{"d", "c"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", puppet{new([]reactor.Ref[order])})
		return err
	}}
	tr, err := trace.Parse(`
		dial 0 listener=0
		send 0 word=0 more=0
		send 0 word=1 more=0
		send 0 word=0 more=0
		stale 4 bits=1
	`)
	if err != nil {
		t.Fatal(err)
	}
	w := newEngine(s)
	var stale told
	w.world.Attach(&stale)
	if f := w.run(tr); f != nil {
		t.Fatal(f)
	}
	if got := stale.n; got != 1 {
		t.Errorf("%d events of closed sockets were told: want 1", got)
	}
}
