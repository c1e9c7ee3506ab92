package reactor_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// A server of lines: each is answered with its length.
func Example() {
	const peer reactor.Port = 0
	const reading = fsm.First
	type conn struct{ lines int }
	type cx = *reactor.Context[reactor.None]

	line := func(c *conn, cx cx, _ reactor.Ready) fsm.State {
		in, err := cx.Peek(peer)
		if err != nil {
			return cx.Fail(err)
		}
		for n, b := range in {
			if b == '\n' {
				cx.Discard(peer, n+1) // what follows is shown by the next call
				c.lines++
				return cx.Fail(cx.Write(peer, fmt.Appendf(nil, "line %d: %d\n", c.lines, n)))
			}
		}
		return fsm.Stay // called again when there is more
	}
	kind := reactor.Must(reactor.NewKind("lines",
		reactor.Options{Ports: []string{"peer"}, ReadBuffer: 4 << 10}, // a longer line ends its connection
		reactor.Table[conn, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			reading: {Name: "reading", Wait: peer.Readable().While(peer.Room()),
				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: line},
		}))

	loop, err := reactor.NewLoop(reactor.Config{Slots: 1000})
	if err != nil {
		panic(err)
	}
	l, err := kind.Listen(loop, "tcp", "127.0.0.1:0", conn{})
	if err != nil {
		panic(err)
	}
	go loop.Run(context.Background())

	c, err := net.Dial("tcp", l.String())
	if err != nil {
		panic(err)
	}
	fmt.Fprint(c, "hello\nhello, world\n")
	for r := bufio.NewScanner(c); r.Scan(); {
		fmt.Println(r.Text())
		if r.Text()[:6] == "line 2" {
			break
		}
	}
	c.Close()
	loop.Shutdown(context.Background())
	// Output:
	// line 1: 5
	// line 2: 12
}

// Messages from other goroutines come to the machine's own turn.
func ExampleRef_Send() {
	const counting = fsm.First
	type counter struct{ sum int }
	type add struct {
		n     int
		reply chan<- int
	}
	kind := reactor.Must(reactor.NewKind("counter", reactor.Options{},
		reactor.Table[counter, add]{
			fsm.Any: {Shutdown: fsm.Stop},
			counting: {Name: "counting", Idle: fsm.Never,
				OnMessage: func(c *counter, _ *reactor.Context[add], m *add) fsm.State {
					c.sum += m.n
					m.reply <- c.sum // has room: see below
					return fsm.Stay
				}},
		}))

	loop, err := reactor.NewLoop(reactor.Config{Slots: 1})
	if err != nil {
		panic(err)
	}
	ref, err := kind.Spawn(loop, counter{sum: 100})
	if err != nil {
		panic(err)
	}
	go loop.Run(context.Background())

	reply := make(chan int, 3)
	for n := range 3 {
		if err := ref.Send(add{n, reply}); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(<-reply, <-reply, <-reply)
	loop.Shutdown(context.Background())
	fmt.Println(ref.Send(add{1, reply}))
	// Output:
	// 100 101 103
	// closed
}

// A deadline bounds each state; it leads where the row says.
func ExampleKind_Spawn() {
	const green, red = fsm.First, fsm.First + 1
	type light struct{ turns int }
	type cx = *reactor.Context[reactor.None]
	ended := make(chan struct{})

	show := func(name string) func(*light, cx) fsm.State {
		return func(l *light, cx cx) fsm.State {
			fmt.Println(name)
			if l.turns++; l.turns == 4 {
				return fsm.Stop
			}
			return fsm.Stay
		}
	}
	kind := reactor.Must(reactor.NewKind("light", reactor.Options{},
		reactor.Table[light, reactor.None]{
			fsm.Any: {OnExit: func(*light, cx) { close(ended) }},
			green:   {Name: "green", OnEnter: show("green"), Within: fsm.After(2*time.Millisecond, red)},
			red:     {Name: "red", OnEnter: show("red"), Within: fsm.After(time.Millisecond, green)},
		}))
	loop, err := reactor.NewLoop(reactor.Config{Slots: 1})
	if err != nil {
		panic(err)
	}
	if _, err := kind.Spawn(loop, light{}); err != nil {
		panic(err)
	}
	go loop.Run(context.Background())
	<-ended
	loop.Shutdown(context.Background())
	// Output:
	// green
	// red
	// green
	// red
}

// passer copies between a client and an upstream that it dials, each direction while
// the other side has room, until both have ended.
type passer struct{ upstream string }

const (
	near reactor.Port = iota
	far
)

const (
	reaching = fsm.First + iota
	joined
)

func (r *passer) dial(cx *reactor.Context[reactor.None]) reactor.State {
	return cx.Fail(cx.Dial(far, "tcp", r.upstream))
}

func (r *passer) opened(*reactor.Context[reactor.None], reactor.Ready) reactor.State { return joined }

func (r *passer) copy(cx *reactor.Context[reactor.None], ready reactor.Ready) reactor.State {
	for from, to := range [...]reactor.Port{near: far, far: near} {
		if from := reactor.Port(from); ready.Has(from.Readable()) {
			switch _, err := cx.Copy(to, from); err {
			case nil, reactor.ErrWouldBlock:
			case io.EOF: // one direction has ended: the other may go on
				if err := cx.CloseWrite(to); err != nil {
					return cx.Fail(err)
				}
			default:
				return cx.Fail(err)
			}
		}
	}
	if cx.Err(near) == io.EOF && cx.Err(far) == io.EOF {
		return fsm.Stop
	}
	return fsm.Stay
}

// A proxy: a machine with two ports.
func ExampleIO_Dial() {
	proxy := reactor.Must(reactor.NewKind("proxy", reactor.Options{Ports: []string{"client", "upstream"}},
		reactor.Table[passer, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop},
			reaching: {Name: "reaching", OnEnter: (*passer).dial, Wait: far.Opened(), OnReady: (*passer).opened,
				Within: fsm.After(3*time.Second, fsm.Stop), To: fsm.To(joined)},
			joined: {Name: "joined", OnReady: (*passer).copy, Idle: fsm.After(time.Minute, fsm.Stop),
				Wait: near.Readable().While(far.Room()) | far.Readable().While(near.Room())},
		}))

	server, err := net.Listen("tcp", "127.0.0.1:0") // what it relays to: an echo
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		if c, err := server.Accept(); err == nil {
			io.Copy(c, c)
			c.Close()
		}
	}()
	loop, err := reactor.NewLoop(reactor.Config{})
	if err != nil {
		log.Fatal(err)
	}
	l, err := proxy.Listen(loop, "tcp", "127.0.0.1:0", passer{server.Addr().String()})
	if err != nil {
		log.Fatal(err)
	}
	go loop.Run(context.Background())

	c, err := net.Dial("tcp", l.String())
	if err != nil {
		log.Fatal(err)
	}
	c.Write([]byte("there and back"))
	c.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(c)
	fmt.Printf("%s, %v\n", answer, err)
	loop.Close()
	// Output: there and back, <nil>
}
