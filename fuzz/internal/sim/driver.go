package sim

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"sync/atomic"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/sig"
)

// simDriver is the operating system of one loop. Its Wait does not block: the world moves
// the clock, and lets a loop take a turn when there is something for it.
type simDriver struct {
	w        *World
	loop     int
	machines *[]*Machine // of World.machines
	woken    atomic.Bool

	news        []driver.Sock // sockets with an event that was not collected, in order
	extraEvents []poll.Event  // that no socket's readiness made
	staleEvents []poll.Event  // of sockets that are closed
	stale       uint64        // how many of those the loop was told of
	open        int           // sockets
	armed       armedLoop
	over        bool
	caught      sig.Set
	came        func(sig.Set)
}

var _ driver.Driver = (*simDriver)(nil)

// get returns a socket that the loop holds. A call for any other socket is a misuse: get
// returns nil.
func (d *simDriver) get(id driver.Sock, what string) *socket {
	if row := int(id) & rowMask; id > 0 && row < len(d.w.sockets) {
		s := d.w.sockets[row]
		if s.id == id && s.kind != free && s.driver == d {
			return s
		}
		if s.id == id && s.kind != free {
			d.w.misuse(fmt.Sprintf("%s of socket %d, which is not this loop's", what, row))
			return nil
		}
		d.w.misuse(fmt.Sprintf("%s of socket %d after its close", what, row))
		return nil
	}
	d.w.misuse(fmt.Sprintf("%s of socket %d, which was never opened", what, id))
	return nil
}

func (d *simDriver) Now() int64 { return d.w.now }

// Wake ends a Wait. If a fault has the loop interleave, it takes a turn at once: in the midst
// of the handler, or whatever else, that has sent it a message.
func (d *simDriver) Wake() {
	if !d.interleave() {
		d.woken.Store(true)
	}
}

// busy reports whether a Wait would find something.
func (d *simDriver) busy() bool {
	return len(d.news) > 0 || len(d.extraEvents) > 0 || len(d.staleEvents) > 0 || d.woken.Load()
}

func (d *simDriver) Wait(dst []poll.Event, until int64) (n int, err error) {
	if until != 0 && d.woken.Load() {
		d.woken.Store(false) // a look does not use the wake up
	}
	most := d.armed.waitLimit(len(dst))
	if most < min(len(dst), len(d.news)+len(d.extraEvents)+len(d.staleEvents)) {
		d.w.struck(trace.Few, nil)
	}
	if d.armed.permute(d.news) {
		d.w.struck(trace.Permute, nil)
	}
	n = d.takeNews(dst[:most])
	if len(d.extraEvents)+len(d.staleEvents) > 0 {
		n += d.takeUntrue(dst[n:most])
	}
	if d.w.opts.Spurious && n > 0 { // else one would come with a deadline, which it may put off
		n = d.addSpurious(dst[:most], n)
	}
	for _, ev := range dst[:n] {
		d.w.note(noteEvent, uint64(ev.Token), uint64(ev.Ready))
	}
	d.w.events += uint64(n)
	return n, nil
}

// takeUntrue moves events that no socket's readiness made into dst.
func (d *simDriver) takeUntrue(dst []poll.Event) (n int) {
	n = copy(dst, d.extraEvents)
	d.w.observeSpurious(d.extraEvents[:n])
	d.extraEvents = d.extraEvents[:copy(d.extraEvents, d.extraEvents[n:])]
	k := copy(dst[n:], d.staleEvents)
	d.staleEvents = d.staleEvents[:copy(d.staleEvents, d.staleEvents[k:])]
	for range k {
		d.w.struck(trace.Stale, nil)
	}
	d.stale += uint64(k)
	return n + k
}

// takeNews moves events of sockets that are ready into dst.
func (d *simDriver) takeNews(dst []poll.Event) (n int) {
	took := 0
	for ; took < len(d.news) && n < len(dst); took++ {
		s := d.w.sockets[int(d.news[took])&rowMask]
		if s.id != d.news[took] || s.driver != d {
			continue // closed since
		}
		s.listed = false
		if r := s.ready(); r != 0 {
			s.awaitsRoom = s.awaitsRoom && r&poll.Writable == 0
			dst[n] = poll.Event{Token: poll.Token(s.data), Ready: r}
			n++
		}
	}
	d.news = d.news[:copy(d.news, d.news[took:])]
	return n
}

