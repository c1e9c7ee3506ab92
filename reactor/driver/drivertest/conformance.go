package drivertest

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// ErrWouldBlock is returned by an operation of a System that would block.
var ErrWouldBlock = errors.New("would block")

// Backend describes a backend to Run and Compare.
type Backend struct {
	Name string
	// New returns a System without open descriptors. It is called for each case.
	New func() (System, error)
	// Skips maps the number of each case that the backend cannot pass to the reason. Run
	// skips these cases and reports the reasons.
	Skips map[int]string
	// PerDirection: an event reports only the directions of the interest, two directions
	// may be reported by two Waits, and an error that does not end the connection does not
	// set poll.Error. That is so for kqueue.
	PerDirection bool
	// NoReadClosed: a peer that closed one direction is reported as Readable only. That is
	// so if poll(2) has no bit for it.
	NoReadClosed bool
	// StaleEdges: an event with Edge may report readiness that is over. That is so for
	// event ports, which queue an event when readiness begins.
	StaleEdges bool
}

// File is a descriptor of a System.
type File int

// System is an operating system that the cases run on. Networks have the names of package
// net: "tcp", "udp", "unix", "unixgram".
//
// An operation that the System does not support returns errors.ErrUnsupported. One that
// would block returns ErrWouldBlock and, with Edge, re-arms its direction. The end of a
// stream is io.EOF. Other errors match syscall.ECONNREFUSED and the like with errors.Is.
type System interface {
	// Now returns the time of the clock that timeouts are measured with.
	Now() time.Duration
	// After calls f after d, possibly during a Wait.
	After(d time.Duration, f func()) error
	// Goroutines returns nil if other goroutines may call methods during a Wait, and
	// errors.ErrUnsupported otherwise.
	Goroutines() error
	// Interrupt interrupts the current Wait, in the same way as a signal.
	Interrupt() error
	// CloseAll closes the System and its open descriptors.
	CloseAll() error

	// The wait under test, as in package poll.
	Wait(dst []poll.Event, timeout time.Duration) (int, error)
	Register(File, poll.Token, poll.Interest) error
	Modify(File, poll.Token, poll.Interest) error
	Remove(File) error
	// Drop sets Ready to 0 in the events of a descriptor that the last Wait returned.
	// Only the goroutine that calls Wait may call it.
	Drop(File) error
	// Rearm asks for an event of a direction with Edge although no operation would have
	// blocked.
	Rearm(File, poll.Interest) error
	NewWaker(poll.Token) (Waker, error)

	// Listen, Bind and Dial take the addresses of package net. Listen and Bind also return
	// the address that the socket has. Dial starts a connection; Finish, called when the
	// socket is writable, returns the result.
	Listen(network, addr string) (File, string, error)
	Accept(File) (File, error)
	Dial(network, addr string) (File, error)
	Finish(File) error
	Bind(network, addr string) (File, string, error)
	// Pair returns two connected sockets, made by socketpair(2) or with a listener.
	Pair(network string) (a, b File, err error)
	Pipe() (r, w File, err error)
	// Open opens a file or a directory for reading.
	Open(path string) (File, error)
	Dup(File) (File, error)
	// Number returns the number of the descriptor. A later descriptor may have it too.
	Number(File) (int, error)
	// Descriptors returns the number of open descriptors.
	Descriptors() (int, error)
	// Exhaust uses up all descriptors until restore is called.
	Exhaust() (restore func(), err error)
	// Adopt borrows the descriptor of a net.Conn, net.Listener or os.File until Release.
	Adopt(syscall.Conn) (File, error)
	Release(File) error
	// Child starts a process that copies stdin to stdout and closes both in this process.
	// The function wait waits for the end of the child.
	Child(stdin, stdout File) (wait func() error, err error)
	// Calls runs a machine that reads one byte of the descriptor per call, until it is not
	// called any more, and returns the number of calls.
	Calls(File) (int, error)

	Read(File, []byte) (int, error)
	Write(File, []byte) (int, error)
	RecvFrom(File, []byte) (n int, from string, err error)
	SendTo(f File, b []byte, to string) (int, error)
	Shutdown(File, driver.How) error
	// Reset closes a TCP connection with a reset.
	Reset(File) error
	Close(File) error
}

// Waker is a poll.Waker.
type Waker interface {
	Wake() error
	Close() error
}

// The modes of a case.
const (
	level = poll.Interest(0)
	edge  = poll.Edge
)

var (
	both      = []poll.Interest{level, edge}
	levelOnly = []poll.Interest{level}
	edgeOnly  = []poll.Interest{edge}
)

// testCase is one of the numbered cases.
type testCase struct {
	number int
	name   string
	modes  []poll.Interest
	run    func(*env)
}

// all returns all cases in order.
func all() []testCase {
	return slices.Concat(waiting, registering, edges, connections, waking, sources)
}

// Report is the result of Run.
type Report struct {
	Backend string
	// Ran has the cases that ran in at least one mode, by number.
	Ran map[int]bool
	// Skipped has the reason for each case that did not run, by number.
	Skipped map[int]string
	// Complete is false if go test -run excluded a case.
	Complete bool
}

