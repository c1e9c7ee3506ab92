//go:build unix

package reactor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

// The whole loop over real sockets, at random: machines that echo in all ways, sleep, post
// to each other, relay to each other and close at random, under clients that send random
// pieces, end, reset, pause and vanish.
//
// The first byte of a connection says what its machine may do. A client that keeps the
// rules gets every byte back, in order, and then the end. Any other gets nothing but the
// beginning of what it sent. STATOR_STRESS is for how many seconds to go on,
// if not as long as testenv says; STATOR_SEED is where to begin.

// What a connection's first byte asks for.
const (
	faithful  byte = iota   // echo all
	whimsical               // stop or close at some time
	relayed                 // echo by way of a connection to another loop
	betrayed                // the same, and the other loop's machine is whimsical
	packets   byte = 1 << 7 // its socket has whole messages
)

const (
	greeting reactor.State = fsm.First + iota
	echoingIn
	echoingOut // the same, in another state
	pouring    // what is left goes out by WriteSome
	napping    // until a nudge or a timer
	relayDial
	relayBoth
	relayDown // the client has ended
	relayUp   // the upstream has
)

// stressPatience is longer than a busy machine keeps the test from running.
const stressPatience = 40 * time.Second

// longest is the length of the longest message on a socket of whole messages.
const longest = 500

const nudgeTimer reactor.Timer = 0

type nudge struct{}

type stressCx = reactor.Context[nudge]

// imp is the machine under stress. All machines of a loop share a herd.
type imp struct {
	herd *herd
	left []byte // what pouring has to send
	whim bool
	up   byte  // what a relay asks of its upstream
	ways []int // of echoing: indices of the switch in echo
}

// herd is what the machines of a loop share. It belongs to the loop's goroutine, except
// for posted.
type herd struct {
	rnd    *rand.Rand
	imps   []reactor.Ref[nudge] // some machines, of which some have ended
	up     string
	posted atomic.Int64 // nudges that were accepted
}

var errWhim = errors.New("a whim")

func imps(t testing.TB, ended func(reactor.Token, error)) *reactor.Kind[imp, nudge] {
	all := fsm.To(echoingIn, echoingOut, pouring, napping, relayDial)
	room := port0.Readable().While(port0.Room())
	up, down := port0.Readable().While(port1.Room()), port1.Readable().While(port0.Room())
	patience := fsm.After(stressPatience, fsm.Stop) // a lost wake-up ends here, and fails
	return kind(t, "imp", reactor.Options{Ports: []string{"peer", "up"}, Timers: []reactor.TimerSpec{{Name: "nudge"}},
		WriteBuffer: 32 << 10, ReadBuffer: 8 << 10, Mailbox: 2, OnEnd: ended}, reactor.Table[imp, nudge]{
		fsm.Any:    {OnMessage: (*imp).nudged, Shutdown: fsm.Stop, OnTimer: (*imp).woken},
		greeting:   {Name: "greeting", Wait: port0.Readable(), Within: patience, OnEnter: (*imp).join, OnReady: (*imp).greet, To: all},
		echoingIn:  {Name: "echoing", Wait: room, Idle: patience, OnReady: (*imp).echo, To: all},
		echoingOut: {Name: "echoing too", Wait: port0.Readable(), Idle: patience, OnReady: (*imp).echo, To: all},
		pouring:    {Name: "pouring", Wait: port0.Writable(), Within: patience, OnReady: (*imp).pour, To: all},
		napping:    {Name: "napping", Within: patience, OnEnter: (*imp).nap, OnMessage: (*imp).roused, OnTimer: (*imp).woken, To: all},
		relayDial:  {Name: "dialling", Wait: port1.Opened(), Within: patience, OnEnter: (*imp).dial, OnReady: (*imp).dialled, To: fsm.To(relayBoth)},
		relayBoth:  {Name: "relaying", Wait: up | down, Idle: patience, OnReady: (*imp).relay, To: fsm.To(relayDown, relayUp)},
		relayDown:  {Name: "relaying down", Wait: down, Idle: patience, OnReady: (*imp).relay},
		relayUp:    {Name: "relaying up", Wait: up, Idle: patience, OnReady: (*imp).relay},
	})
}

