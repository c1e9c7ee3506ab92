package planted

import (
	"errors"
	"slices"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// writer is the machine of a connection: all others get its lines. They come to the office,
// a machine on another loop, by couriers.
type writer struct {
	plant    *Plant
	all      *[]reactor.Ref[letter]
	couriers []reactor.Ref[letter]
	lines    int
}

// letter is a line on its way.
type letter struct {
	from reactor.Ref[letter]
	line string
}

type (
	letterCx = reactor.Context[letter]
	courier  struct{ office reactor.Ref[letter] }
	office   struct {
		plant *Plant
		all   *[]reactor.Ref[letter]
		kept  []keptLetter // in a wrong office
	}
	keptLetter struct {
		to reactor.Ref[letter]
		letter
	}
)

func newPost() *Server {
	return &Server{
		Name: "post", loops: 3, build: buildPost,
		Files: []string{"post.go"},
		Dict:  []string{"a\n", "b\n", "c\n"},
		Bugs: []Bug{
			{Name: "post/two-ways", What: "lines of one connection go by two machines on two loops, and overtake each other"},
			{Name: "post/short-cut", What: "some lines go to the others directly, and overtake those that go by the office"},
			{Name: "post/kept-back", What: "a line that is refused is sent again later, behind newer ones"},
			{Name: "post/twice", What: "if one connection has no room for a line, all get it again"},
		},
		model: inOrder{"lines", lfLine},
	}
}

func buildPost(p *Plant) func(Room) error {
	offices := reactor.Must(reactor.NewKind("office", reactor.Options{Queue: 64}, reactor.Table[office, letter]{
		fsm.Any:   {Shutdown: fsm.Stop},
		fsm.First: {Name: "open", Idle: fsm.Never, OnMessage: (*office).deliver},
	}))
	couriers := reactor.Must(reactor.NewKind("courier", reactor.Options{Queue: 64}, reactor.Table[courier, letter]{
		fsm.Any:   {Shutdown: fsm.Stop},
		fsm.First: {Name: "carrying", Idle: fsm.Never, OnMessage: (*courier).carry},
	}))
	mailbox := 0 // the default
	if p.Bug == "post/kept-back" || p.Bug == "post/twice" {
		mailbox = 2 // a few lines fill it
	}
	writers := reactor.Must(reactor.NewKind("writer", reactor.Options{Ports: []string{"peer"}, Queue: 64, Mailbox: mailbox}, reactor.Table[writer, letter]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnEnter: (*writer).come, OnExit: (*writer).leave,
			OnMessage: (*writer).get},
		fsm.First: {Name: "writing", Wait: peer.Readable().While(fsm.Sendable), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*writer).write},
	}))
	return func(r Room) error {
		all := new([]reactor.Ref[letter])
		to, err := offices.Spawn(r.Loop(1), office{plant: p, all: all})
		w := writer{plant: p, all: all}
		for _, loop := range []int{0, 2} {
			if err != nil {
				return err
			}
			var ref reactor.Ref[letter]
			ref, err = couriers.Spawn(r.Loop(loop), courier{to})
			w.couriers = append(w.couriers, ref)
		}
		if err == nil {
			_, err = writers.Listen(r.Loop(0), "tcp", ":7000", w)
		}
		return err
	}
}

// deliver passes a line on. Who has no room misses it.
func (o *office) deliver(cx *letterCx, l *letter) fsm.State {
	refused := false
	for _, to := range *o.all {
		if to == l.from || to.Post(&cx.IO, *l) == nil {
			continue
		}
		refused = true
		if o.plant.Wrong("post/kept-back", true) && len(o.kept) < 64 {
			o.kept = append(o.kept, keptLetter{to, *l})
		}
	}
	if !refused {
		for _, k := range o.kept {
			k.to.Post(&cx.IO, k.letter)
		}
		o.kept = nil
	} else if o.plant.Wrong("post/twice", true) {
		for _, to := range *o.all {
			to.Post(&cx.IO, *l)
		}
	}
	return fsm.Stay
}

func (c *courier) carry(cx *letterCx, l *letter) fsm.State {
	c.office.Post(&cx.IO, *l)
	return fsm.Stay
}

func (w *writer) come(cx *letterCx) fsm.State {
	*w.all = append(*w.all, cx.Self())
	return fsm.Stay
}

func (w *writer) leave(cx *letterCx) {
	*w.all = slices.DeleteFunc(*w.all, func(r reactor.Ref[letter]) bool { return r == cx.Self() })
}

func (w *writer) get(cx *letterCx, l *letter) fsm.State {
	if err := cx.Write(peer, []byte(l.line)); err != nil && !errors.Is(err, reactor.ErrFull) && !errors.Is(err, reactor.ErrClosed) {
		return cx.Fail(err)
	}
	return fsm.Stay
}

func (w *writer) write(cx *letterCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	line, n, ok := lfLine(in)
	if !ok {
		return fsm.Stay
	}
	if line == "c\n" && w.plant.Wrong("post/short-cut", true) {
		for _, to := range *w.all {
			to.Post(&cx.IO, letter{cx.Self(), line})
		}
		cx.Discard(peer, n)
		return fsm.Stay
	}
	by := 0
	if w.plant.Wrong("post/two-ways", w.lines%2 == 1) {
		by = w.lines % 2
	}
	if w.couriers[by].Post(&cx.IO, letter{cx.Self(), line}) != nil {
		return fsm.Stay
	}
	w.lines++
	cx.Discard(peer, n)
	return fsm.Stay
}
