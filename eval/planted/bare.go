package planted

import (
	"math"
	"time"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// bare is an event loop and a server of lines in one, written by hand over a driver. It
// does for a few slots what package reactor does for its machines, with bugs that
// reactor's tables make impossible. barelines.go has the protocol.
type bare struct {
	plant    *Plant
	drv      driver.Driver
	listener driver.Sock
	slots    [bareSlots]slot
	timers   []deadline
	jobs     []job
	batch    []ready

	accepting bool  // the listener may have more
	retry     int64 // when to try accepting again; 0: not
	stopping  bool
	over      bool
	stats     reactor.Stats
	events    [16]poll.Event
}

const (
	bareSlots   = 3
	bareSilence = 30 * time.Second // after which a connection is ended
	bareSlack   = time.Second      // by which a deadline may be late
	bareOut     = 1 << 10          // bytes of output at which reading pauses
	bareMost    = 8 << 10          // bytes of output that a slot never exceeds
)

// slot is a place for one connection.
type slot struct {
	generation uint32 // odd: taken
	sock       driver.Sock
	readable   bool
	writable   bool
	ended      bool // input has ended
	closing    bool // to be closed once all output is sent
	working    bool // a job is in progress: further lines wait for it
	polled     bool // bare/interest-kept: called if writable
	again      bool // bare/sent-twice: it was called
	heard      int64
	in, out    []byte
}

// ready is an event of this turn; job and deadline are due in later turns. By then their
// connection may be closed and another one may have its slot, so they carry the slot's
// generation.
type (
	ready struct {
		at         int
		generation uint32
		sock       driver.Sock
	}
	job struct {
		at         int
		generation uint32
	}
	deadline struct {
		at         int
		generation uint32
		when       int64
	}
)

const listenerData = 1

// data returns the data of a slot's events: generation:32 | index:32.
func (b *bare) data(at int) driver.EventData {
	return driver.EventData(b.slots[at].generation)<<32 | driver.EventData(at)
}

func (s *slot) taken() bool { return s.generation&1 == 1 }

func newBare(p *Plant, d driver.Driver) (*bare, error) {
	b := &bare{plant: p, drv: d}
	var err error
	if b.listener, err = d.Listen(driver.Addr{Net: driver.TCP}, driver.SocketOptions{}); err == nil {
		err = d.Register(b.listener, listenerData)
	}
	return b, err
}

// Turn runs one turn: it handles events, deadlines and jobs, and serves ready connections.
func (b *bare) Turn() (over bool) {
	n, err := b.drv.Wait(b.events[:], b.Until())
	b.stats.Events += uint64(n)
	for _, ev := range b.events[:n] {
		b.event(driver.EventData(ev.Token), ev.Ready)
	}
	if err != nil || b.stopping {
		return b.end()
	}
	due := b.jobs // of earlier turns
	b.jobs = nil
	b.serveBatch()
	b.expire()
	for _, j := range due {
		b.done(j)
	}
	if b.accepting {
		b.accept()
	}
	for at := range b.slots {
		b.serve(at)
	}
	return false
}

// event adds an event to the batch of its slot.
func (b *bare) event(data driver.EventData, r poll.Ready) {
	if data == listenerData {
		b.accepting = true
		return
	}
	at, generation := int(uint32(data)), uint32(data>>32)
	s := &b.slots[at]
	if stale := s.generation != generation; stale && !b.plant.Wrong("bare/stale-token", stale) {
		b.stats.Stale++
		return
	}
	if !s.taken() {
		return
	}
	s.readable = s.readable || r&(poll.Readable|poll.ReadClosed|poll.Error) != 0
	s.writable = s.writable || r&(poll.Writable|poll.WriteClosed|poll.Error) != 0
	if hungUp := r&poll.ReadClosed != 0; hungUp && b.plant.Wrong("bare/hang-up-drops", true) {
		b.drop(at)
		return
	}
	b.batch = append(b.batch, ready{at, s.generation, s.sock})
}

// serveBatch serves the connections with an event, in the order of the events. One
// connection may close another one that comes later in the batch.
func (b *bare) serveBatch() {
	for _, r := range b.batch {
		s := &b.slots[r.at]
		if gone := s.generation != r.generation; !gone {
			b.serve(r.at)
		} else if b.plant.Wrong("bare/sibling", gone) {
			b.drv.Read(r.sock, make([]byte, 16))
		}
	}
	b.batch = b.batch[:0]
}

// serve reads and writes for one connection.
func (b *bare) serve(at int) {
	s := &b.slots[at]
	if s.taken() && s.writable && len(s.out) > 0 {
		b.write(at)
	}
	if s.taken() && b.reads(s) {
		b.read(at)
	}
	if s.taken() && (s.closing || s.ended && !s.working) && len(s.out) == 0 {
		b.drop(at)
	}
}

// reads reports whether to read from a connection.
func (b *bare) reads(s *slot) bool {
	full := len(s.out) >= bareOut
	if full && b.plant.Wrong("bare/unread-output", full) {
		full = false
	}
	return s.readable && !s.closing && !s.ended && !s.working && !full
}

func (b *bare) read(at int) {
	s := &b.slots[at]
	var buf [64]byte
	n, flow, err := b.drv.Read(s.sock, buf[:])
	if err != nil {
		b.broken(at)
		return
	}
	if flow&(driver.ReadBlocked|driver.ReadEnded) != 0 {
		s.readable = false
	}
	if short := n > 0 && n < len(buf) && flow == 0; short && b.plant.Wrong("bare/short-read", short) {
		s.readable = false
	}
	if nothing := n == 0 && flow&driver.ReadEnded == 0; nothing && b.plant.Wrong("bare/spurious-end", nothing) {
		s.ended = true
	}
	s.ended = s.ended || flow&driver.ReadEnded != 0
	if n > 0 {
		s.heard = b.drv.Now()
	}
	s.in = append(s.in, buf[:n]...)
	b.lines(at)
}

// write sends pending output.
func (b *bare) write(at int) {
	s := &b.slots[at]
	n, flow, err := b.drv.Write(s.sock, s.out)
	if err != nil {
		b.broken(at)
		return
	}
	s.writable = flow&driver.WriteBlocked == 0
	part := n > 0 && n < len(s.out)
	switch {
	case part && b.plant.Wrong("bare/rest-lost", part):
		n = len(s.out)
	case part && !s.again && b.plant.Wrong("bare/sent-twice", part):
		n, s.again = 0, true
	}
	s.out = s.out[:copy(s.out, s.out[n:])]
	if kept := n > 0; kept && b.plant.Wrong("bare/interest-kept", len(s.out) == 0) {
		s.polled = true
	}
}

// broken ends a connection after an error of its socket.
func (b *bare) broken(at int) {
	s := &b.slots[at]
	if b.plant.Wrong("bare/double-close", false) {
		b.drv.Close(s.sock)
		s.readable, s.writable, s.polled = false, false, false
		return // its deadline ends it
	}
	b.drop(at)
}

// drop closes a connection and frees its slot.
func (b *bare) drop(at int) {
	s := &b.slots[at]
	b.drv.Close(s.sock)
	*s = slot{generation: s.generation + 1, in: s.in[:0], out: s.out[:0]}
	b.stats.Machines--
}

// expire ends the connections that were silent for too long.
func (b *bare) expire() {
	now := b.drv.Now()
	for i := 0; i < len(b.timers); {
		t := b.timers[i]
		if t.when > now {
			i++
			continue
		}
		b.timers = append(b.timers[:i], b.timers[i+1:]...)
		s := &b.slots[t.at]
		stale := s.generation != t.generation
		if !s.taken() || stale && !b.plant.Wrong("bare/late-timer", stale) {
			continue
		}
		if again := s.heard + int64(bareSilence); again > now && !stale {
			b.timers = append(b.timers, deadline{t.at, s.generation, again})
			continue
		}
		b.silent(t.at)
	}
}

func (b *bare) silent(at int) {
	b.plant.Wrong("bare/double-close", true)
	s := &b.slots[at]
	quiet := time.Duration(b.drv.Now() - s.heard)
	claim(quiet >= bareSilence, "a peer ended for its silence was silent for %v: %v was allowed", quiet, bareSilence)
	b.drop(at)
}

// accept accepts the waiting connections. If no slot is free, it closes them.
func (b *bare) accept() {
	for {
		sock, flow, err := b.drv.Accept(b.listener)
		if err != nil {
			b.acceptLater()
			return
		}
		if sock == 0 {
			b.accepting = flow&driver.ReadBlocked == 0
			return
		}
		b.admit(sock)
	}
}

// acceptLater schedules another try after a failed accept, as no event says when one
// would succeed.
func (b *bare) acceptLater() {
	b.accepting = false
	if !b.plant.Wrong("bare/accept-stops", true) {
		b.retry = b.drv.Now() + int64(10*time.Millisecond)
	}
}

func (b *bare) admit(sock driver.Sock) {
	at := 0
	for at < len(b.slots) && b.slots[at].taken() {
		at++
	}
	if at == len(b.slots) {
		if !b.plant.Wrong("bare/accept-leak", true) {
			b.drv.Close(sock)
		}
		return
	}
	s := &b.slots[at]
	s.generation++
	s.sock, s.heard, s.readable, s.writable = sock, b.drv.Now(), false, true
	b.stats.Machines++
	b.timers = append(b.timers, deadline{at, s.generation, s.heard + int64(bareSilence)})
	if b.drv.Register(sock, b.data(at)) != nil {
		b.drop(at)
	}
}

// Until returns the current time if there is work to do, else the next deadline.
func (b *bare) Until() int64 {
	until := int64(math.MaxInt64)
	if b.retry > 0 {
		if b.retry <= b.drv.Now() {
			b.retry, b.accepting = 0, true
		} else {
			until = b.retry
		}
	}
	if b.accepting || b.stopping || len(b.jobs) > 0 {
		return 0
	}
	for i := range b.slots {
		s := &b.slots[i]
		if s.taken() && (b.reads(s) || s.writable && (len(s.out) > 0 || s.polled) || (s.closing || s.ended && !s.working) && len(s.out) == 0) {
			return 0
		}
	}
	for _, t := range b.timers {
		until = min(until, t.when)
	}
	return until
}

// Leave shuts the loop down. Nothing is in progress that could be finished first, so it
// is Stop.
func (b *bare) Leave() { b.stopping = true }

// Stop ends the loop in its next turn.
func (b *bare) Stop() { b.stopping = true }

// Stats returns the loop's counters.
func (b *bare) Stats() reactor.Stats { return b.stats }

func (b *bare) end() bool {
	for at := range b.slots {
		if b.slots[at].taken() {
			b.drop(at)
		}
	}
	b.drv.Close(b.listener)
	b.drv.End()
	b.over = true
	return true
}