// Run runs all cases on a backend, each as a subtest with a new System.
func Run(t *testing.T, b Backend) Report {
	report := Report{b.Name, make(map[int]bool), make(map[int]string), true}
	for _, c := range all() {
		var tried, skipped int
		for _, mode := range c.modes {
			name := fmt.Sprintf("%02d %s", c.number, c.name)
			if len(c.modes) > 1 {
				name += "/" + modeName(mode)
			}
			t.Run(name, func(t *testing.T) {
				tried++
				why, ok := b.Skips[c.number]
				if !ok {
					why = c.once(t, b, mode)
				}
				if why != "" {
					skipped++
					report.Skipped[c.number] = why
					t.Skip(why)
				}
			})
		}
		if skipped < tried { // one mode is enough
			report.Ran[c.number] = true
			delete(report.Skipped, c.number)
		}
		report.Complete = report.Complete && tried == len(c.modes)
	}
	return report
}

func modeName(mode poll.Interest) string {
	if mode == edge {
		return "edge"
	}
	return "level"
}

// once runs the case in a mode. It returns the reason if the case must be skipped.
func (c testCase) once(t *testing.T, b Backend, mode poll.Interest) string {
	sys, err := b.New()
	if err != nil {
		t.Fatal(err)
	}
	e := &env{T: t, System: sys, mode: mode, backend: b, came: make(map[poll.Token]poll.Ready)}
	defer func() {
		if err := sys.CloseAll(); err != nil {
			t.Error("close:", err)
		}
	}()
	return e.try(func() { c.run(e) })
}

// Unimplemented is a System that supports no operation.
type Unimplemented struct{}

func lack(what string) error { return lacking(what) }

// lacking is an errors.ErrUnsupported that names what the System does not have.
type lacking string

// Error returns "no" and the name.
func (l lacking) Error() string { return "no " + string(l) }

// Is reports whether target is errors.ErrUnsupported.
func (l lacking) Is(target error) bool { return target == errors.ErrUnsupported }

func (Unimplemented) After(time.Duration, func()) error              { return lack("timed call") }
func (Unimplemented) Goroutines() error                              { return lack("goroutines") }
func (Unimplemented) Interrupt() error                               { return lack("interruption") }
func (Unimplemented) Register(File, poll.Token, poll.Interest) error { return lack("registration") }
func (Unimplemented) Modify(File, poll.Token, poll.Interest) error {
	return lack("change of registration")
}
func (Unimplemented) Remove(File) error                  { return lack("removal") }
func (Unimplemented) Drop(File) error                    { return lack("removal") }
func (Unimplemented) Rearm(File, poll.Interest) error    { return lack("re-arming") }
func (Unimplemented) NewWaker(poll.Token) (Waker, error) { return nil, lack("waker") }
func (Unimplemented) Listen(network, addr string) (File, string, error) {
	return 0, "", lack("listener")
}
func (Unimplemented) Accept(File) (File, error)               { return 0, lack("listener") }
func (Unimplemented) Dial(network, addr string) (File, error) { return 0, lack("dialling") }
func (Unimplemented) Finish(File) error                       { return lack("dialling") }
func (Unimplemented) Bind(network, addr string) (File, string, error) {
	return 0, "", lack("datagram socket")
}
func (Unimplemented) Pair(network string) (a, b File, err error) { return 0, 0, lack("socket pair") }
func (Unimplemented) Pipe() (r, w File, err error)               { return 0, 0, lack("pipe") }
func (Unimplemented) Open(path string) (File, error)             { return 0, lack("file system") }
func (Unimplemented) Dup(File) (File, error)                     { return 0, lack("dup") }
func (Unimplemented) Number(File) (int, error)                   { return 0, lack("descriptor number") }
func (Unimplemented) Descriptors() (int, error)                  { return 0, lack("count of descriptors") }
func (Unimplemented) Exhaust() (func(), error)                   { return nil, lack("limit of descriptors") }
func (Unimplemented) Adopt(syscall.Conn) (File, error)           { return 0, lack("adoption") }
func (Unimplemented) Release(File) error                         { return lack("adoption") }
func (Unimplemented) Child(stdin, stdout File) (func() error, error) {
	return nil, lack("child process")
}
func (Unimplemented) Calls(File) (int, error)         { return 0, lack("loop that calls machines") }
func (Unimplemented) Read(File, []byte) (int, error)  { return 0, lack("read") }
func (Unimplemented) Write(File, []byte) (int, error) { return 0, lack("write") }
func (Unimplemented) RecvFrom(File, []byte) (int, string, error) {
	return 0, "", lack("datagram socket")
}
func (Unimplemented) SendTo(f File, b []byte, to string) (int, error) {
	return 0, lack("datagram socket")
}
func (Unimplemented) Shutdown(File, driver.How) error { return lack("half-close") }
func (Unimplemented) Reset(File) error                { return lack("reset") }
func (Unimplemented) Close(File) error                { return lack("close") }

// isEnd reports whether err is the end of a stream.
func isEnd(err error) bool { return errors.Is(err, io.EOF) }
