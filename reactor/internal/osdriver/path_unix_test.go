//go:build unix

package osdriver

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
)

// boundSockets opens a socket of each unix network at a path, one after the other, and
// calls f with it. Each of them has to find the path free.
func boundSockets(t *testing.T, path string, f func(network string, d *Driver, s driver.Sock)) {
	t.Helper()
	d := testDriver(t)
	for _, n := range []struct {
		name string
		net  driver.Net
		open func(driver.Addr, driver.SocketOptions) (driver.Sock, error)
	}{{"unix", driver.Unix, d.Listen}, {"unixpacket", driver.UnixPacket, d.Listen}, {"unixgram", driver.Unixgram, d.Bind}} {
		s, err := n.open(driver.Addr{Net: n.net, Path: path}, driver.SocketOptions{})
		if n.net == driver.UnixPacket && err != nil {
			t.Log(err)
			continue // not every system has them
		}
		if err != nil {
			t.Fatalf("%s: %v", n.name, err)
		}
		f(n.name, d, s)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// The path of a unix socket goes with the socket, so that the next one can have it.
func TestPathGoesWithItsSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for range 2 {
		boundSockets(t, path, func(network string, d *Driver, s driver.Sock) {
			if err := d.Close(s); err != nil || exists(path) {
				t.Errorf("%s: closed: %v: the path is there: %v", network, err, exists(path))
			}
			os.Remove(path)
		})
	}
}

// A successor that has taken the path over, by Remove or by Rename, keeps it.
func TestSuccessorKeepsItsPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for _, takeOver := range []func() error{
		func() error { return os.Remove(path) },
		func() error { return os.Rename(path, path+".old") },
	} {
		boundSockets(t, path, func(network string, d *Driver, s driver.Sock) {
			if err := takeOver(); err != nil {
				t.Fatal(err)
			}
			successor, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer successor.Close()
			d.Close(s)
			if c, err := net.Dial("unix", path); err != nil {
				t.Errorf("%s: the successor is not reached: %v", network, err)
			} else {
				c.Close()
			}
		})
	}
}

// A relative path is that of the directory in which the socket was bound.
func TestPathAfterChdir(t *testing.T) {
	mine, other := t.TempDir(), t.TempDir()
	precious := filepath.Join(other, "s")
	if err := os.WriteFile(precious, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(mine)
	boundSockets(t, "s", func(network string, d *Driver, s driver.Sock) {
		t.Chdir(other)
		d.Close(s)
		t.Chdir(mine)
		if !exists(precious) {
			t.Fatalf("%s: a file of another directory is gone", network)
		}
		if exists("s") {
			t.Errorf("%s: its own path stays", network)
		}
		os.Remove("s")
	})
}

// If the table is full, the path of the socket that has no place goes as well. What is
// released keeps its path.
func TestPathOfWhatIsNotKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	boundSockets(t, path, func(network string, d *Driver, s driver.Sock) {
		if err := d.Register(s, 1<<32); err != nil {
			t.Fatal(err)
		}
		fd, err := d.Release(s)
		if err != nil || !exists(path) {
			t.Errorf("%s: released: %v: the path is there: %v", network, err, exists(path))
		}
		unix.Close(int(fd))
		os.Remove(path)
	})
	d := testDriver(t)
	for {
		s, err := d.Bind(driver.Addr{Net: driver.Unixgram, Path: path}, driver.SocketOptions{})
		if err != nil {
			break
		}
		defer d.Close(s)
		if err := os.Rename(path, path+".full"); err != nil {
			t.Fatal(err)
		}
	}
	if exists(path) {
		t.Error("the path of a socket that was not made is there")
	}
}
