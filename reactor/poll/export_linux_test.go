package poll

import "golang.org/x/sys/unix"

// init adds a variant of a backend, so that all tests also run with it.
func init() {
	backends = append(backends, opener{"epoll without eventfd", func(ws *wakers) (backend, error) {
		return newEpollWith(ws, func(uint, int) (int, error) { return -1, unix.ENOSYS })
	}})
}

// KeepArmed arms p's middle epoll without p's knowledge, so that it stays armed. It reports
// whether p has one.
func KeepArmed(p *Poller) bool {
	e, ok := p.b.(*epoll)
	if ok {
		e.arm(unix.EPOLLIN)
		e.armed = false
	}
	return ok
}
