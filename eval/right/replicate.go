package right

import (
	"errors"
	"io"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// replica is a line that goes from a client to the link of each follower, on a loop of its own.
type replica struct{ line string }

// link keeps a connection to a follower, and sends it lines in order. Those that the follower
// has not confirmed are kept, and sent again over the next connection.
type link struct {
	follower string
	kept     []string
	probe    probe.Probe
}

type linkCx = reactor.Context[replica]

const linkFollower reactor.Port = 0

const linkMost = 4 // lines that are not confirmed

const (
	linkDialing = fsm.First + iota
	linkSending
	linkPausing
)

func newLink() *reactor.Kind[link, replica] {
	return reactor.Must(reactor.NewKind("link", reactor.Options{Ports: []string{"follower"}, Mailbox: 4},
		reactor.Table[link, replica]{
			fsm.Any: {Shutdown: fsm.Stop, Fail: linkPausing, Stall: fsm.After(5*time.Second, linkPausing), OnMessage: (*link).take},
			linkDialing: {Name: "dialing", OnEnter: (*link).dial, Wait: linkFollower.Opened(), OnReady: (*link).opened, Defer: true,
				Within: fsm.After(3*time.Second, linkPausing), To: fsm.To(linkSending)},
			linkSending: {Name: "sending", Wait: linkFollower.Readable(), OnReady: (*link).confirmed, Idle: fsm.Never,
				To: fsm.To(linkSending, linkPausing)},
			linkPausing: {Name: "pausing", OnEnter: (*link).hangUp, Defer: true, Within: fsm.After(time.Second, linkDialing)},
		}))
}

func (l *link) dial(cx *linkCx) fsm.State { return cx.Fail(cx.Dial(linkFollower, "tcp", l.follower)) }

func (l *link) opened(cx *linkCx, _ reactor.Ready) fsm.State {
	l.probe.Sometimes("lines are sent again", len(l.kept) > 0)
	for _, line := range l.kept {
		if err := cx.Write(linkFollower, []byte(line)); err != nil {
			return cx.Fail(err)
		}
	}
	return linkSending
}

func (l *link) hangUp(cx *linkCx) fsm.State {
	cx.Close(linkFollower)
	return fsm.Stay
}

// take sends a line, or leaves it in the mailbox, in front of later ones, until confirmed.
func (l *link) take(cx *linkCx, e *replica) fsm.State {
	if len(l.kept) == linkMost {
		return fsm.Defer
	}
	l.kept = append(l.kept, e.line)
	return cx.Fail(cx.Write(linkFollower, []byte(e.line)))
}

func (l *link) confirmed(cx *linkCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(linkFollower)
	if err == io.EOF {
		return linkPausing
	}
	_, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	cx.Discard(linkFollower, n)
	if len(l.kept) == 0 {
		return linkPausing // it confirms what it did not get
	}
	if l.kept = l.kept[1:]; len(l.kept) == linkMost-1 {
		return linkSending // a transition: lines in the mailbox are delivered
	}
	return fsm.Stay
}

// leader is a connection of a client: each line goes to all links.
type leader struct {
	links [2]reactor.Ref[replica]
	taken int // by how many links the first line of the input is taken
}

type leaderCx = reactor.Context[reactor.None]

const leaderPeer reactor.Port = 0

func newLeader() *reactor.Kind[leader, reactor.None] {
	return reactor.Must(reactor.NewKind("leader", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[leader, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "serving", Wait: leaderPeer.Readable().While(leaderPeer.Room() | fsm.Sendable), OnReady: (*leader).serve,
				Idle: fsm.After(time.Minute, fsm.Stop)},
		}))
}

func (l *leader) serve(cx *leaderCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(leaderPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	for ; l.taken < len(l.links); l.taken++ {
		switch err := l.links[l.taken].Post(&cx.IO, replica{line + "\n"}); {
		case errors.Is(err, reactor.ErrFull):
			return fsm.Stay // called again when this link has room
		case err != nil:
			return cx.Stop(err)
		}
	}
	return respond(&cx.IO, leaderPeer, "kept\n", n, func() { l.taken = 0 })
}

func replicateSpec() fuzz.Spec {
	links, leaders := newLink(), newLeader()
	followers := [2]string{"10.0.0.1:90", "10.0.0.2:90"}
	confirms := fuzz.Model[struct{}, string]{Input: inputLine, Step: func(*struct{}, string) string { return "ok\n" }}
	return fuzz.Spec{
		Loops: 3,
		Setup: func(w *fuzz.World) error {
			var l leader
			for i, f := range followers {
				var err error
				if l.links[i], err = links.Spawn(w.Loop(1+i), link{follower: f, probe: w.Probe()}); err != nil {
					return err
				}
			}
			_, err := leaders.Listen(w.Loop(0), "tcp", ":7000", l)
			return err
		},
		Backends:  []fuzz.Backend{fuzz.Serve(followers[0], confirms), fuzz.Serve(followers[1], confirms)},
		Dict:      []string{"a\n", "b\n", "c\n", "d\n", "e\nf\n", "g\nh\ni\nj\nk\nl\nm\nn\n"},
		Roles:     []fuzz.Role{{Addr: ":7000", Peers: 2}, {Addr: followers[0], Dict: []string{"ok\n"}}, {Addr: followers[1], Dict: []string{"ok\n"}}},
		WordsOnly: true,
		// A follower that confirms what it did not get is given up. And in which order it gets
		// the lines of two clients depends on how fast its confirmations come.
		Without:  fuzz.LostOutput | fuzz.Segmentation,
		Patience: 10 * time.Second,
		Oracles: []fuzz.Oracle{
			fuzz.PerConn("clients", fuzz.Model[struct{}, string]{
				Input: inputLine,
				Step:  func(*struct{}, string) string { return "kept\n" },
			}),
			fuzz.Ordered("lines", inputLine),
		},
	}
}
