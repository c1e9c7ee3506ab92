package poll

import "golang.org/x/sys/unix"

// The tests of this package run over this one, too.
func init() {
	backends = append(backends, opener{"epoll without eventfd", func(ws *wakers) (backend, error) {
		return newEpollWith(ws, func(uint, int) (int, error) { return -1, unix.ENOSYS })
	}})
}

// LetThrough arms p's middle epoll for good, behind p's back, and tells whether
// it has one.
func LetThrough(p *Poller) bool {
	e, ok := p.b.(*epoll)
	if ok {
		e.arm(unix.EPOLLIN)
		e.armed = false
	}
	return ok
}