// addSpurious adds one spurious event for each connection behind n true ones.
func (d *simDriver) addSpurious(dst []poll.Event, n int) int {
	for _, s := range d.w.sockets[1:] {
		if s.driver == d && s.watched && s.kind == stream && s.phase == connected && n < len(dst) {
			dst[n] = poll.Event{Token: poll.Token(s.data), Ready: poll.Readable | poll.Writable}
			n++
			if s.ready()&poll.Readable == 0 {
				d.w.observeConn(ToldReadable, int(s.conn), nil)
			}
		}
	}
	return n
}

func (d *simDriver) Register(id driver.Sock, data driver.EventData) error {
	s := d.get(id, "register")
	if s == nil {
		return errno.EBADF
	}
	if s.watched {
		d.w.misuse(fmt.Sprintf("second register of socket %d", int(id)&rowMask))
		return poll.ErrExist
	}
	s.watched, s.data = true, data
	if m := s.machine(); m != nil {
		s.led, s.fails = m.led, m.fails
		m.next[data.Port()] = driver.NextPortGen(data.PortGen())
	}
	d.w.setOwner(s)
	if s.attempted > 0 {
		d.w.attempts[s.attempted-1].of(s)
	}
	if s.ready() != 0 {
		s.notify()
	}
	return nil
}

func (d *simDriver) Traits(id driver.Sock) driver.Traits {
	s := d.get(id, "traits")
	if s == nil {
		return 0
	}
	switch s.kind {
	case listening:
		return driver.Listening
	case datagram:
		return driver.Datagram
	case pipeIn:
		return driver.ReadOnly | driver.KeepsOutput
	case pipeOut:
		return driver.WriteOnly | driver.KeepsOutput
	}
	return 0
}

func (d *simDriver) Unacked(id driver.Sock) bool {
	s := d.get(id, "look at the queue")
	return s != nil && s.unsent()
}

func (d *simDriver) Shutdown(id driver.Sock, how driver.How) error {
	s := d.get(id, "shutdown")
	if s == nil {
		return errno.EBADF
	}
	d.w.note(noteShut, uint64(id), uint64(how))
	if s.kind != stream && s.kind != pipeOut {
		return nil
	}
	if how&driver.ShutWrite != 0 {
		d.w.finish(s)
	}
	if how&driver.ShutRead != 0 && !s.shutIn {
		s.shutIn = true
		s.in.clear()
		s.notify()
	}
	return nil
}

func (d *simDriver) Close(id driver.Sock) error {
	s := d.get(id, "close")
	if s == nil {
		return errno.EBADF
	}
	d.w.note(noteClose, uint64(id), 0)
	d.w.closesWell(s)
	d.w.machineCloses(s)
	d.noteOutput(s, 0, true)
	d.w.close(s)
	return nil
}

func (d *simDriver) Reset(id driver.Sock) error {
	if s := d.get(id, "reset"); s != nil && s.kind == stream && s.other != nil {
		d.w.dropsOutput(s)
		d.w.reset(s.other, errno.ECONNRESET)
		s.other = nil
	}
	return d.Close(id)
}

func (d *simDriver) Listen(a driver.Addr, o driver.SocketOptions) (driver.Sock, error) {
	return d.bind(a, listening, o.ReusePort)
}

func (d *simDriver) Bind(a driver.Addr, o driver.SocketOptions) (driver.Sock, error) {
	return d.bind(a, datagram, o.ReusePort)
}

func (d *simDriver) bind(a driver.Addr, k socketKind, shared bool) (driver.Sock, error) {
	if a.Net < driver.Unix && a.IP.Port() == 0 {
		a.IP = netip.AddrPortFrom(a.IP.Addr(), d.w.port())
	}
	if other := d.w.bound(a, k); other != nil && !(shared && other.shared) {
		return 0, fmt.Errorf("bind %s: %w", a, errno.EADDRINUSE)
	}
	s := d.w.open(k, d)
	s.local, s.shared = a, shared
	d.w.found.Datagrams = d.w.found.Datagrams || k == datagram
	if k == listening {
		d.w.listeners = append(d.w.listeners, listener{s.id, a})
	}
	return s.id, nil
}

