package reactor_test

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// mirror is a driver in memory: what is written to a connection comes back as its
// input. It has the methods for a machine that dials; the others are those of the
// embedded Driver, which is nil.
type mirror struct {
	driver.Driver
	start time.Time
	woken chan struct{}
	conns []mirrored // by Sock-1
}

type mirrored struct {
	data    driver.EventData
	bytes   []byte
	blocked bool // a read was: an event is due when there are bytes
}

func (d *mirror) at(s driver.Sock) *mirrored { return &d.conns[s-1] }

func (d *mirror) Now() int64 { return int64(time.Since(d.start)) }

func (d *mirror) Wake() {
	select {
	case d.woken <- struct{}{}:
	default: // a Wake is pending
	}
}

func (d *mirror) Wait(dst []poll.Event, until int64) (n int, err error) {
	for i := range d.conns {
		if c := &d.conns[i]; c.blocked && len(c.bytes) > 0 && n < len(dst) {
			c.blocked = false
			dst[n] = poll.Event{Token: poll.Token(c.data), Ready: poll.Readable}
			n++
		}
	}
	if n > 0 || until == 0 {
		return n, nil
	}
	var late <-chan time.Time
	if until != math.MaxInt64 {
		late = time.After(time.Duration(until - d.Now()))
	}
	select {
	case <-d.woken:
	case <-late:
	}
	return 0, nil
}

func (d *mirror) Connect(driver.Addr, driver.SocketOptions) (driver.Sock, driver.Flow, error) {
	d.conns = append(d.conns, mirrored{})
	return driver.Sock(len(d.conns)), 0, nil
}

func (d *mirror) Register(s driver.Sock, data driver.EventData) error {
	d.at(s).data = data
	return nil
}

func (d *mirror) Read(s driver.Sock, b []byte) (int, driver.Flow, error) {
	c := d.at(s)
	if len(c.bytes) == 0 {
		c.blocked = true
		return 0, driver.ReadBlocked, nil
	}
	n := copy(b, c.bytes)
	c.bytes = c.bytes[n:]
	return n, 0, nil
}

func (d *mirror) Write(s driver.Sock, b []byte) (int, driver.Flow, error) {
	d.at(s).bytes = append(d.at(s).bytes, b...)
	return len(b), 0, nil
}

func (d *mirror) Writev(s driver.Sock, v *driver.Vec) (n int, flow driver.Flow, err error) {
	for _, b := range v.B[:v.N] {
		d.at(s).bytes = append(d.at(s).bytes, b...)
		n += len(b)
	}
	return n, 0, nil
}

func (d *mirror) Traits(driver.Sock) driver.Traits { return driver.KeepsOutput }
func (d *mirror) Close(driver.Sock) error          { return nil }
func (d *mirror) End() error                       { return nil }

// A loop runs over any driver that keeps the contract of package driver.
func Example_driver() {
	const peer reactor.Port = 0
	type client struct{}
	type cx = *reactor.Context[reactor.None]
	ctx, stop := context.WithCancel(context.Background())

	kind := reactor.Must(reactor.NewKind("client",
		reactor.Options{Ports: []string{"peer"}, OnEnd: func(reactor.Token, error) { stop() }},
		reactor.Table[client, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop},
			fsm.First: {Name: "asking", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop),
				OnEnter: func(_ *client, cx cx) fsm.State {
					if err := cx.Dial(peer, "tcp", "192.0.2.1:7"); err != nil {
						return cx.Fail(err)
					}
					return cx.Fail(cx.Write(peer, []byte("hello")))
				},
				OnReady: func(_ *client, cx cx, _ reactor.Ready) fsm.State {
					in, err := cx.Peek(peer)
					if err != nil {
						return cx.Fail(err)
					}
					fmt.Printf("the peer said %q\n", in)
					return fsm.Stop
				}},
		}))

	loop, err := reactor.NewLoop(reactor.Config{
		Driver: &mirror{start: time.Now(), woken: make(chan struct{}, 1)},
	})
	if err != nil {
		panic(err)
	}
	if _, err := kind.Spawn(loop, client{}); err != nil {
		panic(err)
	}
	loop.Run(ctx)
	// Output:
	// the peer said "hello"
}
