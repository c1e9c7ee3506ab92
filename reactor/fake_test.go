package reactor_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/sig"
)

// fake is a Driver whose clock stands still until the test moves it, and whose
// sockets do what the test says. The loop runs on its own goroutine; settle waits
// until it sleeps and nothing is left that would wake it, so that what a test
// sees after it depends on nothing but its own steps.
type fake struct {
	t    testing.TB
	mu   sync.Mutex
	cond *sync.Cond

	now    int64
	events []poll.Event
	woken  bool
	asleep bool
	until  int64
	over   bool
	frozen bool // a loop that sleeps goes on sleeping
	caught sig.Set
	came   func(sig.Set)

	socks  []*fakeSock // by Sock-1
	onDial func(s *fakeSock, to driver.Addr) (driver.Flow, error)
	opened int
	closed int
}

// fakeSock is a stream whose peer is the test.
type fakeSock struct {
	d      *fake
	id     driver.Sock
	data   driver.EventData
	in     [][]byte // one piece a read
	end    bool
	err    error // answers reads and writes, and Finish
	room   int   // bytes that writes still take
	out    []byte
	writes int
	closed bool
	shut   bool
}

func newFake(t testing.TB) *fake {
	d := &fake{t: t, now: int64(time.Hour)} // no test may count on a clock that begins at 0
	d.cond = sync.NewCond(&d.mu)
	return d
}

func (d *fake) Now() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *fake) Wait(dst []poll.Event, until int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.frozen && until != 0 || len(d.events) == 0 && !d.woken && d.now < until {
		d.asleep, d.until = true, until
		d.cond.Broadcast()
		d.cond.Wait()
	}
	d.asleep = false
	d.woken = d.woken && until == 0 // a look does not use the wake up
	n := copy(dst, d.events)
	d.events = d.events[n:]
	return n, nil
}

func (d *fake) Wake() {
	d.mu.Lock()
	d.woken = true
	d.cond.Broadcast()
	d.mu.Unlock()
}

// settle waits until the loop sleeps, or has ended.
func (d *fake) settle() {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	late := time.AfterFunc(10*time.Second, func() { panic("the loop does not come to rest") })
	defer late.Stop()
	for !d.over && !(d.asleep && !d.woken && len(d.events) == 0 && d.now < d.until) {
		d.cond.Wait()
	}
}

// advance moves the clock, and lets the loop do what is due then.
func (d *fake) advance(by time.Duration) {
	d.t.Helper()
	d.settle()
	d.mu.Lock()
	d.now += int64(by)
	d.cond.Broadcast()
	d.mu.Unlock()
	d.settle()
}

// sleepsUntil is when the loop would wake by itself; ok is false for never.
func (d *fake) sleepsUntil() (at time.Duration, ok bool) {
	d.settle()
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(d.until), d.until != math.MaxInt64
}

// atOnce does f with the loop asleep, so that it finds all at once what f sent.
func (d *fake) atOnce(f func()) {
	d.t.Helper()
	d.settle()
	d.mu.Lock()
	d.frozen = true
	d.mu.Unlock()
	f()
	d.do(func() { d.frozen = false })
}

// do changes sockets while the loop does not look at them, and lets it go on.
func (d *fake) do(f func()) {
	d.t.Helper()
	d.mu.Lock()
	f()
	d.cond.Broadcast()
	d.mu.Unlock()
	d.settle()
}

// The signals of the fake driver, by the numbers that Unix gives them. They need not exist on
// this system.
const (
	sigHUP  sig.Set = 1 << 1
	sigKILL sig.Set = 1 << 9
	sigUSR1 sig.Set = 1 << 10
	sigUSR2 sig.Set = 1 << 12
	sigTERM sig.Set = 1 << 15
)