func (m *imp) join(cx *stressCx) reactor.State {
	if h := m.herd; len(h.imps) < 16 {
		h.imps = append(h.imps, cx.Self())
	} else {
		h.imps[h.rnd.IntN(16)] = cx.Self()
	}
	return fsm.Stay
}

func (m *imp) greet(cx *stressCx, _ reactor.Ready) reactor.State {
	var b [1]byte
	if _, err := cx.Read(port0, b[:]); err != nil {
		return m.over(cx, err)
	}
	m.ways = []int{0, 1, 2, 3}
	if b[0]&packets != 0 {
		m.ways = []int{0, 2, 3} // a write that is refused has not lost what was read
	}
	switch b[0] &^ packets {
	case betrayed:
		m.up = whimsical
		return relayDial
	case relayed:
		return relayDial
	case whimsical:
		m.whim = true
	}
	return echoingIn
}

// over returns the state to go to after an error of the client's port.
func (m *imp) over(cx *stressCx, err error) reactor.State {
	if err == io.EOF {
		return fsm.Stop
	}
	return cx.Fail(err)
}

// echo sends some of the input back, in one of several ways.
func (m *imp) echo(cx *stressCx, _ reactor.Ready) reactor.State {
	rnd := m.herd.rnd
	if m.whim && rnd.IntN(20) == 0 {
		if rnd.IntN(2) == 0 {
			cx.Close(port0)
		}
		return cx.Stop(errWhim)
	}
	if cx.Buffered(port0) > 8<<10 && cx.State() == echoingOut {
		return echoingIn // the state with a gate
	}
	var err error
	switch m.ways[rnd.IntN(len(m.ways))] {
	case 0:
		var in []byte
		if in, err = cx.Peek(port0); err == nil {
			n := 1 + rnd.IntN(len(in))
			if err = cx.Write(port0, in[:n]); err == nil {
				cx.Discard(port0, n)
			}
		}
	case 1:
		var b [3000]byte
		var n int
		if n, err = cx.Read(port0, b[:1+rnd.IntN(len(b))]); err == nil {
			err = cx.Write(port0, b[:n])
		}
	case 2:
		_, err = cx.Copy(port0, port0)
	case 3:
		b := make([]byte, longest+rnd.IntN(5000))
		var n int
		if n, err = cx.Read(port0, b); err == nil {
			m.left = b[:n]
			return pouring
		}
	}
	switch {
	case err == reactor.ErrFull: // in the state without a gate: no room yet
		return fsm.Stay
	case err != nil:
		return m.over(cx, err)
	}
	return [...]reactor.State{fsm.Stay, fsm.Stay, fsm.Stay, echoingIn, echoingOut, napping}[rnd.IntN(6)]
}

func (m *imp) pour(cx *stressCx, _ reactor.Ready) reactor.State {
	n, err := cx.WriteSome(port0, m.left)
	if m.left = m.left[n:]; err == nil && len(m.left) == 0 {
		return echoingIn
	}
	return cx.Fail(err)
}

// nap posts to another machine, and waits for a message or its timer.
func (m *imp) nap(cx *stressCx) reactor.State {
	h := m.herd
	for _, to := range []reactor.Ref[nudge]{h.imps[h.rnd.IntN(len(h.imps))], cx.Self()} {
		if h.rnd.IntN(2) == 0 {
			if err := to.Post(&cx.IO, nudge{}); err == nil {
				h.posted.Add(1)
			} else if err != reactor.ErrStale && err != reactor.ErrFull {
				return cx.Stop(err)
			}
		}
	}
	return cx.Fail(cx.Arm(nudgeTimer, time.Duration(h.rnd.IntN(int(5*time.Millisecond)))))
}

func (m *imp) nudged(*stressCx, *nudge) reactor.State           { return fsm.Stay }
func (m *imp) roused(*stressCx, *nudge) reactor.State           { return echoingOut }
func (m *imp) woken(_ *stressCx, _ reactor.Fired) reactor.State { return echoingIn }

// dial dials and closes a number of times before it keeps the connection.
func (m *imp) dial(cx *stressCx) reactor.State {
	for m.herd.rnd.IntN(3) == 0 {
		if err := cx.Dial(port1, "tcp", m.herd.up); err != nil {
			return cx.Fail(err)
		}
		cx.Close(port1)
	}
	if err := cx.Dial(port1, "tcp", m.herd.up); err != nil {
		return cx.Fail(err)
	}
	return cx.Fail(cx.Write(port1, []byte{m.up}))
}

