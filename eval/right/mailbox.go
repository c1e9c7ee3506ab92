package right

import (
	"errors"
	"slices"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// inbox is the mail of a loop, which two listeners share: one delivers, one reads.
type inbox struct {
	mail    []string
	readers []reactor.Ref[fresh]
}

// fresh says to a reader that there is mail.
type fresh struct{}

type (
	// delivery is a connection that delivers a mail a line.
	delivery struct{ *inbox }
	// reader is a connection that reads: "read" takes one mail, and after "idle" new mail is
	// announced, until "done".
	reader struct {
		*inbox
		idle bool
	}
	deliveryCx = reactor.Context[reactor.None]
	readerCx   = reactor.Context[fresh]
)

const mailPeer reactor.Port = 0

func newDelivery() *reactor.Kind[delivery, reactor.None] {
	return reactor.Must(reactor.NewKind("delivery", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[delivery, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "taking", Wait: mailPeer.Readable().While(mailPeer.Room()), OnReady: (*delivery).take,
				Idle: fsm.After(time.Minute, fsm.Stop)},
		}))
}

func newReader() *reactor.Kind[reader, fresh] {
	return reactor.Must(reactor.NewKind("reader", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[reader, fresh]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnMessage: (*reader).announce,
				OnEnter: (*reader).come, OnExit: (*reader).leave},
			fsm.First: {Name: "serving", Wait: mailPeer.Readable().While(mailPeer.Room()), OnReady: (*reader).serve,
				Idle: fsm.After(30*time.Minute, fsm.Stop)},
		}))
}

func (d *delivery) take(cx *deliveryCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(mailPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	if len(d.mail) == 100 {
		return respond(&cx.IO, mailPeer, "full\n", n, func() {})
	}
	return respond(&cx.IO, mailPeer, "taken\n", n, func() {
		d.mail = append(d.mail, line)
		for _, r := range d.readers {
			r.Post(&cx.IO, fresh{}) // one that is refused has other announcements to handle
		}
	})
}

func (r *reader) come(cx *readerCx) fsm.State {
	r.readers = append(r.readers, cx.Self())
	return fsm.Stay
}

func (r *reader) leave(cx *readerCx) {
	r.readers = slices.DeleteFunc(r.readers, func(other reactor.Ref[fresh]) bool { return other == cx.Self() })
}

func (r *reader) announce(cx *readerCx, _ *fresh) fsm.State {
	if !r.idle {
		return fsm.Stay
	}
	if err := cx.Write(mailPeer, []byte("* mail\n")); !errors.Is(err, reactor.ErrFull) {
		return cx.Fail(err)
	}
	return fsm.Stay // it has announcements that it has not read yet
}

func (r *reader) serve(cx *readerCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(mailPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	switch {
	case line == "idle":
		return respond(&cx.IO, mailPeer, "+ idle\n", n, func() { r.idle = true })
	case line == "done":
		return respond(&cx.IO, mailPeer, "ok\n", n, func() { r.idle = false })
	case line == "read" && len(r.mail) > 0:
		return respond(&cx.IO, mailPeer, "= "+r.mail[0]+"\n", n, func() { r.mail = r.mail[1:] })
	case line == "read":
		return respond(&cx.IO, mailPeer, "none\n", n, func() {})
	}
	return respond(&cx.IO, mailPeer, "error\n", n, func() {})
}

// readerSteps does not know the mail, but that it is one of the words.
func readerSteps(idle bool, line string, _ fuzz.Moment) []fuzz.Outcome[bool] {
	switch line {
	case "idle":
		return []fuzz.Outcome[bool]{{State: true, Answer: "+ idle\n"}}
	case "done":
		return []fuzz.Outcome[bool]{{State: false, Answer: "ok\n"}}
	case "read":
		return []fuzz.Outcome[bool]{{State: idle, Answer: "none\n"}, {State: idle, Answer: "= hello\n"}, {State: idle, Answer: "= bye\n"}}
	}
	return []fuzz.Outcome[bool]{{State: idle, Answer: "error\n"}}
}

// unannounced finds a reader that idled when mail was taken, and was not told.
func unannounced(conns []fuzz.Conn, _ time.Duration) string {
	var taken time.Duration
	for _, c := range conns {
		if c.Kind == "delivery" {
			_, last := came(c.Got, "taken")
			taken = max(taken, last)
		}
	}
	for _, c := range conns {
		_, idle := came(c.Got, "+ idle")
		_, told := came(c.Got, "* mail")
		if c.Kind == "reader" && c.Whole && fuzz.Text(c.Sent) == "idle\n" && 0 < idle && idle < taken && told == 0 {
			return "a reader that idles is not told of the mail"
		}
	}
	return ""
}

func mailboxSpec() fuzz.Spec {
	deliveries, readers := newDelivery(), newReader()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			all := new(inbox)
			if _, err := deliveries.Listen(w.Loop(0), "tcp", "127.0.0.1:24", delivery{all}); err != nil {
				return err
			}
			_, err := readers.Listen(w.Loop(0), "tcp", ":143", reader{inbox: all})
			return err
		},
		Dict:      []string{"idle\n", "done\n", "read\n", "what\n"},
		Roles:     []fuzz.Role{{Addr: "127.0.0.1:24", Dict: []string{"hello\n", "bye\n"}, Peers: 1}},
		WordsOnly: true,
		Oracles: []fuzz.Oracle{
			fuzz.PerConn("deliveries", fuzz.Model[struct{}, string]{
				Input: inputLine,
				Steps: func(s struct{}, _ string, _ fuzz.Moment) []fuzz.Outcome[struct{}] {
					return []fuzz.Outcome[struct{}]{{State: s, Answer: "taken\n"}, {State: s, Answer: "full\n"}}
				},
			}).At("127.0.0.1:24"),
			fuzz.PerConn("readers", fuzz.Model[bool, string]{
				Input: inputLine,
				Steps: readerSteps,
				Push: func(idle bool, _ fuzz.Moment) []fuzz.Outcome[bool] {
					if !idle {
						return nil
					}
					return []fuzz.Outcome[bool]{{State: true, Answer: "* mail\n"}}
				},
			}).At(":143"),
			fuzz.Conns("announcements", unannounced),
		},
	}
}
