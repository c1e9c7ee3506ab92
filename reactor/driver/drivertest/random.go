package drivertest

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor/poll"
)

// end is one socket of a pair in the model of case 45.
type end struct {
	f          File
	peer       *end
	open       bool
	registered bool
	token      poll.Token
	interest   poll.Interest // without the mode
	in         int           // bytes to be read
	tcp        bool
	due        poll.Ready // in edge mode: directions whose next readiness must be reported
}

// maxIn limits the data in the buffers of a socket, so that one with an open peer is always
// writable.
const maxIn = 16

// hungUp is the readiness of a socket whose peer is closed.
const hungUp = poll.Readable | poll.Writable | poll.ReadClosed | poll.WriteClosed

// ready returns the readiness of x, whatever its interest.
func (x *end) ready() poll.Ready {
	if !x.peer.open {
		if x.tcp { // the other bits depend on data that was not read
			return poll.Readable | poll.Writable
		}
		return hungUp
	}
	r := poll.Ready(poll.Writable)
	if x.in > 0 {
		r |= poll.Readable
	}
	return r
}

// level returns the readiness of x that a level-triggered wait must report. A hang-up is
// reported whatever the interest.
func (x *end) level() poll.Ready {
	if !x.registered {
		return 0
	}
	if !x.peer.open && !x.tcp {
		return x.ready()
	}
	return x.ready() & poll.Ready(x.interest)
}

// edge returns the readiness of x that an edge-triggered wait must report.
func (x *end) edge() poll.Ready {
	if !x.registered {
		return 0
	}
	return x.ready() & x.due & poll.Ready(x.interest)
}

// crowd is the environment of case 45 with its model.
type crowd struct {
	*env
	network string // of the pairs
	rnd     *rand.Rand
	ends    []*end
	by      map[poll.Token]*end
	late    map[poll.Token]bool // closed without Remove; an event may still come
	serial  uint64
	dst     []poll.Event
}

// manySockets makes random calls on many sockets, 10,000 with STATOR_LONG=1 or as many as the
// system allows, and compares the results of the waits in between with a model.
func manySockets(e *env) {
	const checks = 10
	sockets, calls := testenv.Pick(1000, 10_000), testenv.Pick(500, 2000)
	c := &crowd{env: e, network: "unix", rnd: rand.New(rand.NewPCG(45, uint64(e.mode))),
		by: make(map[poll.Token]*end), late: make(map[poll.Token]bool), dst: make([]poll.Event, 2048)}
	if a, b, err := e.Pair(c.network); errors.Is(err, errors.ErrUnsupported) {
		c.network, sockets, calls = "tcp", 400, 200 // each takes a port, also for a time after its close
	} else {
		e.must(errors.Join(err, e.Close(a), e.Close(b)))
	}
	spare := make([]File, 0, 128) // descriptors for the runtime and for replace
	for len(spare) < cap(spare) {
		a, b, err := e.Pair(c.network)
		e.must(err)
		spare = append(spare, a, b)
	}
	for len(c.ends) < sockets && c.openPair() {
	}
	for _, f := range spare {
		e.must(e.Close(f))
	}
	if len(c.ends) < sockets {
		e.Logf("%d sockets, as the limit of descriptors does not allow more", len(c.ends))
	}
	for range checks {
		for range calls {
			c.step()
		}
		if e.mode == edge {
			c.checkEdges()
		} else {
			c.checkLevels()
		}
	}
}

// openPair adds two registered sockets. It returns false if there are no descriptors left.
func (c *crowd) openPair() bool {
	a, b, err := c.Pair(c.network)
	if errors.Is(err, errno.EMFILE) || errors.Is(err, errno.ENFILE) {
		return false
	}
	c.must(err)
	tcp := c.network == "tcp"
	x, y := &end{f: a, open: true, tcp: tcp}, &end{f: b, open: true, tcp: tcp}
	x.peer, y.peer = y, x
	c.register(x)
	c.register(y)
	c.ends = append(c.ends, x, y)
	return true
}

// newToken returns a token that no other socket has. Its upper bits are random.
func (c *crowd) newToken() poll.Token {
	c.serial++
	return poll.Token(c.rnd.Uint64()<<24 | c.serial&(1<<24-1))
}

func (c *crowd) newInterest() poll.Interest {
	return poll.Interest(1 + c.rnd.IntN(3))
}

func (c *crowd) register(x *end) {
	t, i := c.newToken(), c.newInterest()
	c.must(c.Register(x.f, t, i|c.mode))
	c.watched(x, t, i)
}

func (c *crowd) watched(x *end, t poll.Token, i poll.Interest) {
	x.registered, x.token, x.interest = true, t, i
	x.due = poll.Readable | poll.Writable
	c.by[t] = x
}

func (c *crowd) unwatched(x *end) {
	delete(c.by, x.token)
	x.registered = false
}

