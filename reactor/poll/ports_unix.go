//go:build unix

package poll

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Event ports are what Solaris and illumos wait by, in port_getn(3C). A thread is
// held for as long as it waits.
//
//	ports_unix.go       what is asked of the kernel, and what its answers mean
//	ports_solaris.go    the kernel, of illumos as well
//
// A descriptor's association with the port is for one event: the kernel tells it
// when the descriptor is ready for any of the bits asked for, at once if it is
// already, and forgets the association. So each event costs another call, which
// the next wait makes, for all that the last one told of: it asks again for
// everything with a level, and with Edge for what was not told or was re-armed.
//
// An event is as old as its readiness: what it tells may be over, or have become
// more, by the time it is fetched. That is harmless with Edge. With a level poll(2)
// is asked how things are, once for all events that were fetched.
//
// The kernel hands back a word with each event. It is the generation of a watch,
// so that an event fetched before its watch was changed, removed or replaced, and
// looked at after, is dropped.
//
// It compiles on every Unix, as its tests run it over a model of event ports.
type ports struct {
	kernel portsKernel
	wakers *wakers

	mu         sync.Mutex
	watches    []portsWatch // by descriptor
	generation uintptr      // of the latest watch
	spent      []int        // descriptors whose association the next wait makes anew
	rang       bool         // a packet is in the port
	closed     bool

	// wait's own
	events []portEvent
	polled []unix.PollFd
}

// portsWatch is a descriptor's registration; its generation is 0 when there is
// none.
type portsWatch struct {
	token      Token
	generation uintptr
	file       identity
	want       Interest
	told       Ready // with Edge: what is not to be told again
	spent      bool  // it is in ports.spent
}

// portsKernel are the calls that are made of an event port.
type portsKernel interface {
	// create makes the port that the other calls are for.
	create() error
	// associate asks for one event, with this word, once fd has any of poll(2)'s
	// bits. It replaces what was asked for fd before.
	associate(fd, bits int, word uintptr) error
	// dissociate ends that, and takes back an event that nobody fetched. It answers
	// ENOENT where there is neither.
	dissociate(fd int) error
	// send puts a packet of the user's into the port: an event with word 0.
	send() error
	// get fills events, and waits for the first one until the timeout has passed, if
	// it is not negative. It is called by one goroutine at a time.
	get(events []portEvent, timeout time.Duration) (int, error)
	close() error
}

// portEvent is the kernel's struct port_event, as far as it is of use.
type portEvent struct {
	fd   int
	bits int
	word uintptr
}

func newPortsOver(ws *wakers, kernel portsKernel) (backend, error) {
	if err := kernel.create(); err != nil {
		return nil, err
	}
	return &ports{kernel: kernel, wakers: ws}, nil
}

func (p *ports) close() error { return p.kernel.close() }

func (p *ports) interrupt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.toll()
}

// toll ends the wait under way, or the next one, by a packet. One is enough for
// all who ring before it is fetched, and so a port is never full of them. The lock
// is held.
func (p *ports) toll() error {
	if p.rang {
		return nil
	}
	err := os.NewSyscallError("port_send", p.kernel.send())
	p.rang = err == nil
	return err
}

func (p *ports) watch(*Waker) error { return nil }
func (p *ports) forget(*Waker)      {}

func (p *ports) ring(*Waker) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.toll()
}

func (p *ports) edges() bool { return false }

func (p *ports) register(fd int, t Token, i Interest) error {
	file, err := identify(fd) // a port takes files, which are always ready
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.find(fd); w != nil && w.file == file {
		return unix.EEXIST
	} // else the watch is that of a closed descriptor with this number
	return p.set(fd, portsWatch{token: t, want: i, file: file})
}

func (p *ports) modify(fd int, t Token, i Interest) error {
	file, err := identify(fd)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.find(fd); w == nil || w.file != file {
		return unix.ENOENT
	}
	return p.set(fd, portsWatch{token: t, want: i, file: file})
}

func (p *ports) rearm(fd int, t Token, i Interest) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.find(fd)
	if w == nil {
		return unix.ENOENT
	}
	if w.told&Ready(i&^Edge) == 0 {
		return nil
	}
	w.told &^= Ready(i &^ Edge)
	if w.spent {
		return nil // the next wait asks for it
	}
	return p.ask(fd, w)
}

func (p *ports) remove(fd int) error {
	file, err := identify(fd)
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.find(fd)
	if w == nil {
		if err == nil {
			err = unix.ENOENT
		}
		return err
	}
	if err == nil && w.file != file {
		err = unix.ENOENT
	}
	*w = portsWatch{}
	if gone := p.kernel.dissociate(fd); err == nil && gone != unix.ENOENT {
		err = gone
	}
	return err
}

