package reactor

import (
	"net/netip"
	"sync"

	"github.com/stator-go/stator/reactor/driver"
)

// Calls of the driver with a buffer of the caller's, which may lie on its stack. The
// operating system's driver is called by its concrete type, so that the buffer does not
// escape to the heap. For any other driver, an interface, the bytes are copied through a
// buffer of the loop.

const scratchSize = 64 << 10

// scratches has buffers of loops that have ended. They are large for loops that live for a
// millisecond, as in a simulation.
var scratches = sync.Pool{New: func() any { return new([scratchSize]byte) }}

func takeScratch() []byte { return scratches.Get().(*[scratchSize]byte)[:] }

func giveScratch(b []byte) {
	if b != nil {
		scratches.Put((*[scratchSize]byte)(b[:scratchSize]))
	}
}

// scratch are a loop's own buffers for calls of its driver, made at their first use.
type scratch struct {
	copied  []byte // for drivers behind the interface
	relayed []byte // for Copy
	vec     driver.Vec
}

// lend returns the buffer that bytes are copied through, for one call.
func (s *scratch) lend(n int) []byte {
	if s.copied == nil {
		s.copied = takeScratch()
	}
	return s.copied[:min(n, len(s.copied))]
}

// relay returns n bytes of the buffer that Copy uses. It is not the one that a write
// through the interface is copied through.
func (s *scratch) relay(n int) []byte {
	if s.relayed == nil {
		s.relayed = takeScratch()
	}
	return s.relayed[:n]
}

func (l *Loop) read(s driver.Sock, b []byte) (int, driver.Flow, error) {
	if l.os != nil {
		return l.os.Read(s, b)
	}
	in := l.scratch.lend(len(b))
	n, flow, err := l.drv.Read(s, in)
	copy(b, in[:n])
	return n, flow, err
}

func (l *Loop) write(s driver.Sock, b []byte) (int, driver.Flow, error) {
	if l.os != nil {
		return l.os.Write(s, b)
	}
	out := l.scratch.lend(len(b))
	return l.drv.Write(s, out[:copy(out, b)])
}

func (l *Loop) recv(s driver.Sock, b []byte) (int, netip.AddrPort, driver.Flow, error) {
	if l.os != nil {
		n, from, flow, err := l.os.Recv(s, b)
		return n, from.IP, flow, err
	}
	in := l.scratch.lend(len(b))
	n, from, flow, err := l.drv.Recv(s, in)
	copy(b, in[:n])
	return n, from.IP, flow, err
}

func (l *Loop) sendTo(s driver.Sock, b []byte, to netip.AddrPort) (int, driver.Flow, error) {
	a := driver.Addr{Net: driver.UDP, IP: to}
	if l.os != nil {
		return l.os.Send(s, b, a)
	}
	out := l.scratch.lend(len(b))
	return l.drv.Send(s, out[:copy(out, b)], a)
}