func (d *simDriver) Accept(id driver.Sock) (driver.Sock, driver.Flow, error) {
	l := d.get(id, "accept")
	if l == nil {
		return 0, 0, errno.EBADF
	}
	if err := d.armed.acceptFails(); err != nil {
		d.w.struck(trace.AcceptFails, nil)
		if !errors.Is(err, errno.ECONNABORTED) {
			return 0, 0, err
		}
		if len(l.backlog) > 0 {
			d.w.abort(l)
			return 0, 0, err
		}
	}
	if len(l.backlog) == 0 {
		return 0, driver.ReadBlocked, nil
	}
	s := l.backlog[0]
	l.backlog = l.backlog[:copy(l.backlog, l.backlog[1:])]
	s.driver = d
	d.open++
	d.w.moved++
	d.w.note(noteAccept, uint64(s.id), uint64(s.conn))
	return s.id, 0, nil
}

func (d *simDriver) Connect(a driver.Addr, _ driver.SocketOptions) (driver.Sock, driver.Flow, error) {
	if a.Net == driver.UDP || a.Net == driver.Unixgram {
		s := d.w.open(datagram, d)
		d.w.found.Datagrams = true
		s.local.Net, s.remote = a.Net, a
		if a.Net == driver.UDP {
			s.local.IP = netip.AddrPortFrom(loopback, d.w.port())
		}
		return s.id, 0, nil
	}
	s := d.w.connect(d, a)
	return s.id, driver.WriteBlocked, nil
}

func (d *simDriver) FinishConnect(id driver.Sock) (driver.Flow, error) {
	s := d.get(id, "finish")
	switch {
	case s == nil:
		return 0, errno.EBADF
	case s.kind == pipeOut && s.other == nil:
		return 0, errno.EPIPE
	case s.phase == unanswered:
		return driver.WriteBlocked, nil
	case s.phase == answered:
		s.phase = connected
	case s.broken != nil:
		err := s.broken
		s.broken, s.over = nil, true
		return 0, err
	}
	return 0, nil
}

func (d *simDriver) Addr(id driver.Sock, side driver.Side) (driver.Addr, error) {
	s := d.get(id, "name")
	if s == nil {
		return driver.Addr{}, errno.EBADF
	}
	if side == driver.Remote {
		return s.remote, nil
	}
	return s.local, nil
}

// Adopt takes a socket that the world holds, by its number in the place of a descriptor.
func (d *simDriver) Adopt(id uintptr) (driver.Sock, error) {
	if id > math.MaxInt32 || int(id)&rowMask >= len(d.w.sockets) {
		return 0, errno.EBADF
	}
	s := d.w.sockets[int(id)&rowMask]
	if s.id != driver.Sock(id) || s.driver != nil || s.kind == free {
		return 0, errno.EBADF
	}
	s.driver = d
	d.open++
	return s.id, nil
}

func (d *simDriver) Release(id driver.Sock) (uintptr, error) {
	s := d.get(id, "release")
	if s == nil {
		return 0, errno.EBADF
	}
	if !s.watched {
		return 0, poll.ErrNotExist
	}
	d.noteOutput(s, 0, true)
	s.driver, s.watched, s.listed = nil, false, false
	d.open--
	return uintptr(id), nil
}

// Notify notes which signals the loop wants. World.Signal sends them.
func (d *simDriver) Notify(set sig.Set, came func(sig.Set)) error {
	d.caught |= set
	d.w.found.Signals = true
	d.came = came
	return nil
}

// Signal sends signals to a loop, if its machines asked for them.
func (w *World) Signal(loop int, set sig.Set) {
	if d := w.drivers[loop]; d.caught&set != 0 {
		d.came(d.caught & set)
	}
}

func (d *simDriver) End() error {
	if d.over {
		d.w.misuse("a second End of the driver")
	}
	d.over = true
	if d.open != 0 {
		d.w.misuse(fmt.Sprintf("the loop has ended and %d of its sockets are open", d.open))
	}
	return nil
}