func (m *imp) dialled(*stressCx, reactor.Ready) reactor.State { return relayBoth }

func (m *imp) relay(cx *stressCx, ready reactor.Ready) reactor.State {
	to, from, next := port1, port0, relayDown
	if ready.Has(port1.Readable()) {
		to, from, next = port0, port1, relayUp
	}
	_, err := cx.Copy(to, from)
	if err != io.EOF {
		return cx.Fail(err)
	}
	if err := cx.CloseWrite(to); err != nil || cx.State() != relayBoth {
		return cx.Stop(err)
	}
	return next
}

// herding collects the reasons of machines that should not have ended so.
type herding struct {
	mu  sync.Mutex
	bad []error
}

func (h *herding) ended(_ reactor.Token, reason error) {
	var panicked *reactor.PanicError
	if errors.Is(reason, reactor.ErrTimeout) || errors.As(reason, &panicked) || errors.Is(reason, reactor.ErrSpin) || errors.Is(reason, reactor.ErrEdge) {
		h.mu.Lock()
		h.bad = append(h.bad, reason)
		h.mu.Unlock()
	}
}

func TestStress(t *testing.T) {
	long, _ := strconv.Atoi(os.Getenv("STATOR_STRESS"))
	seed, err := strconv.ParseUint(os.Getenv("STATOR_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	stop := time.Now().Add(max(time.Duration(long)*time.Second, testenv.Pick(400*time.Millisecond, 2*time.Second)))
	for ; !t.Failed() && time.Now().Before(stop); seed++ {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { stress(t, seed) }) {
			t.Logf("STATOR_SEED=%d", seed)
		}
	}
}

// stress is one loop's life.
func stress(t *testing.T, seed uint64) {
	if n, err := net.Listen("tcp", "127.0.0.1:0"); err == nil { // opens the runtime's own poller
		n.Close()
	}
	before := descriptors(t)
	rnd := rand.New(rand.NewPCG(seed, 0))
	pick := func(from ...int) int { return from[rnd.IntN(len(from))] }
	cfg := reactor.Config{Slots: pick(3, 8, 100), Events: pick(1, 4, 256), Accepts: pick(1, 64), Batch: pick(1, 256), Steps: pick(1, 3, 32)}
	l, err := reactor.NewLoop(cfg)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- l.Run(context.Background()) }()
	h, ends := &herd{rnd: rand.New(rand.NewPCG(seed, 1))}, &herding{}
	k, dir := imps(t, ends.ended), t.TempDir()
	// The upstream has a loop of its own. On one full loop relays would wait for each other's slots.
	upstream := netLoop(t, reactor.Config{Slots: 300})
	h.up = netListen(t, upstream, imps(t, ends.ended), imp{herd: &herd{rnd: rand.New(rand.NewPCG(seed, 2))}}).String()
	var to []*reactor.Listener
	networks := []string{"tcp", "unix", "unixpacket"}
	for _, network := range networks {
		at := dir + "/" + network
		if network == "tcp" {
			at = "127.0.0.1:0"
		}
		n, err := k.Listen(l, network, at, imp{herd: h})
		if err != nil {
			t.Fatal(err)
		}
		to = append(to, n)
	}
	var clients sync.WaitGroup
	abrupt := rnd.IntN(4) == 0 // the loop is shut down under them
	for i := range 40 {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)+10))
		network := rnd.IntN(len(networks))
		clients.Go(func() {
			c, err := net.Dial(networks[network], to[network].String())
			if err == nil {
				defer c.Close()
				err = converse(c, rnd, networks[network] == "unixpacket")
			}
			if err != nil && (!abrupt || errors.Is(err, errFalse)) {
				t.Errorf("client %d by %s: got %v, want no error", i, networks[network], err)
			}
		})
	}
	if abrupt {
		eventually(t, "the loop runs", func() bool { return stats(t, l).Turns > 0 }) // before that Shutdown is Close, and Run returns an error
		time.Sleep(time.Duration(rnd.IntN(int(20 * time.Millisecond))))              // at a random moment
	} else {
		clients.Wait()
		eventually(t, "all machines ended", func() bool { return stats(t, l).Machines == 0 })
	}
	if err := patiently(l); err != nil {
		t.Errorf("Shutdown: got %v, want no error", err)
	}
	if err := await(t, "Run", over); err != nil {
		t.Errorf("Run: got %v, want no error", err)
	}
	balanced(t, l, h.posted.Load())
	clients.Wait()
	if err := patiently(upstream); err != nil {
		t.Errorf("Shutdown: got %v, want no error", err)
	}
	for _, reason := range ends.bad {
		t.Errorf("got a machine that ended with %v, want none", reason)
	}
	eventually(t, "every descriptor is closed", func() bool { return descriptors(t) <= before })
}

