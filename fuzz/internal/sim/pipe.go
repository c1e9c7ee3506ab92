package sim

import (
	"errors"
	"syscall"

	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/driver"

	"github.com/stator-go/stator/reactor"
)

// A pipe has a machine at one end and a peer at the other. The peer has the number of a
// connection that a machine began.

// ReadPipe returns the read end of a new pipe, for a machine to adopt.
func (w *World) ReadPipe() (reactor.Descriptor, error) { return w.pipe(pipeIn, pipeOut) }

// WritePipe returns the write end of a new pipe, for a machine to adopt.
func (w *World) WritePipe() (reactor.Descriptor, error) { return w.pipe(pipeOut, pipeIn) }

func (w *World) pipe(machine, peer socketKind) (reactor.Descriptor, error) {
	c := w.outbound()
	if c == nil {
		return nil, errors.New("fuzz: pipe: no number of Spec.Conns is free")
	}
	s, p := w.pair(nil, nil)
	s.kind, p.kind = machine, peer
	w.setPeer(c, p, s)
	return &descriptor{w, s.id}, nil
}

// descriptor is a socket of the world's that Adopt accepts.
type descriptor struct {
	w  *World
	id driver.Sock
}

func (d *descriptor) socket() *socket {
	if s := d.w.sockets[int(d.id)&rowMask]; s.id == d.id && s.kind != free && s.driver == nil {
		return s
	}
	return nil
}

// Close closes a socket that no machine has adopted.
func (d *descriptor) Close() error {
	if s := d.socket(); s != nil {
		d.w.close(s)
	}
	return nil
}

// SyscallConn gives access to the number by which Adopt knows the socket.
func (d *descriptor) SyscallConn() (syscall.RawConn, error) {
	if d.socket() == nil {
		return nil, errno.EBADF
	}
	return d, nil
}

func (d *descriptor) Control(f func(fd uintptr)) error {
	f(uintptr(d.id))
	return nil
}

func (d *descriptor) Read(func(uintptr) bool) error  { return errno.ENOTSUP }
func (d *descriptor) Write(func(uintptr) bool) error { return errno.ENOTSUP }
