package sim

import (
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/driver"
)

// Reads and writes of a loop: the calls that faults change.

func (d *simDriver) Read(id driver.Sock, b []byte) (int, driver.Flow, error) {
	s := d.get(id, "read")
	switch {
	case s == nil:
		return 0, driver.BothEnded, errno.EBADF
	case len(b) == 0:
		return 0, 0, nil
	case s.kind == datagram:
		n, _, flow, err := d.Recv(id, b)
		return n, flow, err
	case s.kind == pipeOut:
		return 0, driver.BothEnded, errno.EPIPE
	case s.phase == unanswered:
		return 0, driver.BothEnded, errno.ENOTCONN
	}
	if d.w.actAbruptly(s); countDown(&s.armed.readBlocks) {
		d.w.met(trace.BlockRead, s)
		d.w.moved++
		s.last, s.unsure = lastWords{}, true
		s.notify()
		return 0, driver.ReadBlocked, nil
	}
	short := s.armed.readLimit(len(b))
	if short < len(b) {
		d.w.met(trace.ShortRead, s)
	}
	n := d.w.read(s, b[:short])
	d.machineReads(s, b[:n])
	s.last.took(n)
	s.unsure = false
	switch {
	case n == 0:
		return d.readNone(s)
	case n < short || short == len(b) && n < len(b):
		return n, driver.ReadBlocked, nil
	}
	return n, 0, nil
}

// readNone returns the result of a read that finds no bytes.
func (d *simDriver) readNone(s *socket) (int, driver.Flow, error) {
	switch {
	case s.broken != nil:
		return 0, driver.BothEnded, s.breaks()
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
	if s.kind == datagram {
		return d.Send(id, b, s.remote)
	}
	d.w.actAbruptly(s)
	if err := s.writable(); err != nil {
		return 0, driver.BothEnded, err
	}
	if countDown(&s.armed.writeBlocks) {
		d.w.met(trace.BlockWrite, s)
		d.w.moved++
		d.w.awaitRoom(s)
		return 0, driver.WriteBlocked, nil
	}
	if s.other == nil { // closed: what is sent there comes back as a reset
		d.machineWrites(s, b)
		d.w.reset(s, errno.EPIPE)
		return len(b), 0, nil
	}
	short := s.armed.writeLimit(len(b))
	if short < len(b) {
		d.w.met(trace.ShortWrite, s)
	}
	n := min(short, s.room())
	if n < short && s.other.window+s.other.queue < window+queue {
		d.w.struck(trace.Window, s)
		if s.other.cut++; s.other.cut == mostCut {
			s.other.window, s.other.queue = window, queue
		}
	}
	if c := d.w.connOf(s); c != nil {
		c.wrote += n
	}
	d.machineWrites(s, b[:n])
	d.w.arrive(s.other, b[:n])
	if n == len(b) {
		return n, 0, nil
	}
	if n > 0 {
		d.w.chatter -= min(d.w.chatter, 2*chatterUnit-1)
	}
	d.w.awaitRoom(s)
	return n, driver.WriteBlocked, nil
}

// mostCut is how many writes a small window cuts. Many megabytes would take a long time
// through a window of a few bytes, and show no more.
const mostCut = 1 << 16

// awaitRoom follows a write that did not take all: an event is due as soon as there is
// room. A machine that ends with output that waits for room may never send it.
func (w *World) awaitRoom(s *socket) {
	s.awaitsRoom = true
	if c := w.connOf(s); c != nil {
		c.ending = CutOff
	}
	s.tellOfRoom()
}

// writable returns why s takes no output, or nil if it does.
func (s *socket) writable() error {
	switch {
	case s.phase == unanswered:
		return errno.ENOTCONN
	case s.broken != nil:
		return s.breaks()
	case s.over || s.shutOut || s.kind == pipeIn || s.kind == pipeOut && s.other == nil:
		return errno.EPIPE
	}
	return nil
}

// Writev sends output that the loop held back.
func (d *simDriver) Writev(id driver.Sock, v *driver.Vec) (total int, flow driver.Flow, err error) {
	for _, b := range v.B[:v.N] {
		var n int
		n, flow, err = d.Write(id, b)
		if total += n; flow != 0 || err != nil {
			break
		}
	}
	if s := d.get(id, "write"); s != nil {
		d.noteOutput(s, total, flow == 0 && err == nil)
	}
	if total > 0 {
		err = nil // the next call returns it
	}
	return total, flow, err
}

// noteOutput records how far output that the loop held got: all of it, also if its port
// closes, or if a reset has dropped it.
func (d *simDriver) noteOutput(s *socket, moved int, all bool) {
	m := s.machine()
	if m == nil {
		return
	}
	since := &m.Stuck[s.data.Port()]
	switch {
	case all || s.why != nil:
		*since = 0
	case moved > 0 || *since == 0:
		*since = d.w.now
		if d.w.wants(Stuck) {
			o := d.w.observation(Stuck)
			o.Machine = m
			d.w.emit(o)
		}
	}
}

// machineReads notes what a machine reads.
func (d *simDriver) machineReads(s *socket, b []byte) {
	d.w.note(noteRead, uint64(s.id), uint64(len(b)))
	if len(b) == 0 {
		return
	}
	if s.conn >= 0 {
		d.w.observeEnd(MachineReads, s, b)
	}
	d.heard(s)
}

// heard notes that a machine got bytes.
func (d *simDriver) heard(s *socket) {
	if m := s.machine(); m != nil {
		m.Heard = d.w.now
	}
}

// machineWrites notes what a machine writes.
func (d *simDriver) machineWrites(s *socket, b []byte) {
	d.w.noteBytes(noteWrite, s, b)
	if len(b) > 0 && s.conn >= 0 {
		d.w.observeEnd(MachineWrites, s, b)
	}
}
