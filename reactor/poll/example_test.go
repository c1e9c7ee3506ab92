//go:build unix

package poll_test

import (
	"fmt"
	"log"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/poll"
)

// A Poller reports that a pipe can be read.
func Example() {
	const token = 7
	p, err := poll.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	r, w, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	defer w.Close()

	// Fd would make the pipe blocking; Control does not.
	raw, err := r.SyscallConn()
	if err != nil {
		log.Fatal(err)
	}
	raw.Control(func(fd uintptr) { err = p.Register(int(fd), token, poll.Readable) })
	if err != nil {
		log.Fatal(err)
	}

	w.WriteString("hello")
	var events [8]poll.Event
	n, err := p.Wait(events[:], -1)
	if err != nil {
		log.Fatal(err)
	}
	for _, ev := range events[:n] {
		fmt.Printf("token %d: %v\n", uint64(ev.Token), ev.Ready)
	}
	// Output:
	// token 7: readable
}

// A Waker ends a Wait from another goroutine. Several calls of Wake are one event.
func ExampleWaker() {
	const wake = 1
	p, err := poll.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	w, err := poll.NewWaker(p, wake)
	if err != nil {
		log.Fatal(err)
	}
	work := make(chan string, 3)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, s := range []string{"some", "work", "done"} {
			work <- s
			w.Wake()
		}
	}()
	<-done

	var events [8]poll.Event
	n, err := p.Wait(events[:], -1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "event for", len(work), "pieces of work")
	// Output:
	// 1 event for 3 pieces of work
}

// A listener and a connection, edge-triggered: after an event, call an operation until it
// would block, then call Rearm.
func ExamplePoller_Rearm() {
	const listening, connected = 1, 2
	p, err := poll.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	lfd := descriptor(l.(syscall.Conn))
	if err := p.Register(lfd, listening, poll.Readable|poll.Edge); err != nil {
		log.Fatal(err)
	}
	go func() {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprint(c, "hello")
		c.Close()
	}()

	var events [8]poll.Event
	var buf [512]byte
	conn := -1
	for {
		n, err := p.Wait(events[:], -1)
		if err != nil {
			log.Fatal(err)
		}
		for _, ev := range events[:n] {
			switch ev.Token {
			case listening:
				for {
					fd, _, err := unix.Accept(lfd)
					if err == unix.EAGAIN {
						p.Rearm(lfd, listening, poll.Readable|poll.Edge)
						break
					}
					if err != nil {
						log.Fatal(err)
					}
					unix.SetNonblock(fd, true)
					if err := p.Register(fd, connected, poll.Readable|poll.Edge); err != nil {
						log.Fatal(err)
					}
					conn = fd
				}
			case connected:
				for {
					n, err := unix.Read(conn, buf[:])
					if err == unix.EAGAIN {
						p.Rearm(conn, connected, poll.Readable|poll.Edge)
						break
					}
					if err != nil {
						log.Fatal(err)
					}
					if n == 0 {
						fmt.Println("end")
						p.Remove(conn)
						unix.Close(conn)
						return
					}
					fmt.Printf("%s\n", buf[:n])
				}
			}
		}
	}
	// Output:
	// hello
	// end
}

// descriptor returns the descriptor of c, which still belongs to c and is closed with it.
func descriptor(c syscall.Conn) (fd int) {
	raw, err := c.SyscallConn()
	if err == nil {
		err = raw.Control(func(n uintptr) { fd = int(n) })
	}
	if err != nil {
		log.Fatal(err)
	}
	return fd
}
