package fuzz

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"sync/atomic"

	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/sig"
)

// driver is the operating system of one loop. Its Wait never waits: the world moves
// the clock, and lets a loop take a turn when there is something for it.
type simDriver struct {
	w     *World
	loop  int
	woken atomic.Bool

	news     []driver.Sock // sockets with an event that was not collected, in order
	extra    []poll.Event  // events that are not true
	ghosts   []poll.Event  // events of sockets that are closed
	stale    uint64        // of those, how many were told
	open     int           // sockets
	armed    armedDriver
	machines []machine // by slot
	dueAt    int64     // no machine's deadline is earlier
	over     bool
	caught   sig.Set
	came     func(sig.Set)
}

var _ driver.Driver = (*simDriver)(nil)

// refused is what a connection attempt that nobody takes ends with.
type refused struct{}

func (refused) Error() string   { return "refused: " + errno.ECONNREFUSED.Error() }
func (refused) Unwrap() []error { return []error{reactor.ErrRefused, errno.ECONNREFUSED} }

// get finds a socket of this driver's, and reports whoever asks for another one.
func (d *simDriver) get(id driver.Sock, what string) *sock {
	if row := int(id) & rowMask; id > 0 && row < len(d.w.socks) {
		s := d.w.socks[row]
		if s.id == id && s.nature != free && s.driver == d {
			return s
		}
		if s.id == id && s.nature != free {
			d.w.fail(oracleContract, "%s of socket %d, which is not this loop's", what, row)
			return nil
		}
		d.w.fail(oracleContract, "%s of socket %d after its close", what, row)
		return nil
	}
	d.w.fail(oracleContract, "%s of socket %d, which never was", what, id)
	return nil
}

func (d *simDriver) Now() int64 { return d.w.now }
func (d *simDriver) Wake()      { d.woken.Store(true) }

// busy tells whether a Wait would find something.
func (d *simDriver) busy() bool {
	return len(d.news) > 0 || len(d.extra) > 0 || len(d.ghosts) > 0 || d.woken.Load()
}

func (d *simDriver) Wait(dst []poll.Event, until int64) (n int, err error) {
	if until != 0 && d.woken.Load() {
		d.woken.Store(false) // a look does not use the wake up
	}
	most := d.armed.few(len(dst))
	if most < min(len(dst), len(d.news)+len(d.extra)+len(d.ghosts)) {
		d.w.strikes(opFew, nil)
	}
	if d.armed.permute(d.news) {
		d.w.strikes(opPermute, nil)
	}
	took := 0
	for ; took < len(d.news) && n < most; took++ {
		s := d.w.socks[int(d.news[took])&rowMask]
		if s.id != d.news[took] || s.driver != d {
			continue // closed since
		}
		s.listed = false
		if r := s.ready(); r != 0 {
			s.starved = s.starved && r&poll.Writable == 0
			dst[n] = poll.Event{Token: poll.Token(s.data), Ready: r}
			n++
		}
	}
	d.news = d.news[:copy(d.news, d.news[took:])]
	k := copy(dst[n:most], d.extra)
	d.w.lies(d.extra[:k])
	d.extra = d.extra[:copy(d.extra, d.extra[k:])]
	n += k
	k = copy(dst[n:most], d.ghosts)
	d.ghosts = d.ghosts[:copy(d.ghosts, d.ghosts[k:])]
	for range k {
		d.w.strikes(opStale, nil)
	}
	n, d.stale = n+k, d.stale+uint64(k)
	if d.w.haunted && n > 0 { // else one would come with a deadline, which it may put off
		n = d.haunt(dst[:most], n)
	}
	for _, ev := range dst[:n] {
		d.w.note(noteEvent, uint64(ev.Token), uint64(ev.Ready))
	}
	d.w.events += uint64(n)
	return n, nil
}

