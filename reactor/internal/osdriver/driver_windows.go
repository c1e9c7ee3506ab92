package osdriver

import (
	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// descriptor is a socket's handle.
type descriptor = windows.Handle

const noDescriptor = windows.InvalidHandle

func closeDescriptor(h descriptor) { windows.Closesocket(h) }

// osDriver is the operating system's Driver: Winsock has an event for whatever is
// refused, and its calls need no memory.
type Driver struct{ base }

func (d *Driver) Wait(dst []poll.Event, until int64) (int, error) { return d.pollUntil(dst, until) }

// addSocket gives a socket that does not block yet a row.
func (d *Driver) addSocket(h windows.Handle, n socketType, flags socketFlags) (driver.Sock, error) {
	if err := setBlocking(h, false); err != nil {
		windows.Closesocket(h)
		return 0, err
	}
	return d.add(h, n, flags)
}

// Register asks for input. Output is asked for by whoever waits for it: a connection
// that is on its way, and the first call that would block.
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

func (d *Driver) Close(s driver.Sock) error {
	e := d.sockets[s]
	d.drop(s)
	if e.data != 0 {
		d.poller.Remove(int(e.fd))
	}
	return windows.Closesocket(e.fd)
}
