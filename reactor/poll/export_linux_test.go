package poll

import "golang.org/x/sys/unix"

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
