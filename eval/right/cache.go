package right

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// cache keeps values for a time. Its connections and its sweeper share it.
type cache struct {
	entries map[string]entry
	probe   probe.Probe
}

type entry struct {
	value string
	until time.Duration
}

func (c *cache) sweep(now time.Duration) {
	for key, e := range c.entries {
		if e.until <= now {
			delete(c.entries, key)
		}
	}
}

type (
	cacheConn    struct{ *cache }
	cacheSweeper struct{ *cache }
	cacheCx      = reactor.Context[reactor.None]
)

const cachePeer reactor.Port = 0

func newCacheConn() *reactor.Kind[cacheConn, reactor.None] {
	return reactor.Must(reactor.NewKind("cache", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[cacheConn, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "serving", Wait: cachePeer.Readable().While(cachePeer.Room()),
				Idle: fsm.After(5*time.Minute, fsm.Stop), OnReady: (*cacheConn).serve},
		}))
}

func (c *cacheConn) serve(cx *cacheCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(cachePeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	var key, value string
	var ms int
	if _, err := fmt.Sscanf(line, "set %s %s %d", &key, &value, &ms); err == nil && len(c.entries) < 1000 {
		return respond(&cx.IO, cachePeer, "ok\n", n, func() {
			c.entries[key] = entry{value, cx.Now() + time.Duration(ms)*time.Millisecond}
		})
	}
	reply := "none\n"
	if _, err := fmt.Sscanf(line, "get %s", &key); err == nil {
		e, found := c.entries[key]
		if found && e.until > cx.Now() {
			reply = e.value + "\n"
		}
		c.probe.Sometimes("an entry is too old", found && e.until <= cx.Now())
	}
	return respond(&cx.IO, cachePeer, reply, n, func() {})
}

const (
	cacheSleeping = fsm.First + iota
	cacheSweeping
)

func newCacheSweeper() *reactor.Kind[cacheSweeper, reactor.None] {
	return reactor.Must(reactor.NewKind("sweeper", reactor.Options{}, reactor.Table[cacheSweeper, reactor.None]{
		fsm.Any:       {Shutdown: fsm.Stop},
		cacheSleeping: {Name: "sleeping", Within: fsm.After(10*time.Second, cacheSweeping)},
		cacheSweeping: {Name: "sweeping", OnEnter: (*cacheSweeper).sweep, To: fsm.To(cacheSleeping)},
	}))
}

func (s *cacheSweeper) sweep(cx *cacheCx) fsm.State {
	s.cache.sweep(cx.Now())
	return cacheSleeping
}

func cacheSpec() fuzz.Spec {
	conns, sweepers := newCacheConn(), newCacheSweeper()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			shared := &cache{map[string]entry{}, w.Probe()}
			if _, err := sweepers.Spawn(w.Loop(0), cacheSweeper{shared}); err != nil {
				return err
			}
			_, err := conns.Listen(w.Loop(0), "tcp", ":7000", cacheConn{shared})
			return err
		},
		Dict: []string{"set a 1 10\n", "set a 2 5000\n", "set b 3 100000\n", "get a\n", "get b\n", "\n"},
	}
}
