package planted

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// proxy passes the bytes of a client on to the first of two targets that accepts within half a
// second, and the other way round, and so with the ends. If neither accepts, it keeps the client
// for a while, so that it does not come again at once, and then ends it. If one side breaks, the
// other one still gets what has come from it.
type proxy struct {
	plant  *Plant
	ends   [2]bool // of the client's direction, and the target's
	held   []byte  // in wrong proxies: output that was refused
	paused bool
}

const (
	proxyAddr   = ":7100"
	proxyFirst  = "10.0.0.1:80"
	proxySecond = "10.0.0.2:80"
)

const (
	proxyDialling = fsm.First + iota
	proxyRetrying
	proxyRelaying
	proxyRefused
	proxyFlushing
)

func newProxy() *Server {
	return &Server{
		Name: "proxy", build: buildProxy, spec: proxySpec,
		Files: []string{"proxy.go"},
		Dict:  []string{"request\n", "reply\n", strings.Repeat("long ", 600)},
		Bugs: []Bug{
			{Name: "proxy/end-kept", What: "the target's end is not passed on to the client"},
			{Name: "proxy/half-close-closes", What: "a client that half-closes is taken for one that closed"},
			{Name: "proxy/early-dropped", What: "what the client sends before the target accepts is dropped"},
			{Name: "proxy/refused-hangs", What: "if no target accepts, the client is kept for ever"},
			{Name: "proxy/late-target", What: "a target that accepts after the client was refused is forgotten, and not closed"},
			{Name: "proxy/wrong-side", What: "output that is refused is kept, and then sent to whichever side is next"},
			{Name: "proxy/cut-write", What: "output for which there is no room is dropped"},
			{Name: "proxy/slow-target", What: "once much output for the target waits, the client is not read any more"},
		},
	}
}

func buildProxy(p *Plant) func(Room) error {
	refused := fsm.After(30*time.Second, fsm.Stop)
	if p.Bug == "proxy/refused-hangs" {
		refused = fsm.Never
	}
	both := client.Readable().While(upstream.Room()) | upstream.Readable().While(client.Room())
	k := reactor.Must(reactor.NewKind("proxy", reactor.Options{Ports: []string{"client", "target"}, WriteBuffer: 4 << 10}, reactor.Table[proxy, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		proxyDialling: {Name: "dialling", Wait: upstream.Opened(), Within: fsm.After(500*time.Millisecond, proxyRetrying), Fail: proxyRetrying,
			OnEnter: (*proxy).dial, OnReady: (*proxy).opened, To: fsm.To(proxyRelaying)},
		proxyRetrying: {Name: "retrying", Wait: upstream.Opened(), Within: fsm.After(500*time.Millisecond, proxyRefused), Fail: proxyRefused,
			OnEnter: (*proxy).redial, OnReady: (*proxy).opened, To: fsm.To(proxyRelaying)},
		proxyRelaying: {Name: "relaying", Wait: both, Idle: fsm.After(time.Minute, fsm.Stop), Fail: proxyFlushing, OnReady: (*proxy).relay},
		proxyRefused:  {Name: "refused", Wait: client.Readable(), Within: refused, OnEnter: (*proxy).refuse, OnReady: (*proxy).ignore},
		proxyFlushing: {Name: "flushing", Wait: client.Drained() | upstream.Drained(), Within: fsm.After(5*time.Second, fsm.Stop), OnReady: (*proxy).flushed},
	}))
	return func(r Room) error {
		_, err := k.Listen(r.Loop(0), "tcp", proxyAddr, proxy{plant: p})
		return err
	}
}

func (p *proxy) dial(cx *cx) fsm.State {
	return cx.Fail(cx.Dial(upstream, "tcp", proxyFirst))
}

func (p *proxy) redial(cx *cx) fsm.State {
	cx.Close(upstream)
	return cx.Fail(cx.Dial(upstream, "tcp", proxySecond))
}

func (p *proxy) opened(cx *cx, _ reactor.Ready) fsm.State {
	if p.plant.Wrong("proxy/early-dropped", true) {
		cx.Read(client, make([]byte, 4096))
	}
	return proxyRelaying
}

func (p *proxy) refuse(cx *cx) fsm.State {
	p.plant.Wrong("proxy/refused-hangs", true)
	if !p.plant.Wrong("proxy/late-target", true) {
		cx.Close(upstream)
	}
	return fsm.Stay
}

func (p *proxy) ignore(cx *cx, _ reactor.Ready) fsm.State {
	_, err := cx.Read(client, make([]byte, 1024))
	return cx.Fail(err)
}

