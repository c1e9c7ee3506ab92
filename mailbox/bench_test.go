package mailbox_test

import (
	"runtime"
	"testing"

	"github.com/stator-go/stator/mailbox"
)

// message has the size of a small message with its address: half a cache line.
type message struct {
	To, Kind, Key, Value uint64
}

const (
	benchCapacity = 1024
	benchBatch    = 64
)

func BenchmarkSendRecv(b *testing.B) {
	r := newRing[message](b, benchCapacity, mailbox.NewSleeper(func() {}))
	var in, out message
	b.ReportAllocs()
	for b.Loop() {
		in.To++
		if r.Send(in) != nil || !r.Recv(&out) {
			b.Fatal("message lost")
		}
		r.Release(1)
	}
}

func BenchmarkChannel(b *testing.B) {
	c := make(chan message, benchCapacity)
	var in, out message
	b.ReportAllocs()
	for b.Loop() {
		in.To++
		select {
		case c <- in:
		default:
			b.Fatal("message lost")
		}
		select {
		case out = <-c:
		default:
			b.Fatal("message lost")
		}
	}
	_ = out
}

// BenchmarkSendRecvBatch and BenchmarkChannelBatch report the time per message.
func BenchmarkSendRecvBatch(b *testing.B) {
	r := newRing[message](b, benchCapacity, mailbox.NewSleeper(func() {}))
	var in, out message
	b.ReportAllocs()
	for n := 0; n < b.N; n += benchBatch {
		for range benchBatch {
			in.To++
			if r.Send(in) != nil {
				b.Fatal("message lost")
			}
		}
		for range benchBatch {
			if !r.Recv(&out) {
				b.Fatal("message lost")
			}
		}
		r.Release(benchBatch)
	}
}

func BenchmarkChannelBatch(b *testing.B) {
	c := make(chan message, benchCapacity)
	var in, out message
	b.ReportAllocs()
	for n := 0; n < b.N; n += benchBatch {
		for range benchBatch {
			in.To++
			select {
			case c <- in:
			default:
				b.Fatal("message lost")
			}
		}
		for range benchBatch {
			select {
			case out = <-c:
			default:
				b.Fatal("message lost")
			}
		}
	}
	_ = out
}

// BenchmarkSendRecvLarge and BenchmarkChannelLarge move a message of four cache lines.
func BenchmarkSendRecvLarge(b *testing.B) {
	r := newRing[[32]uint64](b, benchBatch, mailbox.NewSleeper(func() {}))
	var in, out [32]uint64
	b.ReportAllocs()
	for b.Loop() {
		if r.Send(in) != nil || !r.Recv(&out) {
			b.Fatal("message lost")
		}
		r.Release(1)
	}
}

func BenchmarkChannelLarge(b *testing.B) {
	c := make(chan [32]uint64, benchBatch)
	var in, out [32]uint64
	b.ReportAllocs()
	for b.Loop() {
		c <- in
		out = <-c
	}
	_ = out
}

// BenchmarkSendRecv1P1C has one producer and one consumer, each on its own goroutine.
// The producer yields when the ring is full, the consumer sleeps when it is empty.
func BenchmarkSendRecv1P1C(b *testing.B) {
	woken := make(chan struct{}, 1)
	s := mailbox.NewSleeper(func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	r := newRing[message](b, benchCapacity, s)
	b.ReportAllocs()
	go func() {
		var in message
		for range b.N {
			in.To++
			for r.Send(in) != nil {
				runtime.Gosched()
			}
		}
	}()
	var out message
	for got := 0; got < b.N; {
		batch := 0
		for batch < benchBatch && r.Recv(&out) {
			batch++
		}
		r.Release(batch)
		got += batch
		if batch == 0 {
			s.Asleep()
			if r.Empty() {
				<-woken
			}
			s.Awake()
		}
	}
}

func BenchmarkChannel1P1C(b *testing.B) {
	c := make(chan message, benchCapacity)
	b.ReportAllocs()
	go func() {
		var in message
		for range b.N {
			in.To++
			c <- in
		}
	}()
	for range b.N {
		<-c
	}
}
