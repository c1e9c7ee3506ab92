package drivertest

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/poll"
)

// end is one socket of a pair, as the model of case 45 knows it.
type end struct {
	f          File
	peer       *end
	open       bool
	registered bool
	token      poll.Token
	interest   poll.Interest // without the mode
	in         int           // messages of one byte to be read
	tcp        bool
	due        poll.Ready // edges: directions whose next readiness has to be told
}

// maxIn keeps the buffers of a socket from filling up, so that one with an open
// peer is always writable.
const maxIn = 16

// gone is what is true of a socket whose peer is closed.
const gone = poll.Readable | poll.Writable | poll.ReadClosed | poll.WriteClosed

// ready is what is true of x, whoever asks.
func (x *end) ready() poll.Ready {
	if !x.peer.open {
		if x.tcp { // how far the rest is true depends on what neither has read
			return poll.Readable | poll.Writable
		}
		return gone
	}
	r := poll.Ready(poll.Writable)
	if x.in > 0 {
		r |= poll.Readable
	}
	return r
}

// level is what a level-triggered wait has to tell of x, 0 for nothing. A
// hang-up is told whatever the interest.
func (x *end) level() poll.Ready {
	if !x.registered {
		return 0
	}
	if !x.peer.open && !x.tcp {
		return x.ready()
	}
	return x.ready() & poll.Ready(x.interest)
}

// edge is what an edge-triggered wait has to tell of x.
func (x *end) edge() poll.Ready {
	if !x.registered {
		return 0
	}
	return x.ready() & x.due & poll.Ready(x.interest)
}

// crowd is the System of case 45 and the model beside it.
type crowd struct {
	*env
	network string // of the pairs
	rnd     *rand.Rand
	ends    []*end
	by      map[poll.Token]*end
	late    map[poll.Token]bool // closed without removal; an event may be on its way
	serial  uint64
	dst     []poll.Event
}

// manySockets makes random calls on 10,000 sockets, or as many as there may be,
// and compares what the waits in between tell with a model.
func manySockets(e *env) {
	const checks = 10
	sockets, calls := 10_000, 2000
	c := &crowd{env: e, network: "unix", rnd: rand.New(rand.NewPCG(45, uint64(e.mode))),
		by: make(map[poll.Token]*end), late: make(map[poll.Token]bool), dst: make([]poll.Event, 2048)}
	if a, b, err := e.Pair(c.network); errors.Is(err, errors.ErrUnsupported) {
		c.network, sockets, calls = "tcp", 400, 200 // each takes a port, for longer than it lives
	} else {
		e.must(errors.Join(err, e.Close(a), e.Close(b)))
	}
	spare := make([]File, 0, 128) // for the runtime, and for the crowd's own opening
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
		e.Logf("%d sockets: the limit of descriptors allows no more", len(c.ends))
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

// openPair adds two registered sockets, unless there are no descriptors left.
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

// newToken is a token of 64 random bits, or nearly.
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
			c.shut(x, true)
		}
	case 6:
		if c.rnd.IntN(4) == 0 { // both, without removal, and others in their place
			c.shut(x, false)
			if x.peer.open {
				c.shut(x.peer, false)
			}
			c.replace(k)
		}
	case 7, 8, 9:
		c.readOne(x)
	case 10:
		c.readUp(x)
	default:
		if x.peer.open && x.peer.in < maxIn {
			c.write(x.f, "x")
			x.peer.in++
		}
	}
}

// shut closes x.
func (c *crowd) shut(x *end, remove bool) {
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

// replace puts a new pair in the place of ends[k] and its peer.
func (c *crowd) replace(k int) {
	k &^= 1 // pairs lie side by side
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
	case x.in == 0 && (x.peer.open || x.tcp) && errors.Is(err, ErrWouldBlock): // TCP's end may be on its way
		x.due |= poll.Readable
	case !x.peer.open && isGone(err): // a reset hides what was not read
	default:
		c.Fatalf("read: %d, %v: want one of %d bytes, peer open %v", n, err, x.in, x.peer.open)
	}
}

// readUp reads until nothing is left.
func (c *crowd) readUp(x *end) {
	for x.in > 0 {
		before := x.in
		c.readOne(x)
		if x.in == before {
			return
		}
	}
	c.readOne(x)
}

// isGone tells whether err says that there is no peer any more.
func isGone(err error) bool { return isEnd(err) || errors.Is(err, errno.ECONNRESET) }

// news is an event's readiness, as far as the model knows it: of no socket, if it
// was on its way when that was closed.
func (c *crowd) news(ev poll.Event) (*end, poll.Ready) {
	x := c.by[ev.Token]
	if x == nil && c.late[ev.Token] {
		delete(c.late, ev.Token)
		return nil, 0
	}
	if x == nil {
		c.Fatalf("event %#x %v: of no socket that is registered", uint64(ev.Token), ev.Ready)
	}
	return x, ev.Ready &^ poll.Error // closing with bytes unread is an error to the peer
}

// checkLevels compares every socket's readiness with the model's.
func (c *crowd) checkLevels() {
	want := make(map[*end]poll.Ready)
	for _, x := range c.ends {
		if r := c.level(x); r != 0 {
			want[x] = r
		}
	}
	rounds, end := 4*len(want)/512+2, c.Now()+patience // TCP's news may be on its way
	for ; rounds > 0 || c.network == "tcp" && c.Now() < end; rounds-- {
		n, err := c.Wait(c.dst, 0)
		c.must(err)
		for _, ev := range c.dst[:n] {
			x, r := c.news(ev)
			if c.untrue(x, r) != 0 {
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
		c.Fatalf("%d sockets are ready and were not told of; one: %v", len(want), r)
	}
}

// level is what is to be told of x, in one event or two.
func (c *crowd) level(x *end) poll.Ready { return c.told(x.level(), x.interest) }

// untrue is what of r, told by one event of a level-triggered wait, is more or
// less than x's level.
func (c *crowd) untrue(x *end, r poll.Ready) (wrong poll.Ready) {
	if !c.of.Apart {
		wrong = x.level() &^ r
	}
	if x.peer.open || !x.tcp {
		wrong |= r &^ x.level()
	}
	return wrong
}

// checkEdges checks that all that was due is told, and nothing untrue.
func (c *crowd) checkEdges() {
	var timeout time.Duration
	if c.network == "tcp" {
		timeout = quiet // for what is on its way
	}
	for {
		n, err := c.Wait(c.dst, timeout)
		c.must(err)
		if n == 0 {
			break
		}
		for _, ev := range c.dst[:n] {
			x, r := c.news(ev)
			if x == nil {
				continue
			}
			if r&^x.ready() != 0 && !x.tcp && !c.of.Old { // an event of TCP's may be an old one
				c.Fatalf("event %v: want no more than %v", r, x.ready())
			}
			x.due &^= r
		}
	}
	for _, x := range c.ends {
		if r := x.edge(); r != 0 {
			c.Fatalf("%v was not told (in %d, peer open %v)", r, x.in, x.peer.open)
		}
	}
}