func (p *proxy) relay(cx *cx, r reactor.Ready) fsm.State {
	for from, to := range []reactor.Port{upstream, client} {
		from := reactor.Port(from)
		if !r.Has(from.Readable()) || p.ends[from] {
			continue
		}
		if err := p.move(cx, to, from); err != nil {
			return cx.Fail(err)
		}
	}
	switch {
	case p.ends[client] && !p.ends[upstream] && p.plant.Wrong("proxy/half-close-closes", true):
		return fsm.Stop
	case p.ends[client] && p.ends[upstream]:
		return fsm.Stop
	}
	return fsm.Stay
}

// move passes on what has come, and the end behind it.
func (p *proxy) move(cx *cx, to, from reactor.Port) error {
	if p.paused && to == upstream {
		return nil
	}
	if p.plant.Bug == "proxy/wrong-side" || p.plant.Bug == "proxy/cut-write" {
		return p.moveWrongly(cx, to, from)
	}
	_, err := cx.Copy(to, from)
	if full := to == upstream && cx.Buffered(to) >= 2<<10; full && p.plant.Wrong("proxy/slow-target", true) {
		p.paused = true
	}
	return p.moved(cx, to, from, err)
}

func (p *proxy) moved(cx *cx, to, from reactor.Port, err error) error {
	switch {
	case errors.Is(err, io.EOF):
		p.ends[from] = true
		if to == client && p.plant.Wrong("proxy/end-kept", true) {
			return nil
		}
		return cx.CloseWrite(to)
	case errors.Is(err, reactor.ErrWouldBlock), errors.Is(err, reactor.ErrFull):
		return nil
	}
	return err
}

// moveWrongly does not use Copy.
func (p *proxy) moveWrongly(cx *cx, to, from reactor.Port) error {
	if len(p.held) > 0 {
		if err := cx.Write(to, p.held); err != nil {
			return p.moved(cx, to, from, err)
		}
		p.held = nil
	}
	in, err := cx.Peek(from)
	if err != nil {
		return p.moved(cx, to, from, err)
	}
	b := bytes.Clone(in)
	cx.Discard(from, len(b))
	err = cx.Write(to, b)
	full := errors.Is(err, reactor.ErrFull)
	switch {
	case p.plant.Wrong("proxy/wrong-side", full) && full:
		p.held = b
	case p.plant.Wrong("proxy/cut-write", full) && full: // b is lost
	}
	return p.moved(cx, to, from, err)
}

// flushed ends the relay of which one side broke when the client has got what is left for it.
func (p *proxy) flushed(cx *cx, _ reactor.Ready) fsm.State {
	if cx.Buffered(client) == 0 || cx.Err(client) != nil {
		return cx.Stop(io.ErrUnexpectedEOF)
	}
	return fsm.Stay
}

func proxySpec() fuzz.Spec {
	return fuzz.Spec{
		Oracles: []fuzz.Oracle{
			fuzz.Relay("first target", proxyAddr, proxyFirst),
			fuzz.Relay("second target", proxyAddr, proxySecond),
			fuzz.Conns("ends", proxyEnds),
		},
		Patience: 40 * time.Second,
		Faults:   trace.Weights{trace.Limit: 0}, // a client that waits for a slot has no target
	}
}

// proxyEnds judges what Relay does not: a client that half-closes gets the rest, one that no
// target accepts is ended, and a target is not kept without its client.
func proxyEnds(conns []fuzz.Conn, _ time.Duration) string {
	targets := make(map[int][]fuzz.Conn) // by machine
	for _, c := range conns {
		if c.Dialled && c.Machine != 0 {
			targets[c.Machine] = append(targets[c.Machine], c)
		}
	}
	for _, c := range conns {
		if c.Dialled || c.Machine == 0 {
			continue
		}
		all := targets[c.Machine]
		if len(all) == 0 {
			if c.Whole {
				return fmt.Sprintf("connection %d has no target, and is still open", c.Number)
			}
			continue
		}
		t := all[len(all)-1]
		if c.HalfClosed > 0 && c.Ended > 0 && c.Cause == reactor.EventReady && c.Closed == 0 && t.HalfClosed == 0 && t.Closed == 0 {
			return fmt.Sprintf("connection %d half-closed, and is ended %v later, although its target, connection %d, has not ended", c.Number, c.Ended-c.HalfClosed, t.Number)
		}
		if c.Ended > 0 && c.Cause == reactor.EventWithin && t.Ended == c.Ended && len(t.Got)+len(t.Sent) == 0 {
			return fmt.Sprintf("connection %d is refused after %v, and its target, connection %d, is kept until then", c.Number, c.Ended-c.Begin, t.Number)
		}
	}
	return ""
}
