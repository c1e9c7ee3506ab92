package poll

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// queueError returns a socket of datagrams with an error in its error queue, which no read
// of datagrams takes out: to poll(2) the socket has an error for as long as it is there.
func queueError(t *testing.T) (fd int, at unix.Sockaddr) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	home := [4]byte{127, 0, 0, 1}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: home}); err != nil {
		t.Fatal(err)
	}
	if at, err = unix.Getsockname(fd); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_RECVERR, 1); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); !hasError(fd); {
		unix.Sendto(fd, []byte("x"), 0, &unix.SockaddrInet4{Port: 1, Addr: home}) // nothing is bound there: an ICMP message
		if time.Now().After(end) {
			t.Skip("no ICMP messages here")
		}
	}
	return fd, at
}

// TestLastingErrorDoesNotSpin has a descriptor whose error stays while it is read and
// rearmed: neither the caller nor poll(2) may be busy with that. What comes is an event.
func TestLastingErrorDoesNotSpin(t *testing.T) {
	for _, backend := range Backends() {
		t.Run(backend, func(t *testing.T) {
			if strings.HasPrefix(backend, "ports") {
				t.Skip("the systems with event ports have no queues of errors")
			}
			p := open(t, backend)
			fd, at := queueError(t)
			if err := p.Register(fd, 7, Readable|Edge); err != nil {
				t.Fatal(err)
			}
			defer p.Remove(fd)
			var evs [4]Event
			var b [8]byte
			turn := func(timeout time.Duration) (read int) {
				t.Helper()
				n, err := p.Wait(evs[:], timeout)
				if err != nil {
					t.Fatal(err)
				}
				for ; n > 0; n-- {
					for {
						k, err := unix.Read(fd, b[:])
						if err == unix.EAGAIN {
							break
						}
						read += max(k, 0) // an error is that of an earlier datagram
					}
					if err := p.Rearm(fd, 7, Readable|Edge); err != nil {
						t.Fatal(err)
					}
				}
				return read
			}
			cpu, turns := cpuTime(t), 0
			for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end); turns++ {
				turn(time.Until(end))
			}
			if turns > 100 {
				t.Errorf("%d turns in 200 ms", turns)
			}
			if cpu = cpuTime(t) - cpu; cpu > 100*time.Millisecond {
				t.Errorf("%v of processor time in 200 ms", cpu)
			}
			if err := unix.Sendto(fd, []byte("hello"), 0, at); err != nil {
				t.Fatal(err)
			}
			read := 0
			for end := time.Now().Add(5 * time.Second); read < 5 && time.Now().Before(end); {
				read += turn(time.Until(end))
			}
			if read != 5 {
				t.Errorf("read %d bytes of 5", read)
			}
		})
	}
}

// cpuTime is how long the process has computed.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
