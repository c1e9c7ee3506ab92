package reactor_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"slices"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// spoken goes to the room: a line that a guest said, or that there is a new one.
type spoken struct {
	by    reactor.Ref[string]
	joins bool
	line  string
}

// room is one machine that many send to, and that sends to many.
type room struct{ guests []reactor.Ref[string] }

func (r *room) hear(cx *reactor.Context[spoken], m *spoken) fsm.State {
	if m.joins {
		r.guests = append(r.guests, m.by)
		m.by.Post(&cx.IO, fmt.Sprint("you are number ", len(r.guests)))
		return fsm.Stay
	}
	r.guests = slices.DeleteFunc(r.guests, func(to reactor.Ref[string]) bool {
		if to == m.by {
			return false
		}
		err := to.Post(&cx.IO, m.line) // ErrFull: whoever is so slow misses a line
		return errors.Is(err, reactor.ErrStale)
	})
	return fsm.Stay
}

// guest is a connection in the room.
type guest struct{ room reactor.Ref[spoken] }

func (g *guest) enter(cx *reactor.Context[string]) fsm.State {
	return cx.Fail(g.room.Post(&cx.IO, spoken{by: cx.Self(), joins: true}))
}

func (g *guest) talk(cx *reactor.Context[string], _ reactor.Ready) fsm.State {
	in, err := cx.Peek(near)
	line, _, whole := bytes.Cut(in, []byte("\n"))
	if err != nil || !whole {
		return cx.Fail(err)
	}
	err = g.room.Post(&cx.IO, spoken{by: cx.Self(), line: string(line)})
	if errors.Is(err, reactor.ErrFull) {
		return fsm.Stay // the line stays where it is until the room can take it: see Wait
	}
	cx.Discard(near, len(line)+1)
	return cx.Fail(err)
}

func (g *guest) hear(cx *reactor.Context[string], line *string) fsm.State {
	return cx.Fail(cx.Write(near, []byte(*line+"\n")))
}

// A room: what one connection says goes to all others, by way of one machine.
func ExampleRef_Post() {
	rooms := reactor.Must(reactor.NewKind("room", reactor.Options{Mailbox: 1 << 10},
		reactor.Table[room, spoken]{
			fsm.Any: {Shutdown: fsm.Stop},
			{Name: "open", Idle: fsm.Never, OnMessage: (*room).hear},
		}))
	guests := reactor.Must(reactor.NewKind("guest", reactor.Options{Ports: []string{"peer"}, Mailbox: 64},
		reactor.Table[guest, string]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			{Name: "talking", Wait: near.Readable().While(near.Room() | fsm.Sendable), Idle: fsm.After(time.Hour, fsm.Stop),
				OnEnter: (*guest).enter, OnReady: (*guest).talk, OnMessage: (*guest).hear},
		}))

	loop, err := reactor.NewLoop(reactor.Config{})
	if err != nil {
		log.Fatal(err)
	}
	ref, err := rooms.Spawn(loop, room{})
	if err != nil {
		log.Fatal(err)
	}
	l, err := guests.Listen(loop, "tcp", "127.0.0.1:0", guest{ref})
	if err != nil {
		log.Fatal(err)
	}
	go loop.Run(context.Background())

	var conns []*bufio.ReadWriter
	for range 3 {
		c, err := net.Dial("tcp", l.String())
		if err != nil {
			log.Fatal(err)
		}
		conns = append(conns, bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c)))
		line, _ := conns[len(conns)-1].ReadString('\n')
		fmt.Print(line)
	}
	fmt.Fprintln(conns[0], "hello, all")
	conns[0].Flush()
	for _, c := range conns[1:] {
		line, _ := c.ReadString('\n')
		fmt.Print(line)
	}
	loop.Close()
	// Output:
	// you are number 1
	// you are number 2
	// you are number 3
	// hello, all
	// hello, all
}
