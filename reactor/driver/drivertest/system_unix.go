//go:build unix

package drivertest

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// add makes fd nonblocking and close-on-exec, and returns a File for it.
func (m *machine) add(fd int) (File, error) {
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return 0, err
	}
	return m.put(&file{fd: fd}), nil
}

// Interrupt sends SIGURG to each thread; the runtime ignores it, as it uses that signal itself.
func (m *machine) Interrupt() error { return interruptThreads() }

func (m *machine) CloseAll() error {
	m.calls.Wait()
	for _, f := range m.files {
		if !f.closed && !f.borrowed {
			unix.Close(f.fd)
		}
	}
	return m.p.Close()
}

// blocked converts the error of an operation. If the operation would have blocked, it
// re-arms the direction.
func (m *machine) blocked(h File, dir poll.Interest, err error) error {
	if err != unix.EAGAIN {
		return err
	}
	return m.wouldBlock(h, dir)
}

// retry repeats a system call that was interrupted by a signal.
func retry(f func() (int, error)) (int, error) {
	for {
		if n, err := f(); err != unix.EINTR {
			return n, err
		}
	}
}

func (m *machine) Read(h File, b []byte) (int, error) {
	f := m.get(h)
	n, err := retry(func() (int, error) { return unix.Read(f.fd, b) })
	if err != nil {
		return 0, m.blocked(h, poll.Readable, err)
	}
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (m *machine) Write(h File, b []byte) (int, error) {
	f := m.get(h)
	n, err := retry(func() (int, error) { return unix.Write(f.fd, b) })
	if err != nil {
		return 0, m.blocked(h, poll.Writable, err)
	}
	return n, nil
}

func (m *machine) RecvFrom(h File, b []byte) (n int, from string, err error) {
	f := m.get(h)
	var sa unix.Sockaddr
	n, err = retry(func() (n int, err error) {
		n, sa, err = unix.Recvfrom(f.fd, b, 0)
		return
	})
	if err != nil {
		return 0, "", m.blocked(h, poll.Readable, err)
	}
	return n, addrOf(sa), nil
}

func (m *machine) SendTo(h File, b []byte, to string) (int, error) {
	f := m.get(h)
	_, sa, err := sockaddr(datagramNetwork(to), to)
	if err != nil {
		return 0, err
	}
	_, err = retry(func() (int, error) { return 0, unix.Sendto(f.fd, b, 0, sa) })
	if err != nil {
		return 0, m.blocked(h, poll.Writable, err)
	}
	return len(b), nil
}

func (m *machine) Shutdown(h File, how driver.How) error {
	if how == driver.ShutRead {
		return unix.Shutdown(m.get(h).fd, unix.SHUT_RD)
	}
	return unix.Shutdown(m.get(h).fd, unix.SHUT_WR)
}

func (m *machine) Reset(h File) error {
	err := unix.SetsockoptLinger(m.get(h).fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	return errors.Join(err, m.Close(h))
}

func (m *machine) Close(h File) error {
	f := m.get(h)
	if f.closed {
		return unix.EBADF
	}
	f.closed = true
	return unix.Close(f.fd)
}

func (m *machine) Number(h File) (int, error) { return m.get(h).fd, nil }

func (m *machine) Pipe() (r, w File, err error) {
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		return 0, 0, err
	}
	return m.addTwo(fds)
}

func (m *machine) Open(path string) (File, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	return m.put(&file{fd: fd}), nil
}

func (m *machine) Dup(h File) (File, error) {
	f := m.get(h)
	fd, err := unix.Dup(f.fd)
	if err != nil {
		return 0, err
	}
	return m.add(fd)
}

func (m *machine) Adopt(c syscall.Conn) (File, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	number := -1
	if err := raw.Control(func(fd uintptr) { number = int(fd) }); err != nil {
		return 0, err
	}
	return m.put(&file{fd: number, borrowed: true}), nil
}

func (m *machine) Release(h File) error {
	m.get(h).closed = true
	return nil
}

func (m *machine) Child(stdin, stdout File) (wait func() error, err error) {
	in, out := m.get(stdin), m.get(stdout)
	for _, f := range []*file{in, out} {
		f.closed = true // the files below own them
		if err := unix.SetNonblock(f.fd, false); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command("cat")
	i, o := os.NewFile(uintptr(in.fd), "stdin"), os.NewFile(uintptr(out.fd), "stdout")
	defer i.Close()
	defer o.Close()
	cmd.Stdin, cmd.Stdout = i, o
	return cmd.Wait, cmd.Start()
}