// step makes one random call.
func (c *crowd) step() {
	k := c.rnd.IntN(len(c.ends))
	x := c.ends[k]
	if !x.open {
		if !x.peer.open {
			c.replace(k)
		}
		return
	}
	switch c.rnd.IntN(16) {
	case 0, 1:
		if x.registered {
			delete(c.by, x.token)
			t, i := c.newToken(), c.newInterest()
			c.must(c.Modify(x.f, t, i|c.mode))
			c.watched(x, t, i)
		} else {
			c.fails(c.Modify(x.f, 1, poll.Readable), poll.ErrNotExist)
		}
	case 2, 3:
		if x.registered {
			c.fails(c.Register(x.f, 1, poll.Readable), poll.ErrExist)
		} else {
			c.register(x)
		}
	case 4:
		if x.registered {
			c.must(c.Remove(x.f))
			c.unwatched(x)
		} else {
			c.fails(c.Remove(x.f), poll.ErrNotExist)
		}
	case 5:
		if c.rnd.IntN(4) == 0 {
			c.close(x, true)
		}
	case 6:
		if c.rnd.IntN(4) == 0 { // replace both, without Remove
			c.close(x, false)
			if x.peer.open {
				c.close(x.peer, false)
			}
			c.replace(k)
		}
	case 7, 8, 9:
		c.readOne(x)
	case 10:
		c.readAll(x)
	default:
		if x.peer.open && x.peer.in < maxIn {
			c.write(x.f, "x")
			x.peer.in++
		}
	}
}

// close closes x, after Remove if remove is set.
func (c *crowd) close(x *end, remove bool) {
	if x.registered {
		if remove {
			c.must(c.Remove(x.f))
		} else if x.tcp && c.mode == edge {
			c.late[x.token] = true
		}
		c.unwatched(x)
	}
	c.must(c.Close(x.f))
	x.open = false
}

// replace replaces ends[k] and its peer by a new pair.
func (c *crowd) replace(k int) {
	k &^= 1 // the two sockets of a pair are adjacent
	if !c.openPair() {
		c.Fatal("no descriptor for a new pair")
	}
	last := len(c.ends) - 2
	copy(c.ends[k:], c.ends[last:])
	c.ends = c.ends[:last]
}

func (c *crowd) readOne(x *end) {
	var b [1]byte
	n, err := c.Read(x.f, b[:])
	switch {
	case x.in > 0 && n == 1 && err == nil:
		x.in--
	case x.in == 0 && (x.peer.open || x.tcp) && errors.Is(err, ErrWouldBlock): // the end of a TCP stream may not have arrived yet
		x.due |= poll.Readable
	case !x.peer.open && isHangUp(err): // a reset discards data that was not read
	default:
		c.Fatalf("read: %d, %v: want one of %d bytes, peer open %v", n, err, x.in, x.peer.open)
	}
}

// readAll reads all bytes and then once more.
func (c *crowd) readAll(x *end) {
	for x.in > 0 {
		before := x.in
		c.readOne(x)
		if x.in == before {
			return
		}
	}
	c.readOne(x)
}

// isHangUp reports whether err means that the peer is closed.
func isHangUp(err error) bool { return isEnd(err) || errors.Is(err, errno.ECONNRESET) }

// lookUp returns the socket of an event and the readiness that the model knows. The socket is
// nil if it was closed before its event came.
func (c *crowd) lookUp(ev poll.Event) (*end, poll.Ready) {
	x := c.by[ev.Token]
	if x == nil && c.late[ev.Token] {
		delete(c.late, ev.Token)
		return nil, 0
	}
	if x == nil {
		c.Fatalf("event %#x %v: no socket is registered with that token", uint64(ev.Token), ev.Ready)
	}
	return x, ev.Ready &^ poll.Error // set if the peer was closed with unread data
}

// checkLevels compares the readiness of each socket with that of the model.
func (c *crowd) checkLevels() {
	want := make(map[*end]poll.Ready)
	for _, x := range c.ends {
		if r := c.level(x); r != 0 {
			want[x] = r
		}
	}
	rounds, end := 4*len(want)/512+2, c.Now()+timeout // data of TCP may not have arrived yet
	for ; rounds > 0 || c.network == "tcp" && c.Now() < end; rounds-- {
		n, err := c.Wait(c.dst, 0)
		c.must(err)
		for _, ev := range c.dst[:n] {
			x, r := c.lookUp(ev)
			if c.wrong(x, r) != 0 {
				c.Fatalf("event %v: want %v (in %d, interest %v, peer open %v)", r, x.level(), x.in, x.interest, x.peer.open)
			}
			if want[x] &^= r; want[x] == 0 {
				delete(want, x)
			}
		}
		if len(want) == 0 {
			return
		}
	}
	for _, r := range want {
		c.Fatalf("%d sockets are ready and were not reported, one of them for %v", len(want), r)
	}
}

// level returns the readiness of x that must be reported, by one event or by two.
func (c *crowd) level(x *end) poll.Ready { return c.reported(x.level(), x.interest) }

// wrong returns the bits of r, reported by one event of a level-triggered wait, that differ
// from the level of x.
func (c *crowd) wrong(x *end, r poll.Ready) (wrong poll.Ready) {
	if !c.backend.PerDirection {
		wrong = x.level() &^ r
	}
	if x.peer.open || !x.tcp {
		wrong |= r &^ x.level()
	}
	return wrong
}

// checkEdges checks that all due readiness is reported and nothing else.
func (c *crowd) checkEdges() {
	var wait time.Duration
	if c.network == "tcp" {
		wait = quiet // for data that has not arrived yet
	}
	for {
		n, err := c.Wait(c.dst, wait)
		c.must(err)
		if n == 0 {
			break
		}
		for _, ev := range c.dst[:n] {
			x, r := c.lookUp(ev)
			if x == nil {
				continue
			}
			if r&^x.ready() != 0 && !x.tcp && !c.backend.StaleEdges { // an event of TCP may be out of date
				c.Fatalf("event %v: want no more than %v", r, x.ready())
			}
			x.due &^= r
		}
	}
	for _, x := range c.ends {
		if r := x.edge(); r != 0 {
			c.Fatalf("%v was not reported (in %d, peer open %v)", r, x.in, x.peer.open)
		}
	}
}
