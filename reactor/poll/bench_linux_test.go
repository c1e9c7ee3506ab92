package poll_test

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stator-go/stator/reactor/poll"
)

func benchEach(b *testing.B, f func(b *testing.B, p *poll.Poller)) {
	for _, name := range poll.Backends() {
		b.Run(name, func(b *testing.B) {
			p, err := poll.NewBackend(name)
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			b.ReportAllocs()
			f(b, p)
		})
	}
}

// BenchmarkWaitZero measures a Wait with timeout 0 that finds the given number of events.
func BenchmarkWaitZero(b *testing.B) {
	benchEach(b, func(b *testing.B, p *poll.Poller) {
		dst := make([]poll.Event, 128)
		ready := 0
		for _, events := range []int{0, 1, 100} {
			for ; ready < events; ready++ {
				w, fd := source(b)
				w.Write([]byte("x"))
				if err := p.Register(fd, 1, poll.Readable); err != nil {
					b.Fatal(err)
				}
			}
			b.Run(fmt.Sprint(events), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if n, err := p.Wait(dst, 0); n != events || err != nil {
						b.Fatalf("%d events, %v", n, err)
					}
				}
			})
		}
	})
}

// BenchmarkWakePending measures a Wake after another one whose event was not returned yet.
func BenchmarkWakePending(b *testing.B) {
	benchEach(b, func(b *testing.B, p *poll.Poller) {
		w, err := poll.NewWaker(p, 1)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			w.Wake()
		}
	})
}

// BenchmarkWakeWait measures a Wake and a Wait on the same goroutine, which does not park.
func BenchmarkWakeWait(b *testing.B) {
	benchEach(b, func(b *testing.B, p *poll.Poller) {
		w, err := poll.NewWaker(p, 1)
		if err != nil {
			b.Fatal(err)
		}
		dst := make([]poll.Event, 8)
		for b.Loop() {
			w.Wake()
			if n, err := p.Wait(dst, -1); n != 1 || err != nil {
				b.Fatalf("%d events, %v", n, err)
			}
		}
	})
}

// BenchmarkPark measures the latency of a Wake of a parked Wait. Two goroutines with a
// Poller each wake each other in turn; ns/wake is half of an operation. Run it with
// -cpu 1,2.
func BenchmarkPark(b *testing.B) {
	for _, timeout := range []time.Duration{-1, time.Second, time.Millisecond} {
		b.Run(fmt.Sprint("timeout=", timeout), func(b *testing.B) {
			benchEach(b, func(b *testing.B, p *poll.Poller) {
				q, err := poll.NewBackend(p.Backend())
				if err != nil {
					b.Fatal(err)
				}
				defer q.Close()
				wp, err := poll.NewWaker(p, 1)
				if err != nil {
					b.Fatal(err)
				}
				wq, err := poll.NewWaker(q, 1)
				if err != nil {
					b.Fatal(err)
				}
				wait := func(p *poll.Poller, dst []poll.Event) {
					for {
						n, err := p.Wait(dst, timeout)
						if err != nil {
							b.Error(err)
						}
						if n > 0 {
							return
						}
					}
				}
				var stop atomic.Bool
				done := make(chan struct{})
				go func() {
					defer close(done)
					dst := make([]poll.Event, 8)
					for {
						wait(q, dst)
						if stop.Load() {
							return
						}
						wp.Wake()
					}
				}()
				dst := make([]poll.Event, 8)
				for b.Loop() {
					wq.Wake()
					wait(p, dst)
				}
				stop.Store(true)
				wq.Wake()
				<-done
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2, "ns/wake")
			})
		})
	}
}

// BenchmarkBusy measures a write, its event and a read, with a Poller whose goroutine does
// not park. It reports the CPU time of all threads, which includes what the runtime's own
// poller spends on the event. A second Poller waits, so that with GOMAXPROCS above 1 a
// thread waits in the runtime's poller. The variant through keeps the middle epoll armed.
func BenchmarkBusy(b *testing.B) {
	for _, through := range []bool{false, true} {
		benchEach(b, func(b *testing.B, p *poll.Poller) {
			if through && !poll.KeepArmed(p) {
				b.Skip("no middle epoll")
			}
			b.Run(fmt.Sprintf("through=%v", through), func(b *testing.B) {
				w, fd := source(b)
				to := number(b, w)
				if err := p.Register(fd, 1, poll.Readable|poll.Edge); err != nil {
					b.Fatal(err)
				}
				defer p.Remove(fd)
				q, err := poll.NewBackend(p.Backend())
				if err != nil {
					b.Fatal(err)
				}
				defer q.Close()
				go q.Wait(make([]poll.Event, 1), -1)
				var buf [1]byte
				dst := make([]poll.Event, 8)
				begin := cpu()
				for b.Loop() {
					raw(syscall.SYS_WRITE, to, &buf)
					if n, err := p.Wait(dst, -1); n != 1 || err != nil {
						b.Fatalf("%d events, %v", n, err)
					}
					raw(syscall.SYS_READ, fd, &buf)
					p.Rearm(fd, 1, poll.Readable)
				}
				b.ReportMetric(float64(cpu()-begin)/float64(b.N), "cpu-ns/op")
			})
		})
	}
}

// raw reads or writes a byte by a raw system call, as loops do.
func raw(call uintptr, fd int, b *[1]byte) {
	syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(b)), 1)
}

// cpu returns the CPU time of this process in nanoseconds.
func cpu() int64 {
	var ru syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	return ru.Utime.Nano() + ru.Stime.Nano()
}

// BenchmarkRegister measures Register and Remove.
func BenchmarkRegister(b *testing.B) {
	benchEach(b, func(b *testing.B, p *poll.Poller) {
		_, fd := source(b)
		for b.Loop() {
			if err := p.Register(fd, 1, poll.Readable); err != nil {
				b.Fatal(err)
			}
			if err := p.Remove(fd); err != nil {
				b.Fatal(err)
			}
		}
	})
}
