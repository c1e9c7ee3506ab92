package poll

import (
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// These tests check the inside of afd, for mistakes that other users of AFD have made.

func openAFD(t *testing.T) (*Poller, *afd) {
	t.Helper()
	p, err := NewBackend("afd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, p.b.(*afd)
}

// datagrams returns a datagram socket bound to a local port, with nothing to read.
func datagrams(t *testing.T) (h windows.Handle, addr windows.Sockaddr) {
	t.Helper()
	h, err := windows.Socket(windows.AF_INET, windows.SOCK_DGRAM, windows.IPPROTO_UDP)
	if err == nil {
		err = windows.Bind(h, &windows.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		addr, err = windows.Getsockname(h)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { windows.Closesocket(h) })
	return h, addr
}

func register(t *testing.T, p *Poller, h windows.Handle, token Token, i Interest) {
	t.Helper()
	if err := p.Register(int(h), token, i); err != nil {
		t.Fatal(err)
	}
}

// The packet of a cancelled request must not end a wait before its timeout.
func TestCancelledAlone(t *testing.T) {
	p, _ := openAFD(t)
	h, _ := datagrams(t)
	register(t, p, h, 1, Readable)
	const timeout = 60 * time.Millisecond
	var wg sync.WaitGroup
	for k := range 4 {
		wg.Go(func() {
			time.Sleep(time.Duration(k+1) * 10 * time.Millisecond)
			if err := p.Modify(int(h), 1, []Interest{Readable | Priority, Priority}[k%2]); err != nil {
				t.Error(err)
			}
		})
	}
	begin := time.Now()
	n, err := p.Wait(make([]Event, 4), timeout)
	if took := time.Since(begin); n != 0 || err != nil || took < timeout {
		t.Errorf("%d events, %v after %v: want none after %v", n, err, took, timeout)
	}
	wg.Wait()
}

// After a wait has ended, for whatever reason, changes are left to the next one.
func TestPollingEnds(t *testing.T) {
	p, a := openAFD(t)
	w, err := NewWaker(p, 9)
	if err != nil {
		t.Fatal(err)
	}
	var dst [1]Event
	for _, wait := range []func() (int, error){
		func() (int, error) { return p.Wait(dst[:], 0) },
		func() (int, error) { return p.Wait(dst[:], time.Millisecond) },
		func() (int, error) { w.Wake(); return p.Wait(dst[:], -1) },
	} {
		if _, err := wait(); err != nil {
			t.Fatal(err)
		}
		if a.polling {
			t.Fatal("polling is set after the wait has ended")
		}
	}
}

// Any number of wakes post one packet per blocked wait, and none while no wait is blocked.
func TestOneWakePacket(t *testing.T) {
	p, a := openAFD(t)
	v, err := NewWaker(p, 8)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWaker(p, 9)
	if err != nil {
		t.Fatal(err)
	}
	packets := func() int {
		var entries [16]entry
		n, err := dequeue(a.port, entries[:], 0)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 100 {
		v.Wake()
		w.Wake()
	}
	if n := packets(); n != 0 {
		t.Errorf("%d packets while no wait is blocked: want none", n)
	}
	var dst [2]Event
	if n, err := p.Wait(dst[:], -1); n != 2 || err != nil {
		t.Fatalf("%d events, %v: want those of both wakers", n, err)
	}
	a.asleep.Store(true) // as a wait does before it blocks
	for range 100 {
		v.Wake()
		w.Wake()
	}
	if n := packets(); n != 1 {
		t.Errorf("%d packets for a blocked wait: want 1", n)
	}
}

// The last result of a closed socket must not end the watch of a new one with the same
// handle.
func TestLateLocalClose(t *testing.T) {
	p, _ := openAFD(t)
	old, _ := datagrams(t)
	register(t, p, old, 1, Readable|Edge)
	var dst [4]Event
	if n, err := p.Wait(dst[:], 0); n != 0 || err != nil { // sends its request
		t.Fatal(n, err)
	}
	if err := windows.Closesocket(old); err != nil {
		t.Fatal(err)
	}
	h, addr := datagrams(t)
	if h != old {
		t.Skipf("handle %#x after %#x: the system did not reuse it", h, old)
	}
	register(t, p, h, 2, Readable|Edge)
	if n, err := p.Wait(dst[:], time.Millisecond); n != 0 || err != nil {
		t.Fatalf("%d events, %v: want none", n, err)
	}
	if err := windows.Sendto(h, []byte("x"), 0, addr); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Wait(dst[:], 5*time.Second); n != 1 || err != nil || dst[0] != (Event{2, Readable}) {
		t.Fatalf("%d events, %v, %v: want that of the new socket", n, dst[0], err)
	}
}

// A request that the kernel refuses is sent again, unless the socket does not exist. A
// blocked wait does not delay that.
func TestRefusedRequest(t *testing.T) {
	p, a := openAFD(t)
	f, err := os.Open(os.DevNull) // not a helper
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, addr := datagrams(t)
	register(t, p, h, 1, Readable|Edge)
	helper := a.helpers[0]
	a.helpers[0] = windows.Handle(f.Fd())
	var dst [4]Event
	if n, err := p.Wait(dst[:], 0); n != 0 || err != nil || len(a.refused) != 1 {
		t.Fatalf("%d events, %v, %d refused: want one refused request", n, err, len(a.refused))
	}
	if err := windows.Sendto(h, []byte("x"), 0, addr); err != nil {
		t.Fatal(err)
	}
	a.helpers[0] = helper
	if n, err := p.Wait(dst[:], 5*time.Second); n != 1 || err != nil || dst[0] != (Event{1, Readable}) {
		t.Fatalf("%d events, %v, %v: want that of the socket", n, err, dst[0])
	}
	if len(a.refused) != 0 {
		t.Errorf("%d requests are still refused", len(a.refused))
	}
}

// A failed request is reported as an error, a cancelled one is not reported.
func TestResult(t *testing.T) {
	for status, want := range map[windows.NTStatus]events{
		windows.STATUS_SUCCESS:                receive,
		windows.STATUS_CANCELLED:              0,
		windows.STATUS_INSUFFICIENT_RESOURCES: connectFail,
	} {
		r := request{info: pollInfo{handles: 1, events: receive}}
		r.status.status = uintptr(status)
		if got := r.result(); got != want {
			t.Errorf("%v: %#x: want %#x", status, got, want)
		}
	}
}

// A socket has at most one request, and the memory is freed when all have completed.
func TestOneRequest(t *testing.T) {
	p, a := openAFD(t)
	var sockets []windows.Handle
	for range 40 { // more than one helper has
		h, _ := datagrams(t)
		sockets = append(sockets, h)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	dst := make([]Event, 64)
	for range 3000 {
		fd := int(sockets[rnd.IntN(len(sockets))])
		switch i := Interest(1 + rnd.IntN(7)); rnd.IntN(6) {
		case 0, 1:
			p.Register(fd, 1, i|Edge)
		case 2, 3:
			p.Modify(fd, 1, i|Edge)
		case 4:
			p.Remove(fd)
		default:
			p.Wait(dst, 0)
		}
		pending := 0
		for _, w := range a.watches {
			if w.requested != 0 {
				pending++
			}
		}
		if pending != a.pending || pending > len(sockets) {
			t.Fatalf("%d requests are pending, %d counted: want the same, and at most one per socket", pending, a.pending)
		}
	}
	if a.pending == 0 {
		t.Fatal("no request is pending before Close")
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if a.pending != 0 || a.memory.pages != nil {
		t.Errorf("after Close: %d requests pending, %d pages in use", a.pending, len(a.memory.pages))
	}
}
