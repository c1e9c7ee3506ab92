package right

import (
	"slices"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// granted tells a connection that it has the lock for which it waits.
type granted struct{ name string }

// lockTable has the locks of a loop.
type lockTable struct{ locks map[string]*lock }

type lock struct {
	holder  reactor.Ref[granted]
	waiting []reactor.Ref[granted]
}

// take reports whether the lock is free or the caller's own; if not, the caller waits.
func (t *lockTable) take(name string, who reactor.Ref[granted]) bool {
	l := t.locks[name]
	if l == nil {
		t.locks[name] = &lock{holder: who}
		return true
	}
	if l.holder != who {
		l.waiting = append(l.waiting, who)
	}
	return l.holder == who
}

// leave gives up a lock, or the wait for it.
func (t *lockTable) leave(cx *reactor.IO, name string, who reactor.Ref[granted]) {
	l := t.locks[name]
	if l == nil {
		return
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(r reactor.Ref[granted]) bool { return r == who })
	if l.holder != who {
		return
	}
	for len(l.waiting) > 0 {
		l.holder, l.waiting = l.waiting[0], l.waiting[1:]
		if l.holder.Post(cx, granted{name}) == nil {
			return
		}
	}
	delete(t.locks, name)
}

// locker is a connection: "lock name", "unlock name".
type locker struct {
	table *lockTable
	names []string // that it holds
	want  string
	probe probe.Probe
}

type lockerCx = reactor.Context[granted]

const lockerPeer reactor.Port = 0

const (
	lockerServing = fsm.First + iota
	lockerWaiting
	lockerLate
)

func newLocker() *reactor.Kind[locker, granted] {
	return reactor.Must(reactor.NewKind("locker", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[locker, granted]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnMessage: (*locker).granted, OnExit: (*locker).end},
			lockerServing: {Name: "serving", Wait: lockerPeer.Readable().While(lockerPeer.Room()), OnReady: (*locker).serve,
				Idle: fsm.After(time.Minute, fsm.Stop), To: fsm.To(lockerWaiting)},
			lockerWaiting: {Name: "waiting", Within: fsm.After(30*time.Second, lockerLate), To: fsm.To(lockerServing)},
			lockerLate:    {Name: "late", OnEnter: (*locker).late, Within: fsm.After(time.Second, fsm.Stop), To: fsm.To(lockerServing)},
		}))
}

func (l *locker) serve(cx *lockerCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(lockerPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	verb, name, _ := strings.Cut(line, " ")
	held := slices.Index(l.names, name)
	switch {
	case verb == "lock" && held < 0 && name != "":
		cx.Discard(lockerPeer, n)
		l.want = name
		if l.table.take(name, cx.Self()) {
			return l.granted(cx, &granted{name})
		}
		return lockerWaiting
	case verb == "unlock" && held >= 0:
		return respond(&cx.IO, lockerPeer, "ok\n", n, func() {
			l.names = slices.Delete(l.names, held, held+1)
			l.table.leave(&cx.IO, name, cx.Self())
		})
	}
	return respond(&cx.IO, lockerPeer, "error\n", n, func() {})
}

func (l *locker) granted(cx *lockerCx, g *granted) fsm.State {
	l.probe.Always("a lock is granted to the one that wants it", l.want == g.name && l.table.locks[g.name].holder == cx.Self())
	l.names, l.want = append(l.names, g.name), ""
	if err := cx.Write(lockerPeer, []byte("granted\n")); err != nil {
		return cx.Fail(err)
	}
	return lockerServing
}

// late is the end of a wait, unless the lock was granted meanwhile and its message is on
// the way.
func (l *locker) late(cx *lockerCx) fsm.State {
	if l.table.locks[l.want].holder == cx.Self() {
		return fsm.Stay
	}
	l.table.leave(&cx.IO, l.want, cx.Self())
	l.want = ""
	if err := cx.Write(lockerPeer, []byte("timeout\n")); err != nil {
		return cx.Fail(err)
	}
	return lockerServing
}

func (l *locker) end(cx *lockerCx) {
	for _, name := range append(l.names, l.want) {
		l.table.leave(&cx.IO, name, cx.Self())
	}
}

func locksSpec() fuzz.Spec {
	kind := newLocker()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			table := &lockTable{map[string]*lock{}}
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", locker{table: table, probe: w.Probe()})
			return err
		},
		Dict: []string{"lock a\n", "unlock a\n", "lock b\n", "unlock b\n", "lock a\nunlock a\n"},
	}
}