// find is the watch of a descriptor, or nil.
func (p *ports) find(fd int) *portsWatch {
	if fd >= 0 && fd < len(p.watches) && p.watches[fd].generation != 0 {
		return &p.watches[fd]
	}
	return nil
}

// set makes w, with a generation of its own, the watch of a descriptor.
func (p *ports) set(fd int, w portsWatch) error {
	if p.generation++; p.generation == 0 {
		p.generation = 1
	}
	w.generation = p.generation
	if err := p.ask(fd, &w); err != nil {
		return err
	}
	for fd >= len(p.watches) {
		p.watches = append(p.watches, portsWatch{})
	}
	p.watches[fd] = w
	return nil
}

// ask has the kernel tell of w, if anything is yet to be told.
func (p *ports) ask(fd int, w *portsWatch) error {
	bits, ask := w.want.asks(w.told)
	if !ask {
		return nil
	}
	return p.kernel.associate(fd, bits, w.generation)
}

func (p *ports) wait(dst []Event, timeout time.Duration) (int, error) {
	if want := min(len(dst), maxPorts); want > len(p.events) {
		p.events = make([]portEvent, want)
	}
	begin := time.Now()
	for left := timeout; ; {
		if err := p.renew(); err != nil {
			return 0, err
		}
		got, err := p.kernel.get(p.events[:min(len(dst), len(p.events))], left)
		if err != nil && err != unix.EINTR {
			return 0, os.NewSyscallError("port_getn", err)
		}
		n := p.collect(dst, p.events[:max(got, 0)])
		if n > 0 || timeout == 0 {
			return n, nil
		}
		if timeout > 0 {
			if left = timeout - time.Since(begin); left <= 0 {
				return 0, nil
			}
		}
	}
}

// maxPorts is how many events are fetched at once.
const maxPorts = 1024

// renew makes the associations that the events of the last wait took.
func (p *ports) renew() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	for _, fd := range p.spent {
		w := p.find(fd)
		if w == nil || !w.spent {
			continue
		}
		file, err := identify(fd)
		if err == nil && file == w.file {
			err = p.ask(fd, w)
		}
		switch {
		case err == unix.EBADF || file != w.file:
			*w = portsWatch{} // closed without Remove, as the kernel has noticed
		case err != nil:
			return os.NewSyscallError("port_associate", err)
		}
		w.spent = false
	}
	p.spent = p.spent[:0]
	return nil
}

// collect moves what port_getn(3C) answered to dst. There is room, as there was
// none for more events.
func (p *ports) collect(dst []Event, got []portEvent) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refresh(got)
	rang := false
	for i := range got {
		ev := &got[i]
		if ev.word == 0 {
			rang = true
			continue
		}
		w := p.of(ev)
		if w == nil {
			continue
		}
		if !w.spent {
			w.spent = true
			p.spent = append(p.spent, ev.fd)
		}
		r := pollReady(ev.bits)
		if r&^w.told == 0 {
			continue
		}
		if w.want&Edge != 0 {
			w.told |= r
		}
		dst[n] = Event{w.token, r}
		n++
	}
	if rang {
		n += p.hear(dst[n:])
	}
	return n
}

// of is the watch that ev is for, or nil.
func (p *ports) of(ev *portEvent) *portsWatch {
	if w := p.find(ev.fd); w != nil && w.generation == ev.word {
		return w
	}
	return nil
}

// refresh makes events of a level what poll(2) tells now.
func (p *ports) refresh(got []portEvent) {
	p.polled = p.polled[:0]
	for i := range got {
		if w := p.of(&got[i]); w != nil && w.want&Edge == 0 {
			bits, _ := w.want.asks(0)
			p.polled = append(p.polled, pollFd(got[i].fd, bits))
		}
	}
	if len(p.polled) == 0 {
		return
	}
	if _, err := pollFor(p.polled, 0); err != nil {
		return // old events are better than none
	}
	next := 0
	for i := range got {
		if w := p.of(&got[i]); w != nil && w.want&Edge == 0 {
			got[i].bits = int(p.polled[next].Revents)
			next++
		}
	}
}

// hear is the events of the wakers that sent the packet.
func (p *ports) hear(dst []Event) int {
	p.rang = false // before the wakers are asked: who rings later rings again
	n, more := p.wakers.hear(dst)
	if more {
		p.toll()
	}
	return n
}
