package fuzz

import (
	"errors"
	"syscall"

	"github.com/stator-go/stator/internal/errno"

	"github.com/stator-go/stator/reactor"
)

// Pipes: a machine has one end, a peer the other, with the number of a connection
// that a machine began.

// ReadPipe is the read end of a new pipe, to be adopted by a machine; a peer writes
// to the other one.
func (w *World) ReadPipe() (reactor.Descriptor, error) { return w.pipe(pipeIn, pipeOut) }

// WritePipe is the write end of a new pipe, to be adopted by a machine; a peer reads
// from the other one.
func (w *World) WritePipe() (reactor.Descriptor, error) { return w.pipe(pipeOut, pipeIn) }

func (w *World) pipe(machine, peer nature) (reactor.Descriptor, error) {
	c := w.outbound()
	if c == nil {
		return nil, errors.New("fuzz: pipe: no number of Spec.Conns is free")
	}
	s, p := w.pair(nil, nil)
	s.nature, p.nature = machine, peer
	w.take(c, p, s)
	return &descriptor{w, s.id}, nil
}

// descriptor is a socket of the world's that Adopt takes.
type descriptor struct {
	w  *World
	id reactor.Sock
}

func (d *descriptor) sock() *sock {
	if s := d.w.socks[int(d.id)&rowMask]; s.id == d.id && s.nature != free && s.driver == nil {
		return s
	}
	return nil
}

// Close closes what nobody has adopted.
func (d *descriptor) Close() error {
	if s := d.sock(); s != nil {
		d.w.shut(s)
	}
	return nil
}

// SyscallConn lends the number that Adopt knows the socket by.
func (d *descriptor) SyscallConn() (syscall.RawConn, error) {
	if d.sock() == nil {
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