// Notify catches signals 1 to 31 but sigKILL.
func (d *fake) Notify(set sig.Set, came func(sig.Set)) error {
	if bad := set&^(1<<32-2) | set&sigKILL; bad != 0 {
		return fmt.Errorf("signals %v: %w", bad, errUncatchable)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.caught |= set
	d.came = came
	return nil
}

var errUncatchable = errors.New("can't be caught")

// raise delivers signals, one after the other.
func (d *fake) raise(all ...sig.Set) {
	d.t.Helper()
	for _, s := range all {
		d.mu.Lock()
		caught, came := d.caught, d.came
		d.mu.Unlock()
		if caught&s != s {
			d.t.Errorf("signal %v ends the process", s)
			continue
		}
		came(s)
	}
}

func (d *fake) sock() *fakeSock {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.newSock()
}

func (d *fake) newSock() *fakeSock {
	s := &fakeSock{d: d, id: driver.Sock(len(d.socks) + 1), room: math.MaxInt}
	d.socks = append(d.socks, s)
	d.opened++
	return s
}

// event tells the loop of readiness. Only inside do.
func (s *fakeSock) event(r poll.Ready) {
	s.d.events = append(s.d.events, poll.Event{Token: poll.Token(s.data), Ready: r})
}

// sends is input that arrives, each piece for a read of its own.
func (s *fakeSock) sends(pieces ...string) {
	s.d.t.Helper()
	s.d.do(func() {
		for _, p := range pieces {
			s.in = append(s.in, []byte(p))
		}
		s.event(poll.Readable)
	})
}

// takes gives the socket room for n more bytes.
func (s *fakeSock) takes(n int) {
	s.d.t.Helper()
	s.d.do(func() {
		s.room += n
		s.event(poll.Writable)
	})
}

func (s *fakeSock) hangsUp() {
	s.d.t.Helper()
	s.d.do(func() {
		s.end = true
		s.event(poll.Readable | poll.ReadClosed)
	})
}

// got is what the machine wrote since the last look.
func (s *fakeSock) got() string {
	s.d.settle()
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	b := string(s.out)
	s.out = nil
	return b
}

func (s *fakeSock) isClosed() bool {
	s.d.settle()
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	return s.closed
}

// Adopt takes a fakeSock as its descriptor: see fakeConn.
type fakeConn struct{ s *fakeSock }

func (c fakeConn) Close() error                            { return nil }
func (c fakeConn) SyscallConn() (syscall.RawConn, error)   { return c, nil }
func (c fakeConn) Control(f func(uintptr)) error           { f(uintptr(c.s.id)); return nil }
func (c fakeConn) Read(func(uintptr) (done bool)) error    { return errors.ErrUnsupported }
func (c fakeConn) Write(func(uintptr) (done bool)) error   { return errors.ErrUnsupported }
func (d *fake) Adopt(id uintptr) (driver.Sock, error)      { return driver.Sock(id), nil }
func (d *fake) Release(s driver.Sock) (uintptr, error)     { return uintptr(s), d.Close(s) }
func (d *fake) Traits(driver.Sock) driver.Traits           { return 0 }
func (d *fake) Unacked(driver.Sock) bool                   { return false }
func (d *fake) Shutdown(s driver.Sock, _ driver.How) error { return d.with(s, (*fakeSock).shutIt) }
func (d *fake) Close(s driver.Sock) error                  { return d.with(s, (*fakeSock).closeIt) }
func (d *fake) Bind(driver.Addr, driver.SocketOptions) (driver.Sock, error) {
	return 0, errors.ErrUnsupported
}
func (d *fake) Listen(driver.Addr, driver.SocketOptions) (driver.Sock, error) {
	return 0, errors.ErrUnsupported
}
func (d *fake) Accept(driver.Sock) (driver.Sock, driver.Flow, error) {
	return 0, 0, errors.ErrUnsupported
}
func (d *fake) Recv(driver.Sock, []byte) (int, driver.Addr, driver.Flow, error) {
	return 0, driver.Addr{}, 0, errors.ErrUnsupported
}
func (d *fake) Send(driver.Sock, []byte, driver.Addr) (int, driver.Flow, error) {
	return 0, 0, errors.ErrUnsupported
}
func (d *fake) Addr(driver.Sock, driver.Side) (driver.Addr, error) {
	return driver.Addr{}, errors.ErrUnsupported
}

// with reports whoever uses a socket that is closed.
func (d *fake) with(id driver.Sock, f func(*fakeSock) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if id < 1 || int(id) > len(d.socks) || d.socks[id-1].closed {
		d.t.Errorf("the loop uses socket %d, which is not open", id)
		return errors.ErrUnsupported
	}
	return f(d.socks[id-1])
}

func (s *fakeSock) shutIt() error { s.shut = true; return nil }

func (s *fakeSock) closeIt() error {
	s.closed = true
	s.d.closed++
	return nil
}

func (d *fake) Register(s driver.Sock, data driver.EventData) error {
	return d.with(s, func(s *fakeSock) error { s.data = data; return nil })
}

func (d *fake) Connect(to driver.Addr, _ driver.SocketOptions) (driver.Sock, driver.Flow, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.newSock()
	if d.onDial == nil {
		return s.id, 0, nil
	}
	flow, err := d.onDial(s, to)
	if err != nil {
		s.closeIt()
		return 0, 0, err
	}
	return s.id, flow, nil
}

func (d *fake) FinishConnect(id driver.Sock) (flow driver.Flow, err error) {
	d.with(id, func(s *fakeSock) error { err = s.err; return nil })
	return flow, err
}

func (d *fake) Read(id driver.Sock, b []byte) (n int, flow driver.Flow, err error) {
	err = d.with(id, func(s *fakeSock) error {
		switch {
		case s.err != nil:
			flow = driver.BothEnded
			return s.err
		case len(s.in) > 0:
			if n = copy(b, s.in[0]); n == len(s.in[0]) {
				s.in = s.in[1:]
			} else {
				s.in[0] = s.in[0][n:]
			}
		case s.end:
			flow = driver.ReadEnded
		default:
			flow = driver.ReadBlocked
		}
		return nil
	})
	return n, flow, err
}

func (d *fake) Write(id driver.Sock, b []byte) (n int, flow driver.Flow, err error) {
	err = d.with(id, func(s *fakeSock) error {
		if s.err != nil {
			flow = driver.BothEnded
			return s.err
		}
		s.writes++
		n = min(len(b), s.room)
		s.out = append(s.out, b[:n]...)
		s.room -= n
		if n < len(b) {
			flow = driver.WriteBlocked
		}
		return nil
	})
	return n, flow, err
}

func (d *fake) Writev(id driver.Sock, v *driver.Vec) (total int, flow driver.Flow, err error) {
	for _, b := range v.B[:v.N] {
		n, flow, err := d.Write(id, b)
		if total += n; flow != 0 || err != nil {
			return total, flow, err
		}
	}
	return total, 0, nil
}

func (d *fake) End() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opened != d.closed {
		d.t.Errorf("%d sockets were opened and %d closed when the loop ended", d.opened, d.closed)
	}
	d.over = true
	d.cond.Broadcast()
	return nil
}

