package right

import (
	"errors"
	"slices"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// task goes from a connection, on one loop, to the farm, on another one. The zero task says
// to the farm that one is done.
type task struct {
	from reactor.Ref[done]
	line string
}

type done struct{ line string }

// farm has a few tasks done at a time, outside of its loop. Others wait, and more are refused.
type farm struct {
	running int
	waiting []task
	spawn   func(work func()) // starts a goroutine
}

type farmCx = reactor.Context[task]

const (
	farmMost  = 2
	farmQueue = 3
)

func newFarm() *reactor.Kind[farm, task] {
	return reactor.Must(reactor.NewKind("farm", reactor.Options{Mailbox: 4}, reactor.Table[farm, task]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "open", Idle: fsm.Never, OnMessage: (*farm).take, OnExit: (*farm).close},
	}))
}

// take takes each message at once: if tasks waited in the mailbox, there would be no room for
// one that says that others are done.
func (f *farm) take(cx *farmCx, t *task) fsm.State {
	switch {
	case *t == (task{}):
		f.running--
	case len(f.waiting) == farmQueue:
		t.from.Post(&cx.IO, done{"refused " + t.line + "\n"}) // there is room: see clerkMost
	default:
		f.waiting = append(f.waiting, *t)
	}
	if len(f.waiting) > 0 && f.running < farmMost {
		f.running++
		self, job, spawn := cx.Self(), f.waiting[0], f.spawn
		f.waiting = f.waiting[1:]
		spawn(func() {
			job.from.Send(done{"done " + job.line + "\n"})
			report(self, spawn)
		})
	}
	return fsm.Stay
}

// close refuses the tasks that wait when the farm's loop shuts down before others do.
func (f *farm) close(cx *farmCx) {
	for _, t := range f.waiting {
		t.from.Post(&cx.IO, done{"refused " + t.line + "\n"})
	}
}

// report says that a task is done, again and again as long as the farm's mailbox is full.
func report(to reactor.Ref[task], spawn func(func())) {
	if errors.Is(to.Send(task{}), reactor.ErrFull) {
		spawn(func() { report(to, spawn) })
	}
}

// clerk is a connection. It has at most clerkMost lines under way, whose answers come in any
// order.
type clerk struct {
	farm     reactor.Ref[task]
	underWay int
}

type clerkCx = reactor.Context[done]

const clerkPeer reactor.Port = 0

const clerkMost = 3 // as many as its mailbox has room for answers

const (
	clerkReading = fsm.First + iota
	clerkWaiting
)

func newClerk() *reactor.Kind[clerk, done] {
	return reactor.Must(reactor.NewKind("clerk", reactor.Options{Ports: []string{"peer"}, Mailbox: clerkMost},
		reactor.Table[clerk, done]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnMessage: (*clerk).done},
			clerkReading: {Name: "reading", Wait: clerkPeer.Readable().While(clerkPeer.Room() | fsm.Sendable), OnReady: (*clerk).line,
				Idle: fsm.After(time.Minute, fsm.Stop), To: fsm.To(clerkWaiting)},
			clerkWaiting: {Name: "waiting", Within: fsm.After(time.Minute, fsm.Stop), To: fsm.To(clerkReading)},
		}))
}

func (c *clerk) line(cx *clerkCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(clerkPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	switch err := c.farm.Post(&cx.IO, task{cx.Self(), line}); {
	case errors.Is(err, reactor.ErrFull):
		return fsm.Stay // until the farm has room
	case err != nil:
		return cx.Stop(err)
	}
	cx.Discard(clerkPeer, n)
	if c.underWay++; c.underWay == clerkMost {
		return clerkWaiting
	}
	return fsm.Stay
}

func (c *clerk) done(cx *clerkCx, d *done) fsm.State {
	c.underWay--
	if err := cx.Write(clerkPeer, []byte(d.line)); err != nil {
		return cx.Fail(err)
	}
	if cx.State() == clerkWaiting {
		return clerkReading
	}
	return fsm.Stay
}

// farmPush answers one of the lines that are under way, in any order.
func farmPush(due []string, _ fuzz.Moment) (all []fuzz.Outcome[[]string]) {
	for i, line := range due {
		rest := slices.Delete(slices.Clone(due), i, i+1)
		all = append(all, fuzz.Outcome[[]string]{State: rest, Answer: "done " + line + "\n"},
			fuzz.Outcome[[]string]{State: rest, Answer: "refused " + line + "\n"})
	}
	return all
}

func farmSpec() fuzz.Spec {
	farms, clerks := newFarm(), newClerk()
	return fuzz.Spec{
		Loops: 2,
		Setup: func(w *fuzz.World) error {
			ref, err := farms.Spawn(w.Loop(1), farm{spawn: w.Go})
			if err != nil {
				return err
			}
			_, err = clerks.Listen(w.Loop(0), "tcp", ":7000", clerk{farm: ref})
			return err
		},
		Dict:      []string{"plough\n", "sow\n", "reap\n"},
		WordsOnly: true,
		Oracles: []fuzz.Oracle{fuzz.PerConn("tasks", fuzz.Model[[]string, string]{
			// As the server does, leave more lines where they are: a model that takes all of
			// them at once has too many states to follow.
			Next: func(due []string, in []byte, _ bool) (line string, n int, ok bool) {
				line, n = cutLine(in)
				return line, n, n > 0 && len(due) < clerkMost
			},
			Steps: func(due []string, line string, _ fuzz.Moment) []fuzz.Outcome[[]string] {
				due = append(slices.Clone(due), line)
				slices.Sort(due) // their order does not matter
				return []fuzz.Outcome[[]string]{{State: due}}
			},
			Push: farmPush,
			Owes: func(due []string, _ fuzz.Moment) bool { return len(due) > 0 },
		})},
	}
}
