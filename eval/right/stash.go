package right

import (
	"errors"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// printer prints one page at a time, which takes a while. What comes meanwhile waits.
type printer struct{ page page }

type page struct {
	from reactor.Ref[string]
	text string
}

const (
	printerIdle = fsm.First + iota
	printerBusy
	printerDone
)

func newPrinter() *reactor.Kind[printer, page] {
	return reactor.Must(reactor.NewKind("printer", reactor.Options{Mailbox: 2},
		reactor.Table[printer, page]{
			fsm.Any:     {Shutdown: fsm.Stop},
			printerIdle: {Name: "idle", Idle: fsm.Never, OnMessage: (*printer).start, To: fsm.To(printerBusy)},
			printerBusy: {Name: "busy", Defer: true, Within: fsm.After(10*time.Millisecond, printerDone)},
			printerDone: {Name: "done", OnEnter: (*printer).done, Defer: true, To: fsm.To(printerIdle)},
		}))
}

func (p *printer) start(_ *reactor.Context[page], m *page) fsm.State {
	p.page = *m
	return printerBusy
}

func (p *printer) done(cx *reactor.Context[page]) fsm.State {
	p.page.from.Post(&cx.IO, p.page.text) // refused: it has ended
	return printerIdle
}

// client is a connection that prints lines, one at a time.
type client struct{ printer reactor.Ref[page] }

type clientCx = reactor.Context[string]

const clientPeer reactor.Port = 0

const (
	clientReading = fsm.First + iota
	clientWaiting
)

func newClient() *reactor.Kind[client, string] {
	return reactor.Must(reactor.NewKind("client", reactor.Options{Ports: []string{"peer"}, Mailbox: 1},
		reactor.Table[client, string]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnMessage: (*client).printed},
			clientReading: {Name: "reading", Wait: clientPeer.Readable().While(clientPeer.Room() | fsm.Sendable),
				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*client).line, To: fsm.To(clientWaiting)},
			clientWaiting: {Name: "waiting", Within: fsm.After(10*time.Second, fsm.Stop),
				Shutdown: clientWaiting, To: fsm.To(clientReading)},
		}))
}

func (c *client) line(cx *clientCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(clientPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	err = c.printer.Post(&cx.IO, page{cx.Self(), line})
	if errors.Is(err, reactor.ErrFull) {
		return fsm.Stay // until the printer has room
	}
	if err != nil {
		return cx.Stop(err)
	}
	cx.Discard(clientPeer, n)
	return clientWaiting
}

func (c *client) printed(cx *clientCx, text *string) fsm.State {
	if err := cx.Write(clientPeer, []byte("printed "+*text+"\n")); err != nil {
		return cx.Fail(err)
	}
	return clientReading
}

func stashSpec() fuzz.Spec {
	printers, clients := newPrinter(), newClient()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			ref, err := printers.Spawn(w.Loop(0), printer{})
			if err != nil {
				return err
			}
			_, err = clients.Listen(w.Loop(0), "tcp", ":7000", client{ref})
			return err
		},
		Dict:     []string{"one\n", "two\n", "thr", "ee\n"},
		Patience: time.Hour, // a client may send thousands of lines at once
		Oracles: []fuzz.Oracle{fuzz.PerConn("printed", fuzz.Model[struct{}, string]{
			Input: inputLine,
			Step:  func(_ *struct{}, line string) string { return "printed " + line + "\n" },
			Over:  func(struct{}) bool { return false },
		})},
	}
}
