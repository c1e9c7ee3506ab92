package poll

import (
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// What went wrong in other users of AFD, from the inside.

func openAFD(t *testing.T) (*Poller, *afd) {
	t.Helper()
	p, err := NewBackend("afd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, p.b.(*afd)
}

// datagrams is a socket bound to a port of this machine, which is not readable yet.
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

// A cancelled request's packet, alone, must not end a wait before its time.
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

// However a wait ends, what changes afterwards is left to the next one.
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
			t.Fatal("no wait is under way, and changes are settled as if one were")
		}
	}
}

// Any number of wakes post one packet a sleep, and none while nobody sleeps.
func TestOneNudge(t *testing.T) {
	p, a := openAFD(t)
	v, err := NewWaker(p, 8)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWaker(p, 9)
	if err != nil {
		t.Fatal(err)
	}
	nudges := func() int {
		var packets [16]entry
		n, err := dequeue(a.port, packets[:], 0)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 100 {
		v.Wake()
		w.Wake()
	}
	if n := nudges(); n != 0 {
		t.Errorf("%d packets while nobody sleeps: want none", n)
	}
	var dst [2]Event
	if n, err := p.Wait(dst[:], -1); n != 2 || err != nil {
		t.Fatalf("%d events, %v: want both wakers'", n, err)
	}
	a.asleep.Store(true) // as a wait does before it blocks
	for range 100 {
		v.Wake()
		w.Wake()
	}
	if n := nudges(); n != 1 {
		t.Errorf("%d packets for a sleep: want 1", n)
	}
}

// The old socket's last answer must not end the watch of the one that has its handle.
func TestLateLocalClose(t *testing.T) {
	p, _ := openAFD(t)
	old, _ := datagrams(t)
	register(t, p, old, 1, Readable|Edge)
	var dst [4]Event
	if n, err := p.Wait(dst[:], 0); n != 0 || err != nil { // its request is under way
		t.Fatal(n, err)
	}
	if err := windows.Closesocket(old); err != nil {
		t.Fatal(err)
	}
	h, addr := datagrams(t)
	if h != old {
		t.Skipf("handle %#x after %#x: the system did not use it again", h, old)
	}
	register(t, p, h, 2, Readable|Edge)
	if n, err := p.Wait(dst[:], time.Millisecond); n != 0 || err != nil {
		t.Fatalf("%d events, %v: want none", n, err)
	}
	if err := windows.Sendto(h, []byte("x"), 0, addr); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Wait(dst[:], 5*time.Second); n != 1 || err != nil || dst[0] != (Event{2, Readable}) {
		t.Fatalf("%d events, %v, %v: want the new socket's", n, dst[0], err)
	}
}

// A request that the kernel refuses, for another reason than that there is no such
// socket, is sent again: the watch is not forgotten, and a wait does not sleep over it.
func TestRefusedRequest(t *testing.T) {
	p, a := openAFD(t)
	f, err := os.Open(os.DevNull) // no helper
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, addr := datagrams(t)
	register(t, p, h, 1, Readable|Edge)
	right := a.helpers[0]
	a.helpers[0] = windows.Handle(f.Fd())
	var dst [4]Event
	if n, err := p.Wait(dst[:], 0); n != 0 || err != nil || len(a.again) != 1 {
		t.Fatalf("%d events, %v, %d refused: want a request that is", n, err, len(a.again))
	}
	if err := windows.Sendto(h, []byte("x"), 0, addr); err != nil {
		t.Fatal(err)
	}
	a.helpers[0] = right
	if n, err := p.Wait(dst[:], 5*time.Second); n != 1 || err != nil || dst[0] != (Event{1, Readable}) {
		t.Fatalf("%d events, %v, %v: want the socket's", n, err, dst[0])
	}
	if len(a.again) != 0 {
		t.Errorf("%d requests are still refused", len(a.again))
	}
}

// A request that failed is told, and one that was cancelled tells nothing.
func TestAnswer(t *testing.T) {
	for status, want := range map[windows.NTStatus]events{
		windows.STATUS_SUCCESS:                receive,
		windows.STATUS_CANCELLED:              0,
		windows.STATUS_INSUFFICIENT_RESOURCES: connectFail,
	} {
		r := request{info: pollInfo{handles: 1, events: receive}}
		r.status.status = uintptr(status)
		if got := r.answer(); got != want {
			t.Errorf("%v: %#x: want %#x", status, got, want)
		}
	}
}

// A socket has one request at most, and the memory goes when all have come back.
func TestOneRequest(t *testing.T) {
	p, a := openAFD(t)
	var sockets []windows.Handle
	for range 40 { // more than a helper takes
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
		under := 0
		for _, w := range a.watches {
			if w.asked != 0 {
				under++
			}
		}
		if under != a.under || under > len(sockets) {
			t.Fatalf("%d requests under way, %d counted: want the same, and one a socket at most", under, a.under)
		}
	}
	if a.under == 0 {
		t.Fatal("no request is under way: want some to come back when it ends")
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if a.under != 0 || a.memory.pages != nil {
		t.Errorf("closed: %d requests under way, %d pages held", a.under, len(a.memory.pages))
	}
}