// patiently shuts a loop down.
func patiently(l *reactor.Loop) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return l.Shutdown(ctx)
}

// balanced checks the counters of a loop that has ended.
func balanced(t *testing.T, l *reactor.Loop, posted int64) {
	t.Helper()
	s := stats(t, l)
	if s.Machines != 0 || s.Held != 0 || s.Panics != 0 || int64(s.Messages+s.Dead) != posted {
		t.Errorf("got %d machines, %d bytes held, %d panics, %d messages handled or dead, want 0, 0, 0, %d", s.Machines, s.Held, s.Panics, s.Messages+s.Dead, posted)
	}
}

// errFalse is the error of a client that got other bytes than it sent.
var errFalse = errors.New("got other bytes than were sent")

// converse is the client's side. A client that keeps the rules sends all, ends its
// direction, and reads to the end.
func converse(c net.Conn, rnd *rand.Rand, whole bool) error {
	mode := []byte{faithful, faithful, whimsical, relayed, betrayed}[rnd.IntN(5)]
	if whole && mode >= relayed { // a message may be longer than what is left of the write buffer
		mode = faithful
	}
	sent := make([]byte, 1+rnd.IntN(1<<[]int{4, 12, 19}[rnd.IntN(3)]))
	for i := range sent {
		sent[i] = byte(rnd.Uint32())
	}
	lossy := mode == whimsical || mode == betrayed
	rude := !lossy && rnd.IntN(3) == 0
	most := 1 << (4 + rnd.IntN(12))
	first := mode
	if whole {
		first |= packets
		most = longest
		sent = sent[:min(len(sent), 20<<10)]
	}
	if len(sent)/most > 200 {
		most = len(sent) / 200
	}
	pieces := rand.New(rand.NewPCG(rnd.Uint64(), 0))
	go func() {
		c.Write([]byte{first})
		for rest := sent; len(rest) > 0; {
			n := 1 + pieces.IntN(min(most, len(rest)))
			if _, err := c.Write(rest[:n]); err != nil {
				return
			}
			if rest = rest[n:]; pieces.IntN(50) == 0 {
				time.Sleep(time.Millisecond) // a pause at random
			}
		}
		if half, ok := c.(interface{ CloseWrite() error }); ok {
			half.CloseWrite()
		}
	}()
	c.SetReadDeadline(time.Now().Add(2 * stressPatience))
	var got []byte
	b := make([]byte, 1<<(9+rnd.IntN(8))) // longest fits
	for {
		n, err := c.Read(b)
		if got = append(got, b[:n]...); !bytes.HasPrefix(sent, got) {
			return fmt.Errorf("%w: %d of %d came back", errFalse, len(got), len(sent))
		}
		switch {
		case err == io.EOF || err == nil && n == 0:
			if !lossy && len(got) < len(sent) {
				return fmt.Errorf("mode %d: the end after %d bytes of %d", mode, len(got), len(sent))
			}
			return nil
		case err != nil && lossy && !errors.Is(err, os.ErrDeadlineExceeded):
			return nil // the machine dropped the connection
		case err != nil:
			return fmt.Errorf("mode %d: %w after %d bytes of %d", mode, err, len(got), len(sent))
		case rnd.IntN(30) == 0:
			time.Sleep(time.Millisecond) // reads late, at random
		}
		if rude && rnd.IntN(10) == 0 {
			if tcp, ok := c.(*net.TCPConn); ok && rnd.IntN(2) == 0 {
				tcp.SetLinger(0)
			}
			return nil // vanish, or reset
		}
	}
}
