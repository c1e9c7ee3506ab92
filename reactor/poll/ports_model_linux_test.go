package poll

import (
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// init adds a backend to those of the platform, so that all tests also run with it: the code
// of ports_unix.go over a model of the kernel.
func init() {
	backends = append(backends, opener{"ports (model)", func(ws *wakers) (backend, error) {
		return newPortsOver(ws, new(portsModel))
	}})
}

// portsModel implements event ports, as their manual pages describe them, with poll(2) over
// descriptors of Linux. It models the differences between a port and an epoll:
//
//   - an association is for one event, and a new one replaces it;
//   - an event is queued when it happens, and returned even if it is over;
//   - closing a descriptor removes both, even if it has duplicates;
//   - there is no bit for a peer that closed one direction.
//
// The sockets are those of Linux, so a test over the model says nothing about the sockets
// of Solaris.
type portsModel struct {
	changed int // eventfd that ends the current poll(2)

	mu      sync.Mutex
	objects map[int]portObject // associations and their events, by descriptor
	order   []int              // descriptors whose event is queued; -1 is the packet

	// Used by get only.
	polled []unix.PollFd
	count  [8]byte
}

// portObject is an association or, if revents is not 0, the event that ended it.
type portObject struct {
	bits    int
	udata   uintptr
	file    identity
	revents int
}

func (m *portsModel) create() (err error) {
	m.objects = make(map[int]portObject)
	if m.changed, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	return nil
}

func (m *portsModel) close() error { return unix.Close(m.changed) }

func (m *portsModel) associate(fd, bits int, udata uintptr) error {
	file, err := identify(fd)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(fd)
	bits &^= unix.POLLRDHUP
	m.objects[fd] = portObject{bits: bits, udata: udata, file: file}
	polled := []unix.PollFd{pollFd(fd, bits)}
	unix.Poll(polled, 0)
	m.queue(polled[0])
	return signalEventfd(m.changed)
}

func (m *portsModel) dissociate(fd int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.forget(fd) {
		return unix.ENOENT
	}
	return nil
}

// forget drops the association of a descriptor, or its event, and reports whether there was
// one.
func (m *portsModel) forget(fd int) bool {
	_, ok := m.objects[fd]
	delete(m.objects, fd)
	m.order = slices.DeleteFunc(m.order, func(x int) bool { return x == fd })
	return ok
}

// queue adds the event of a result of poll(2), if there is one.
func (m *portsModel) queue(polled unix.PollFd) {
	if polled.Revents == 0 {
		return
	}
	fd := int(polled.Fd)
	o := m.objects[fd]
	o.revents = int(polled.Revents)
	m.objects[fd] = o
	m.order = append(m.order, fd)
}

func (m *portsModel) send() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.order = append(m.order, -1)
	return signalEventfd(m.changed)
}

func (m *portsModel) get(events []portEvent, timeout time.Duration) (int, error) {
	for begin := time.Now(); ; {
		m.pollAll()
		if n := m.fetch(events); n > 0 {
			return n, nil
		}
		left := timeout
		if timeout >= 0 {
			if left -= time.Since(begin); left <= 0 {
				return 0, nil
			}
		}
		if _, err := pollFor(m.polled, left); err != nil {
			return 0, err
		}
		unix.Read(m.changed, m.count[:])
	}
}

// pollAll calls poll(2) for all associations and queues their events.
func (m *portsModel) pollAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.polled = append(m.polled[:0], pollFd(m.changed, unix.POLLIN))
	for fd, o := range m.objects {
		if file, err := identify(fd); err != nil || file != o.file {
			m.forget(fd) // closed
			continue
		}
		if o.revents == 0 {
			m.polled = append(m.polled, pollFd(fd, o.bits))
		}
	}
	unix.Poll(m.polled, 0)
	for _, polled := range m.polled[1:] {
		m.queue(polled)
	}
}

// fetch moves events from the queue to events.
func (m *portsModel) fetch(events []portEvent) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n = min(len(events), len(m.order))
	for i, fd := range m.order[:n] {
		events[i] = portEvent{}
		if fd >= 0 {
			o := m.objects[fd]
			events[i] = portEvent{fd, o.revents, o.udata}
			delete(m.objects, fd)
		}
	}
	m.order = slices.Delete(m.order, 0, n)
	return n
}
