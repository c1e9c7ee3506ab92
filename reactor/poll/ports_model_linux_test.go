package poll

import (
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// The tests of this package run over this one beside the platform's own: the logic
// of ports_unix.go on a model of the kernel below it.
func init() {
	backends = append(backends, opener{"ports (model)", func(ws *wakers) (backend, error) {
		return newPortsOver(ws, new(portsModel))
	}})
}

// portsModel is event ports as their manual pages have them, over descriptors of
// Linux, which poll(2) is asked of. It keeps what tells a port from an epoll: an
// association that is for one event, and replaced by another; an event that is
// queued when it happens, and told though it is none any more; closing, which takes
// both away whatever duplicates there are; and no bit for a peer that ended one
// direction.
//
// What it can't tell is what the sockets of Solaris do: these are Linux's. So what
// passes over it is the logic's, never the platform's.
type portsModel struct {
	changed int // eventfd, which ends a poll(2) under way

	mu      sync.Mutex
	objects map[int]portObject // associations and their events, by descriptor
	order   []int              // descriptors whose event is queued; -1 is the packet

	// get's own
	polled []unix.PollFd
	count  [8]byte
}

// portObject is an association, or once revents is set the event that ended it.
type portObject struct {
	bits    int
	word    uintptr
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

func (m *portsModel) associate(fd, bits int, word uintptr) error {
	file, err := identify(fd)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(fd)
	bits &^= unix.POLLRDHUP
	m.objects[fd] = portObject{bits: bits, word: word, file: file}
	polled := []unix.PollFd{pollFd(fd, bits)}
	unix.Poll(polled, 0)
	m.queue(polled[0])
	return ringEventfd(m.changed)
}

func (m *portsModel) dissociate(fd int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.forget(fd) {
		return unix.ENOENT
	}
	return nil
}

// forget drops a descriptor's association, or its event, and tells whether there
// was one.
func (m *portsModel) forget(fd int) bool {
	_, ok := m.objects[fd]
	delete(m.objects, fd)
	m.order = slices.DeleteFunc(m.order, func(x int) bool { return x == fd })
	return ok
}

// queue makes an event of what poll(2) answered, if anything.
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
	return ringEventfd(m.changed)
}

func (m *portsModel) get(events []portEvent, timeout time.Duration) (int, error) {
	for begin := time.Now(); ; {
		m.look()
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

// look asks poll(2) of all associations, and queues the events that happened.
func (m *portsModel) look() {
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

// fetch takes events from the queue.
func (m *portsModel) fetch(events []portEvent) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n = min(len(events), len(m.order))
	for i, fd := range m.order[:n] {
		events[i] = portEvent{}
		if fd >= 0 {
			o := m.objects[fd]
			events[i] = portEvent{fd, o.revents, o.word}
			delete(m.objects, fd)
		}
	}
	m.order = slices.Delete(m.order, 0, n)
	return n
}
