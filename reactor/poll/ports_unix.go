//go:build unix

package poll

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ports is the backend of Solaris and illumos. It waits for event ports in port_getn(3C),
// which blocks a thread.
//
//	ports_unix.go       the backend, independent of the kernel
//	ports_solaris.go    the calls of the kernel, also for illumos
//
// A descriptor's association with a port causes one event. The kernel reports it when the
// descriptor is ready for any of the requested bits, at once if it is ready already, and
// then removes the association. So each event costs one more call to associate the
// descriptor again. The next wait makes it, for all events of the last one: without Edge
// for the whole interest, with Edge for the readiness that was not reported yet or was
// re-armed.
//
// The kernel records the readiness when it begins, so it may have changed when the event
// is fetched. That is harmless with Edge. Without Edge, one call of poll(2) gets the
// current readiness of all descriptors that have events.
//
// The kernel returns a word of user data with each event. It holds the generation of a
// watch, so an event is dropped if it was fetched before its watch was changed, removed
// or replaced.
//
// The file compiles on every Unix, so that tests can run it over a model of event ports.
type ports struct {
	kernel portsKernel
	wakers *wakers

	mu         sync.Mutex
	watches    []portsWatch // by descriptor
	generation uintptr      // of the latest watch
	expired    []int        // descriptors that the next wait associates again
	packetSent bool         // a packet is in the port
	closed     bool

	// Used by wait only.
	events []portEvent
	polled []unix.PollFd
}

// portsWatch is the registration of a descriptor. Its generation is 0 if there is none.
type portsWatch struct {
	token      Token
	generation uintptr
	file       identity
	want       Interest
	reported   Ready // with Edge: readiness that is not to be reported again
	expired    bool  // in ports.expired
}

// portsKernel is the calls of an event port.
type portsKernel interface {
	// create creates the port that the other calls use.
	create() error
	// associate asks for one event, with the given user data, when fd has any of the bits
	// of poll(2). It replaces an earlier association of fd.
	associate(fd, bits int, udata uintptr) error
	// dissociate removes the association of fd, and its event if that was not fetched
	// yet. It returns ENOENT if there is neither.
	dissociate(fd int) error
	// send puts a packet into the port: an event whose user data is 0.
	send() error
	// get stores events and returns their number. It blocks until there is one or the
	// timeout has passed; a negative timeout means no limit. It is called by one
	// goroutine at a time.
	get(events []portEvent, timeout time.Duration) (int, error)
	close() error
}

// portEvent is the part of the kernel's struct port_event that is used.
type portEvent struct {
	fd    int
	bits  int
	udata uintptr
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
	p.endWait()
}

// endWait sends a packet that ends the current wait, or the next one. There is at most one
// packet in the port, which serves all wakes until it is fetched, so the port is never
// full. The caller holds the lock.
func (p *ports) endWait() error {
	if p.packetSent {
		return nil
	}
	err := os.NewSyscallError("port_send", p.kernel.send())
	p.packetSent = err == nil
	return err
}

func (p *ports) addWaker(*Waker) error { return nil }
func (p *ports) removeWaker(*Waker)    {}

func (p *ports) wake(*Waker) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.endWait()
}

func (p *ports) edges() bool { return false }

func (p *ports) register(fd int, t Token, i Interest) error {
	file, err := identify(fd) // a port accepts files, which are always ready
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.find(fd); w != nil && w.file == file {
		return unix.EEXIST
	} // else the watch is of a closed descriptor that had this number
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
	if w.reported&Ready(i&^Edge) == 0 {
		return nil
	}
	w.reported &^= Ready(i &^ Edge)
	if w.expired {
		return nil // the next wait associates it
	}
	return p.associate(fd, w)
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
	if e := p.kernel.dissociate(fd); err == nil && e != unix.ENOENT {
		err = e
	}
	return err
}

// find returns the watch of a descriptor, or nil if there is none.
func (p *ports) find(fd int) *portsWatch {
	if fd >= 0 && fd < len(p.watches) && p.watches[fd].generation != 0 {
		return &p.watches[fd]
	}
	return nil
}

// set makes w, with a new generation, the watch of a descriptor.
func (p *ports) set(fd int, w portsWatch) error {
	if p.generation++; p.generation == 0 {
		p.generation = 1
	}
	w.generation = p.generation
	if err := p.associate(fd, &w); err != nil {
		return err
	}
	for fd >= len(p.watches) {
		p.watches = append(p.watches, portsWatch{})
	}
	p.watches[fd] = w
	return nil
}

// associate asks the kernel for an event of w, unless all of its readiness was reported.
func (p *ports) associate(fd int, w *portsWatch) error {
	bits, ask := w.want.unreported(w.reported)
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
		if err := p.renewExpired(); err != nil {
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

// maxPorts is the number of events that one system call fetches.
const maxPorts = 1024

// renewExpired associates the descriptors again whose associations ended with the events
// of the last wait.
func (p *ports) renewExpired() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	for _, fd := range p.expired {
		w := p.find(fd)
		if w == nil || !w.expired {
			continue
		}
		file, err := identify(fd)
		if err == nil && file == w.file {
			err = p.associate(fd, w)
		}
		switch {
		case err == unix.EBADF || file != w.file:
			*w = portsWatch{} // closed without Remove
		case err != nil:
			return os.NewSyscallError("port_associate", err)
		}
		w.expired = false
	}
	p.expired = p.expired[:0]
	return nil
}

// collect stores the results of port_getn(3C) in dst. They fit, as no more events were
// fetched than dst has room for.
func (p *ports) collect(dst []Event, got []portEvent) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refresh(got)
	woken := false
	for i := range got {
		ev := &got[i]
		if ev.udata == 0 {
			woken = true
			continue
		}
		w := p.watchOf(ev)
		if w == nil {
			continue
		}
		if !w.expired {
			w.expired = true
			p.expired = append(p.expired, ev.fd)
		}
		r := pollReady(ev.bits)
		if r&^w.reported == 0 {
			continue
		}
		if w.want&Edge != 0 {
			w.reported |= r
		}
		dst[n] = Event{w.token, r}
		n++
	}
	if woken {
		n += p.collectWakers(dst[n:])
	}
	return n
}

// watchOf returns the watch of ev, or nil if it was changed or removed.
func (p *ports) watchOf(ev *portEvent) *portsWatch {
	if w := p.find(ev.fd); w != nil && w.generation == ev.udata {
		return w
	}
	return nil
}

// refresh replaces the bits of events without Edge by the current ones.
func (p *ports) refresh(got []portEvent) {
	p.polled = p.polled[:0]
	for i := range got {
		if w := p.watchOf(&got[i]); w != nil && w.want&Edge == 0 {
			bits, _ := w.want.unreported(0)
			p.polled = append(p.polled, pollFd(got[i].fd, bits))
		}
	}
	if len(p.polled) == 0 {
		return
	}
	if _, err := pollFor(p.polled, 0); err != nil {
		return // events that may be out of date are better than none
	}
	next := 0
	for i := range got {
		if w := p.watchOf(&got[i]); w != nil && w.want&Edge == 0 {
			got[i].bits = int(p.polled[next].Revents)
			next++
		}
	}
}

// collectWakers stores the events of pending wakers in dst.
func (p *ports) collectWakers(dst []Event) int {
	p.packetSent = false // first: a wake after this sends a packet again
	n, more := p.wakers.collect(dst)
	if more {
		p.endWait()
	}
	return n
}
