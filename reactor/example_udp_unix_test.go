//go:build unix

// Wine refuses an option that package net sets on each UDP socket, so this is not run there.

package reactor_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// sensors hears datagrams of any number of senders, and tells the last one of a lull.
type sensors struct{ last netip.AddrPort }

const (
	field reactor.Port  = 0
	lull  reactor.Timer = 0
)

type sensorsCx = reactor.Context[reactor.None]

// hear takes one datagram a call: while more wait, it is called again.
func (s *sensors) hear(cx *sensorsCx, _ reactor.Ready) reactor.State {
	var b [512]byte
	n, from, err := cx.ReadFrom(field, b[:])
	if err != nil {
		return cx.Fail(err)
	}
	s.last = from
	if err := cx.SendTo(field, []byte(strings.ToUpper(string(b[:n]))), from); err != nil {
		return cx.Fail(err)
	}
	return cx.Fail(cx.Arm(lull, 10*time.Millisecond)) // anew with each
}

func (s *sensors) quiet(cx *sensorsCx, _ reactor.Fired) reactor.State {
	return cx.Fail(cx.SendTo(field, []byte("all quiet"), s.last))
}

// A machine with a UDP port, and a timer with a name.
func ExampleIO_ReadFrom() {
	kind := reactor.Must(reactor.NewKind("sensors",
		reactor.Options{Ports: []string{"field"}, Timers: []reactor.TimerSpec{{Name: "lull"}}},
		reactor.Table[sensors, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop},
			fsm.First: {Name: "hearing", Wait: field.Readable(), Idle: fsm.Never,
				OnReady: (*sensors).hear, OnTimer: (*sensors).quiet},
		}))
	loop, err := reactor.NewLoop(reactor.Config{Slots: 1})
	if err != nil {
		log.Fatal(err)
	}
	l, err := kind.Listen(loop, "udp", "127.0.0.1:0", sensors{})
	if err != nil {
		log.Fatal(err)
	}
	go loop.Run(context.Background())

	c, err := net.Dial("udp", l.String())
	if err != nil {
		log.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprint(c, "it is warm")
	for range 2 {
		var b [512]byte
		n, err := c.Read(b[:])
		fmt.Printf("%s, %v\n", b[:n], err)
	}
	c.Close()
	loop.Shutdown(context.Background())
	// Output:
	// IT IS WARM, <nil>
	// all quiet, <nil>
}
