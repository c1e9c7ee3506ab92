package reactor_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor"
)

// BenchmarkProxy is bulk data through a machine with two ports: pieces, each
// acknowledged by a byte that comes the other way, or a stream. cpu-ns/KiB is what the
// whole process spent, source and sink included: the source copies once, into the
// kernel, and the sink drops what comes without looking.
func BenchmarkProxy(b *testing.B) {
	for _, size := range []int{4 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("acknowledged/%dKiB", size>>10), func(b *testing.B) { proxied(b, size, true) })
	}
	b.Run("stream", func(b *testing.B) { proxied(b, 64<<10, false) })
}

func proxied(b *testing.B, size int, acknowledged bool) {
	sink, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer sink.Close()
	n, err := newProxy().Listen(netLoop(b, reactor.Config{}), "tcp", "127.0.0.1:0", pair{to: sink.Addr().String()})
	if err != nil {
		b.Fatal(err)
	}
	from := netDial(b, n)
	from.SetDeadline(time.Time{})
	to, err := sink.AcceptTCP()
	if err != nil {
		b.Fatal(err)
	}
	defer to.Close()
	done := make(chan error, 1)
	b.SetBytes(int64(size))
	begin := processorTime(b)
	b.ResetTimer()
	go func() {
		for range b.N {
			if err := drop(to, size); err != nil {
				done <- err
				to.Close()
				return
			}
			if acknowledged {
				to.Write([]byte{1})
			}
		}
		done <- nil
	}()
	piece, ack := make([]byte, size), make([]byte, 1)
	for range b.N {
		if _, err := from.Write(piece); err != nil {
			b.Fatal(err)
		}
		if acknowledged {
			if _, err := from.Read(ack); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(processorTime(b)-begin)/float64(b.N*size>>10), "cpu-ns/KiB")
}

// drop takes size bytes off a connection without copying them.
func drop(c *net.TCPConn, size int) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var fault error
	b := make([]byte, size)
	err = raw.Read(func(fd uintptr) bool {
		for size > 0 {
			n, _, err := unix.Recvfrom(int(fd), b[:size], unix.MSG_TRUNC|unix.MSG_DONTWAIT)
			if err == unix.EAGAIN {
				return false
			}
			if err == nil && n == 0 {
				err = io.ErrUnexpectedEOF
			}
			if err != nil {
				fault = err
				return true
			}
			size -= n
		}
		return true
	})
	return errors.Join(err, fault)
}

func processorTime(b *testing.B) int64 {
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return use.Utime.Nano() + use.Stime.Nano()
}