// start runs a loop over d until the test ends, at which all its machines stop.
func (d *fake) start(cfg reactor.Config) *reactor.Loop {
	d.t.Helper()
	cfg.Driver = d
	return run(d.t, cfg)
}

// run runs a loop until the test ends.
func run(t testing.TB, cfg reactor.Config) *reactor.Loop {
	t.Helper()
	if cfg.Slots == 0 {
		cfg.Slots = 64
	}
	l, err := reactor.NewLoop(cfg)
	if err != nil {
		t.Fatal(err)
	}
	runs(t, l)
	return l
}

// runs runs a loop that there is until the test ends.
func runs(t testing.TB, l *reactor.Loop) {
	ended := make(chan error, 1)
	go func() { ended <- l.Run(context.Background()) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-ended; err != nil && !errors.Is(err, reactor.ErrRunning) {
			t.Errorf("Run: %v", err)
		}
	})
}

// adopt gives a new socket of d's to a new machine, as its port 0.
func adopt[M, Msg any](d *fake, l *reactor.Loop, k *reactor.Kind[M, Msg], m M) (*fakeSock, reactor.Ref[Msg]) {
	d.t.Helper()
	s := d.sock()
	ref, err := k.Adopt(l, fakeConn{s}, m)
	if err != nil {
		d.t.Fatal(err)
	}
	d.settle()
	return s, ref
}

// spawn makes a machine without ports.
func spawn[M, Msg any](t testing.TB, l reactor.Host, k *reactor.Kind[M, Msg], m M) reactor.Ref[Msg] {
	t.Helper()
	ref, err := k.Spawn(l, m)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// beside is a second loop when there are to be two, else the first one.
func beside(d *fake, l *reactor.Loop, loops int) (*fake, *reactor.Loop) {
	if loops == 1 {
		return d, l
	}
	other := newFake(d.t)
	return other, other.start(reactor.Config{})
}

// stats are the loop's counters now.
func stats(t testing.TB, l *reactor.Loop) reactor.Stats {
	t.Helper()
	s, err := l.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ends collects the reasons of the machines that ended, for Options.OnEnd.
type ends struct {
	mu      sync.Mutex
	reasons []error
	more    chan struct{}
}

func newEnds() *ends { return &ends{more: make(chan struct{}, 1<<16)} }

func (e *ends) told(_ reactor.Token, reason error) {
	e.mu.Lock()
	e.reasons = append(e.reasons, reason)
	e.mu.Unlock()
	e.more <- struct{}{}
}

// next waits for the next end and is its reason.
func (e *ends) next(t testing.TB) error {
	t.Helper()
	select {
	case <-e.more:
	case <-time.After(10 * time.Second):
		t.Fatal("no machine ended within 10 s")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	reason := e.reasons[0]
	e.reasons = e.reasons[1:]
	return reason
}

// none tells that nothing ended that next has not answered.
func (e *ends) none(t testing.TB) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.reasons) > 0 {
		t.Fatalf("a machine ended: %v", e.reasons[0])
	}
}

// journal notes what handlers did, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	j.lines = append(j.lines, line)
	j.mu.Unlock()
}

// take is what was noted since the last take, joined.
func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := ""
	for i, line := range j.lines {
		if i > 0 {
			all += " "
		}
		all += line
	}
	j.lines = nil
	return all
}

func (j *journal) want(t testing.TB, want string) {
	t.Helper()
	if got := j.take(); got != want {
		t.Errorf("happened: %q\n   want: %q", got, want)
	}
}
