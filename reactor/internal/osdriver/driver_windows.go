package osdriver

import (
	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// The Driver of Windows, and the calls that do not move bytes: Wait, Register, Shutdown,
// Close. It has sockets of TCP and UDP alone: for pipes, terminals and files there is no
// way to wait.

// descriptor is the handle of a socket.
type descriptor = windows.Handle

const noDescriptor = windows.InvalidHandle

func closeDescriptor(h descriptor) { windows.Closesocket(h) }

// Driver is the operating system's driver.Driver. It sets all sockets to non-blocking
// mode. Its poll.Poller is re-armed after each call that would block.
type Driver struct{ base }

// addSocket sets a socket to non-blocking mode and makes an entry for it.
func (d *Driver) addSocket(h windows.Handle, typ socketType, flags socketFlags) (driver.Sock, error) {
	if err := setBlocking(h, false); err != nil {
		windows.Closesocket(h)
		return 0, err
	}
	return d.add(h, typ, flags)
}

// Register registers a socket for input, and for output if its connection is under way.
// Otherwise the first write that would block adds output.
func (d *Driver) Register(s driver.Sock, data driver.EventData) error {
	e := &d.sockets[s]
	e.data, e.interest = data, poll.Readable|poll.Edge
	if e.flags&connecting != 0 {
		e.interest |= poll.Writable
	}
	return d.poller.Register(int(e.fd), poll.Token(data), e.interest)
}

func (d *Driver) Shutdown(s driver.Sock, how driver.How) error {
	// SD_RECEIVE, SD_SEND and SD_BOTH are 0, 1 and 2: one less than How's bits.
	if err := windows.Shutdown(d.sockets[s].fd, int(how)-1); err != windows.WSAENOTCONN {
		return portableError(err)
	}
	return nil
}

func (d *Driver) Reset(s driver.Sock) error {
	if e := &d.sockets[s]; e.typ == tcpStream {
		windows.SetsockoptLinger(e.fd, windows.SOL_SOCKET, windows.SO_LINGER, &windows.Linger{Onoff: 1})
	}
	return d.Close(s)
}

func (d *Driver) Close(s driver.Sock) error {
	e := d.sockets[s]
	delete(d.keepAlives, s)
	d.drop(s)
	if e.data != 0 {
		d.poller.Remove(int(e.fd))
	}
	return windows.Closesocket(e.fd)
}
