package planted

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

// Memory is a room without a simulator: a loop over connections that are slices of
// bytes. All bytes of a peer can be read as soon as they are sent, writes take
// everything, readiness is true, and nothing fails. Its clock moves only by Advance. It
// records as a fault what a driver can see: sockets used after their close, sockets left
// open, and loops that never rest; and machines that panic. It must not be used by
// several goroutines at once.
type Memory struct {
	drv  *memDriver
	loop *reactor.Loop
	step interface {
		Turn() bool
		Until() int64
		Stop()
	}
	fault string
}

// NewMemory returns a room with one loop, in which wire has set up a server.
func NewMemory(wire func(Room) error) (*Memory, error) {
	m := &Memory{}
	m.drv = &memDriver{m: m, now: int64(time.Hour)}
	var err error
	if m.loop, err = reactor.NewLoop(reactor.Config{Driver: m.drv, Observer: m, Slots: 64}); err != nil {
		return nil, err
	}
	if m.step, err = m.loop.Stepper(); err != nil {
		return nil, err
	}
	return m, wire(m)
}

// Loop returns the only loop, for every number.
func (m *Memory) Loop(int) *reactor.Loop { return m.loop }

// Bare replaces the production loop by a hand-written one.
func (m *Memory) Bare(_ int, loop func(driver.Driver) fuzz.BareLoop) {
	for m.step.Stop(); !m.drv.over; {
		m.step.Turn()
	}
	m.drv = &memDriver{m: m, now: m.drv.now}
	m.step = loop(m.drv)
}

// Moved ignores transitions.
func (m *Memory) Moved(reactor.Token, reactor.AnyKind, reactor.State, reactor.State) {}

// Ended records a machine that ended by its own fault.
func (m *Memory) Ended(_ reactor.Token, k reactor.AnyKind, reason error) {
	if f := ownFault(reason); f != "" {
		m.fail("%s: %s", k.Name(), f)
	}
}

func (m *Memory) fail(format string, args ...any) {
	if m.fault == "" {
		m.fault = fmt.Sprintf(format, args...)
	}
}

// Fault returns the first fault, or an empty string.
func (m *Memory) Fault() string { return m.fault }

// Settle runs the loop until it rests. It is a fault if the loop panics or never rests.
func (m *Memory) Settle() {
	defer m.caught()
	for idle := 0; !m.drv.over && m.fault == "" && (m.drv.busy() || m.step.Until() <= m.drv.now); idle++ {
		moved := m.drv.moved
		if m.step.Turn(); m.drv.moved != moved {
			idle = 0
		}
		if idle > 2000 {
			m.fail("the loop does not come to rest")
		}
	}
}

func (m *Memory) caught() {
	if v := recover(); v != nil {
		m.fail("the loop panicked: %v", v)
		m.drv.over = true
	}
}

// Advance moves the clock, and runs the loop at each deadline on the way.
func (m *Memory) Advance(by time.Duration) {
	to := m.drv.now + int64(by)
	for m.Settle(); m.fault == "" && !m.drv.over; m.Settle() {
		at := m.step.Until()
		if at > to {
			break
		}
		m.drv.now = max(m.drv.now, at)
	}
	m.drv.now = to
}

// End stops the loop, and records what it left open as a fault.
func (m *Memory) End() {
	defer m.caught()
	m.step.Stop()
	for turns := 0; turns < 1000 && !m.drv.over; turns++ {
		m.step.Turn()
	}
	if !m.drv.over {
		m.fail("the loop was stopped and has not ended")
	}
}

// Peer is the far end of a connection.
type Peer struct {
	m        *Memory
	end      driver.Sock // of the server
	sent     []byte
	finished bool
}

// Dial connects a new peer to the first listener. Without one, the peer finds its connection
// closed.
func (m *Memory) Dial() *Peer {
	p := &Peer{m: m}
	for i := range m.drv.rows {
		if l := &m.drv.rows[i]; l.listening && !l.closed {
			p.end = m.drv.open(memSock{peer: p})
			l = &m.drv.rows[i]
			l.backlog = append(l.backlog, p.end)
			l.news = true
			break
		}
	}
	if p.end == 0 {
		p.end = m.drv.open(memSock{peer: p, closed: true})
	}
	m.Settle()
	return p
}

// Send sends bytes in one piece.
func (p *Peer) Send(b []byte) {
	s := p.m.drv.at(p.end)
	if p.finished || s.closed {
		return
	}
	p.sent = append(p.sent, b...)
	s.in = append(s.in, b...)
	s.news = true
	p.m.Settle()
}

// Finish ends the peer's direction: the server reads io.EOF behind what was sent.
func (p *Peer) Finish() {
	p.finished = true
	s := p.m.drv.at(p.end)
	s.ended, s.news = true, true
	p.m.Settle()
}

// Close closes the peer in both directions, with a reset.
func (p *Peer) Close() {
	p.finished = true
	s := p.m.drv.at(p.end)
	s.ended, s.reset, s.news = true, true, true
	p.m.Settle()
}

// Open reports whether the server has both directions of its end open.
func (p *Peer) Open() bool {
	s := p.m.drv.at(p.end)
	return !s.closed && !s.shutOut && !s.reset
}

// Gone reports whether the server has closed its end.
func (p *Peer) Gone() bool { return p.m.drv.at(p.end).closed }

// Sent returns what the peer has sent.
func (p *Peer) Sent() []byte { return p.sent }

// Got returns what the server has sent back.
func (p *Peer) Got() []byte { return p.m.drv.at(p.end).out }

// patience is how long a server may keep its end open after its peer has finished.
const patience = 2 * time.Hour

// Feed sends these bytes to the server over one connection, and then the end. It returns
// what is wrong, or an empty string: a fault, output that differs from the model's, or a
// connection that stays open.
func (s *Server) Feed(wire func(Room) error, in []byte) string {
	m, err := NewMemory(wire)
	if err != nil {
		return err.Error()
	}
	defer m.End()
	p := m.Dial()
	p.Send(in)
	if text := s.look(m, p); text != "" {
		return text
	}
	p.Finish()
	m.Advance(patience)
	if text := s.look(m, p); text != "" {
		return text
	}
	if !p.Gone() && m.Fault() == "" {
		return "the peer has ended, and the server keeps its end open"
	}
	m.End()
	return m.Fault()
}

// look checks one connection of a room at rest.
func (s *Server) look(m *Memory, p *Peer) string {
	if f := m.Fault(); f != "" {
		return f
	}
	return s.Judge(p.Sent(), p.Got(), p.Open())
}