// haunt adds, behind the events that are true, one for each socket that has none.
func (d *simDriver) haunt(dst []poll.Event, n int) int {
	for _, s := range d.w.socks[1:] {
		if s.driver == d && s.watched && s.nature == stream && s.phase == connected && n < len(dst) {
			dst[n] = poll.Event{Token: poll.Token(s.data), Ready: poll.Readable | poll.Writable}
			n++
			if s.ready()&poll.Readable == 0 {
				d.w.say(int(s.conn), "is said to be readable, and is not")
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
		d.w.fail(oracleContract, "register of socket %d, twice", int(id)&rowMask)
		return poll.ErrExist
	}
	s.watched, s.data = true, data
	d.w.own(s)
	if s.ready() != 0 {
		s.tell()
	}
	return nil
}

func (d *simDriver) Traits(id driver.Sock) driver.Traits {
	s := d.get(id, "traits")
	if s == nil {
		return 0
	}
	switch s.nature {
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

func (d *simDriver) Read(id driver.Sock, b []byte) (int, driver.Flow, error) {
	s := d.get(id, "read")
	switch {
	case s == nil:
		return 0, driver.BothEnded, errno.EBADF
	case len(b) == 0:
		return 0, 0, nil
	case s.nature == datagram:
		n, _, flow, err := d.Recv(id, b)
		return n, flow, err
	case s.nature == pipeOut:
		return 0, driver.BothEnded, errno.EPIPE
	case s.phase == unanswered:
		return 0, driver.BothEnded, errno.ENOTCONN
	}
	if d.w.abrupt(s); s.armed.blocksRead() {
		d.w.happens(opBlockRead, s)
		d.w.moved++
		s.tell()
		return 0, driver.ReadBlocked, nil
	}
	short := s.armed.shortRead(len(b))
	if short < len(b) {
		d.w.happens(opShortRead, s)
	}
	n := d.w.read(s, b[:short])
	d.w.noteBytes(noteRead, s, b[:n])
	if n > 0 {
		d.hears(s)
	}
	switch {
	case n == 0:
		return d.readNone(s)
	case n < short || short == len(b) && n < len(b):
		return n, driver.ReadBlocked, nil
	}
	return n, 0, nil
}

// readNone is what a read finds where there are no bytes.
func (d *simDriver) readNone(s *sock) (int, driver.Flow, error) {
	switch {
	case s.broken != nil:
		err := s.broken
		s.broken, s.over = nil, true
		return 0, driver.BothEnded, err
	case s.over || s.ended || s.shutIn:
		return 0, driver.ReadEnded, nil
	}
	return 0, driver.ReadBlocked, nil
}

func (d *simDriver) Write(id driver.Sock, b []byte) (int, driver.Flow, error) {
	s := d.get(id, "write")
	if s == nil {
		return 0, driver.BothEnded, errno.EBADF
	}
	if s.nature == datagram {
		return d.Send(id, b, s.remote)
	}
	d.w.abrupt(s)
	if err := s.writable(); err != nil {
		return 0, driver.BothEnded, err
	}
	if s.armed.blocksWrite() {
		d.w.happens(opBlockWrite, s)
		d.w.moved++
		d.w.starve(s)
		return 0, driver.WriteBlocked, nil
	}
	if s.other == nil { // closed: what is sent there comes back as a reset
		d.w.noteBytes(noteWrite, s, b)
		d.w.reset(s, errno.EPIPE)
		return len(b), 0, nil
	}
	short := s.armed.shortWrite(len(b))
	if short < len(b) {
		d.w.happens(opShortWrite, s)
	}
	n := min(short, s.room())
	if n < short && s.other.window+s.other.queue < window+queue {
		d.w.strikes(opWindow, s)
	}
	if c := d.w.of(s); c != nil {
		c.wrote += n
	}
	d.w.noteBytes(noteWrite, s, b[:n])
	d.w.arrive(s.other, b[:n])
	if n == len(b) {
		return n, 0, nil
	}
	if n > 0 {
		d.w.chat -= min(d.w.chat, 2*breaths-1)
	}
	d.w.starve(s)
	return n, driver.WriteBlocked, nil
}

// starve follows a write that did not take all: when there is room, and be it at
// once, an event tells. Who ended with output that waits for room may never send it.
func (w *World) starve(s *sock) {
	s.starved = true
	if c := w.of(s); c != nil {
		c.ending = cutOff
	}
	if s.room() > 0 {
		s.tell()
	}
}

// writable is why s takes no output.
func (s *sock) writable() error {
	switch {
	case s.phase == unanswered:
		return errno.ENOTCONN
	case s.broken != nil:
		err := s.broken
		s.broken, s.over = nil, true
		return err
	case s.over || s.shutOut || s.nature == pipeIn || s.nature == pipeOut && s.other == nil:
		return errno.EPIPE
	}
	return nil
}

// Writev is how the loop sends what it had to hold.
func (d *simDriver) Writev(id driver.Sock, v *driver.Vec) (total int, flow driver.Flow, err error) {
	for _, b := range v.B[:v.N] {
		var n int
		n, flow, err = d.Write(id, b)
		if total += n; flow != 0 || err != nil {
			break
		}
	}
	if s := d.get(id, "write"); s != nil {
		d.retries(s, total, flow == 0 && err == nil)
	}
	if total > 0 {
		err = nil // the next call tells
	}
	return total, flow, err
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
	if s.nature != stream && s.nature != pipeOut {
		return nil
	}
	if how&driver.ShutWrite != 0 {
		d.w.finish(s)
	}
	if how&driver.ShutRead != 0 && !s.shutIn {
		s.shutIn = true
		s.in.clear()
		s.tell()
	}
	return nil
}

func (d *simDriver) Close(id driver.Sock) error {
	s := d.get(id, "close")
	if s == nil {
		return errno.EBADF
	}
	d.w.note(noteClose, uint64(id), 0)
	d.w.closing(s)
	d.w.shut(s)
	return nil
}

func (d *simDriver) Listen(a driver.Addr, _ driver.SocketOptions) (driver.Sock, error) {
	return d.bind(a, listening)
}

func (d *simDriver) Bind(a driver.Addr, _ driver.SocketOptions) (driver.Sock, error) {
	return d.bind(a, datagram)
}

func (d *simDriver) bind(a driver.Addr, n nature) (driver.Sock, error) {
	if a.Net < driver.Unix && a.IP.Port() == 0 {
		a.IP = netip.AddrPortFrom(a.IP.Addr(), d.w.port())
	}
	if d.w.bound(a, n) != nil {
		return 0, fmt.Errorf("bind %s: %w", a, errno.EADDRINUSE)
	}
	s := d.w.open(n, d)
	s.local = a
	d.w.knows.datagrams = d.w.knows.datagrams || n == datagram
	if n == listening {
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
		d.w.strikes(opAcceptFails, nil)
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
		d.w.knows.datagrams = true
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
	case s.nature == pipeOut && s.other == nil:
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

// Adopt takes a socket of the world's, which has no descriptors.
func (d *simDriver) Adopt(id uintptr) (driver.Sock, error) {
	if id > math.MaxInt32 || int(id)&rowMask >= len(d.w.socks) {
		return 0, errno.EBADF
	}
	s := d.w.socks[int(id)&rowMask]
	if s.id != driver.Sock(id) || s.driver != nil || s.nature == free {
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
	s.driver, s.watched, s.listed = nil, false, false
	d.open--
	return uintptr(id), nil
}

// Notify takes note of who asks: signals are World.Signal's.
func (d *simDriver) Notify(set sig.Set, came func(sig.Set)) error {
	d.caught |= set
	d.w.knows.signals = true
	d.came = came
	return nil
}

// Signal gives signals to a loop: those that a machine of it asked for. It is for
// actions.
func (w *World) Signal(loop int, set sig.Set) {
	if d := w.drivers[loop]; d.caught&set != 0 {
		d.came(d.caught & set)
	}
}

func (d *simDriver) End() error {
	if d.over {
		d.w.fail(oracleContract, "a second End of the driver")
	}
	d.over = true
	if d.open != 0 {
		d.w.fail(oracleContract, "the loop has ended and %d of its sockets are open", d.open)
	}
	return nil
}
