//go:build unix

package osdriver

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
)

// Another process with the same description can set an adopted descriptor to blocking mode
// at any time. Calls of the driver do not block all the same.
func TestMadeBlocking(t *testing.T) {
	d := testDriver(t)
	sock := func(s driver.Sock, err error) driver.Sock {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close(s) })
		return s
	}
	l := sock(d.Listen(driver.Addr{Net: driver.TCP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{}))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	out := make([]byte, 128<<10) // more than a pipe takes
	for _, c := range []struct { // read before write, else there would be something to read
		name string
		fd   uintptr
		call func(driver.Sock) (driver.Flow, error)
		end  func()
	}{
		{"accept", uintptr(d.sockets[l].fd), func(s driver.Sock) (driver.Flow, error) { _, flow, err := d.Accept(s); return flow, err },
			func() { unix.Shutdown(int(d.sockets[l].fd), unix.SHUT_RDWR) }},
		{"read", r.Fd(), func(s driver.Sock) (driver.Flow, error) { _, flow, err := d.Read(s, make([]byte, 1)); return flow, err }, func() { w.Write([]byte("x")) }},
		{"write", w.Fd(), func(s driver.Sock) (driver.Flow, error) { _, flow, err := d.Write(s, out); return flow, err }, func() { r.Read(out) }},
	} {
		s := sock(d.Adopt(c.fd))
		if err := d.Register(s, 1<<32|driver.EventData(s)); err != nil {
			t.Fatal(err)
		}
		if err := unix.SetNonblock(int(c.fd), false); err != nil {
			t.Fatal(err)
		}
		late := make(chan struct{})
		timer := time.AfterFunc(2*time.Second, func() { close(late); c.end() })
		if flow, err := c.call(s); flow&(driver.ReadBlocked|driver.WriteBlocked) == 0 || err != nil {
			t.Errorf("%s: flow %v, %v: want a blocked one", c.name, flow, err)
		}
		if !timer.Stop() {
			<-late
			t.Errorf("%s blocks", c.name)
		}
	}
}

// Two sockets have one description, as stdin and stdout of a terminal have. It does not
// block until the last of them is closed, whichever that is, and blocks again then.
func TestOneDescriptionTwice(t *testing.T) {
	for _, last := range []int{0, 1} {
		d := testDriver(t)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		kept := int(r.Fd())
		if err := unix.SetNonblock(kept, false); err != nil {
			t.Fatal(err)
		}
		var socks [2]driver.Sock
		for i := range socks {
			if socks[i], err = d.Adopt(uintptr(kept)); err != nil {
				t.Fatal(err)
			}
		}
		d.Close(socks[1-last])
		if _, flow, err := d.Read(socks[last], make([]byte, 1)); flow&driver.ReadBlocked == 0 || err != nil {
			t.Errorf("read: flow %v, %v: want ReadBlocked", flow, err)
		}
		if d.Close(socks[last]); !isBlocking(kept) {
			t.Errorf("socket %d was closed last: the description does not block again", last)
		}
	}
}

// If another process makes an adopted description block at the worst moment, behind the
// driver's own setting of the mode, the call blocks. The garbage collector, and with it all
// other goroutines, must not have to wait for that.
func TestBlockedCallLeavesOthersAlone(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	full, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	defer out.Close()
	little := make([]byte, 100)
	l, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(l)
	if err := unix.Listen(l, 1); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(l)
	if err != nil {
		t.Fatal(err)
	}
	connect := fmt.Sprintf("exec 3<>/dev/tcp/127.0.0.1/%d", at.(*unix.SockaddrInet4).Port)
	var a scratch
	for _, c := range []struct {
		name   string
		entry  socketEntry
		call   func(*socketEntry)
		rescue string // what ends the call, as another process, since all of this one may hang
		with   *os.File
	}{
		{"read", socketEntry{fd: descriptor(r.Fd()), typ: pipeIn}, func(e *socketEntry) { read(e, make([]byte, 1)) }, "echo x >&3", w},
		{"write", socketEntry{fd: descriptor(out.Fd()), typ: pipeOut}, func(e *socketEntry) { write(e, little) }, "exec cat <&3 >/dev/null", full},
		{"writev", socketEntry{fd: descriptor(out.Fd()), typ: pipeOut}, func(e *socketEntry) { a.writev(e, [][]byte{little, little}) }, "exec cat <&3 >/dev/null", full},
		{"accept", socketEntry{fd: descriptor(l), typ: listening}, func(e *socketEntry) { accept(e) }, connect, w},
	} {
		c.entry.flags = adopted
		if c.with == full { // a call that has moved bytes would return early, by a signal of the runtime
			for err := error(nil); err == nil; _, err = unix.Write(int(c.entry.fd), little) {
				unix.SetNonblock(int(c.entry.fd), true)
			}
		}
		unix.SetNonblock(int(c.entry.fd), false)
		rescue := exec.Command("bash", "-c", "sleep 0.4; "+c.rescue)
		rescue.ExtraFiles = []*os.File{c.with}
		if err := rescue.Start(); err != nil {
			t.Skip(err)
		}
		done := make(chan struct{})
		go func() { c.call(&c.entry); close(done) }()
		time.Sleep(50 * time.Millisecond)
		began := time.Now()
		if runtime.GC(); time.Since(began) > 200*time.Millisecond {
			t.Errorf("%s: the garbage collector waited %v for it", c.name, time.Since(began))
		}
		<-done
		rescue.Process.Kill()
		rescue.Wait()
	}
}

// What blocked before Adopt blocks after Release: the descriptor that is given out, and
// others of its description.
func TestReleaseRestoresBlocking(t *testing.T) {
	for _, blocking := range []bool{true, false} {
		d := testDriver(t)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(pair[0])
		defer unix.Close(pair[1])
		for _, kept := range []int{int(r.Fd()), int(w.Fd()), pair[0]} {
			unix.SetNonblock(kept, !blocking)
			s, err := d.Adopt(uintptr(kept))
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Register(s, 1<<32|driver.EventData(s)); err != nil {
				t.Fatal(err)
			}
			fd, err := d.Release(s)
			if err != nil {
				t.Fatal(err)
			}
			if released := isBlocking(int(fd)); released != blocking || isBlocking(kept) != blocking {
				t.Errorf("it blocked before: %v; the released one does: %v; the other: %v", blocking, released, isBlocking(kept))
			}
			unix.Close(int(fd))
		}
		if len(d.madeNonblocking) != 0 {
			t.Error("a released file is remembered")
		}
	}
}
