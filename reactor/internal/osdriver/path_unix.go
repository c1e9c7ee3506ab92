//go:build unix

package osdriver

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
)

// The paths of unix sockets that this driver bound. A path is removed together with its
// socket, so that another one can be bound there, but only if it is still this socket's: a
// successor may have taken the path over.

// boundPath is the path that bind(2) made. The zero value is no path.
type boundPath struct {
	path string      // absolute: the process may change its directory
	file os.FileInfo // what bind(2) made; its inode is not used again while the socket is open
}

// boundPathOf returns the path of a socket that was just bound to an address.
func boundPathOf(a driver.Addr) boundPath {
	if a.Net < driver.Unix || a.Path == "" || a.Path[0] == '@' {
		return boundPath{}
	}
	path, err := filepath.Abs(a.Path)
	if err != nil {
		return boundPath{}
	}
	file, err := os.Lstat(path)
	if err != nil || file.Mode()&os.ModeSocket == 0 {
		return boundPath{}
	}
	return boundPath{path, file}
}

// unlink removes the path, if it is still that of the socket.
func (b boundPath) unlink() {
	if b.file == nil {
		return
	}
	if now, err := os.Lstat(b.path); err == nil && os.SameFile(now, b.file) {
		unix.Unlink(b.path)
	}
}

// addBound is add, for a socket that was just bound to an address.
func (d *Driver) addBound(fd int, typ socketType, flags socketFlags, a driver.Addr) (driver.Sock, error) {
	path := boundPathOf(a)
	s, err := d.add(descriptor(fd), typ, flags)
	switch {
	case err != nil:
		path.unlink()
	case path.file != nil:
		if d.paths == nil {
			d.paths = map[driver.Sock]boundPath{}
		}
		d.paths[s] = path
	}
	return s, err
}
