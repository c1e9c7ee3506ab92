// Package drivertest is what every backend of package poll and every driver of
// package reactor has to do alike: 45 numbered cases, in one table, that each of
// them passes itself to. A simulated driver is worth only what it shares with
// real kernels, so it passes here too.
//
//	func TestConformance(t *testing.T) {
//		drivertest.Run(t, drivertest.Backend{
//			Name: "epoll",
//			New:  func() (drivertest.System, error) { return drivertest.OverPoller("epoll") },
//		})
//	}
//
// # Systems
//
// A [System] is an operating system as the cases see it: descriptors, what can
// be done with them, a clock, and the wait under test. [OverPoller] is that of
// a poll.Poller and the descriptors of the machine it runs on. A System of
// another kind embeds [Lacking], whose every operation answers
// errors.ErrUnsupported, and overrides what it has.
//
// # Modes and skips
//
// Most cases run twice, level-triggered and edge-triggered. A case that asks a
// System for an operation that it lacks is skipped, and the name of the
// operation is the reason; Backend.Skips gives other reasons. [Run] answers a
// [Report] of what ran and what was skipped, and [Table] prints the Reports of
// several backends beside each other.
//
// [Same] goes further than any case: it makes the same random calls to two
// backends and compares what their waits answer.
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

// ErrWouldBlock is what an operation of a System answers when it would block.
var ErrWouldBlock = errors.New("would block")

// Backend is what Run tests.
type Backend struct {
	Name string
	// New makes a System with no descriptor open. It is called for each case.
	New func() (System, error)
	// Skips are the cases that cannot be met, by number, and why.
	Skips map[int]string
	// Apart says that an event tells of the directions asked for alone, that two
	// directions may come in two Waits, and that an error which is not the end is
	// not told: as kqueue does.
	Apart bool
	// Unhinted says that a peer which ended one direction is told as Readable alone:
	// as where poll(2) has no bit for that.
	Unhinted bool
	// Old says that an event with Edge may tell of readiness that is over: as event
	// ports do, which queue it when it begins.
	Old bool
}

// File is a descriptor of a System.
type File int

// System is what the cases run on. Networks are named as in package net: "tcp",
// "udp", "unix", "unixgram". An operation that the System lacks answers
// errors.ErrUnsupported. One that would block answers ErrWouldBlock, and with
// Edge interest re-arms its direction by that. Other failures answer to
// errors.Is with syscall.ECONNREFUSED and its kin; the end of a stream is
// io.EOF.
type System interface {
	// Now is the clock that timeouts are held against.
	Now() time.Duration
	// After calls f once d has passed, while a Wait may be under way.
	After(d time.Duration, f func()) error
	// Goroutines tells whether other goroutines may call methods during a Wait:
	// nil, or errors.ErrUnsupported.
	Goroutines() error
	// Interrupt disturbs the Wait under way, as a signal does.
	Interrupt() error
	// Shut ends the System. It closes what is open.
	Shut() error

	// The wait under test, as in package poll.
	Wait(dst []poll.Event, timeout time.Duration) (int, error)
	Register(File, poll.Token, poll.Interest) error
	Modify(File, poll.Token, poll.Interest) error
	Remove(File) error
	// Drop strikes the events of a descriptor out of the slice that the last
	// Wait filled, by making their Ready 0. Only who waits may call it.
	Drop(File) error
	// Rearm tells that an event of a direction with Edge interest is welcome
	// though no operation would have blocked.
	Rearm(File, poll.Interest) error
	NewWaker(poll.Token) (Waker, error)

	// Listen, Bind and Dial take an address as package net does, and Listen and
	// Bind tell the one they got. Dial only begins to connect; Finish, called
	// once the connection is writable, tells how that ended.
	Listen(network, addr string) (File, string, error)
	Accept(File) (File, error)
	Dial(network, addr string) (File, error)
	Finish(File) error
	Bind(network, addr string) (File, string, error)
	// Pair makes two connected sockets, by socketpair(2) or a listener.
	Pair(network string) (a, b File, err error)
	Pipe() (r, w File, err error)
	// Open opens a file or a directory for reading.
	Open(path string) (File, error)
	Dup(File) (File, error)
	// Number is the descriptor's number, that a later one may have as well.
	Number(File) (int, error)
	// Descriptors is how many are open.
	Descriptors() (int, error)
	// Exhaust uses up all descriptors, until restore.
	Exhaust() (restore func(), err error)
	// Adopt borrows the descriptor of a net.Conn, net.Listener or os.File.
	// Release gives it back.
	Adopt(syscall.Conn) (File, error)
	Release(File) error
	// Child starts a process that copies stdin to stdout, closes its copies of
	// both here, and answers how to wait for it.
	Child(stdin, stdout File) (wait func() error, err error)
	// Calls runs a machine on the descriptor that reads one byte a call, until
	// it is called no more, and answers how often it was.
	Calls(File) (int, error)

	Read(File, []byte) (int, error)
	Write(File, []byte) (int, error)
	RecvFrom(File, []byte) (n int, from string, err error)
	SendTo(f File, b []byte, to string) (int, error)
	Shutdown(File, driver.How) error
	// Reset closes a TCP connection so that its peer sees a reset.
	Reset(File) error
	Close(File) error
}

// Waker is as poll.Waker.
type Waker interface {
	Wake() error
	Close() error
}

// level and edge are the modes of a case; once is for those that have none.
const (
	level = poll.Interest(0)
	edge  = poll.Edge
)

var (
	both      = []poll.Interest{level, edge}
	levelOnly = []poll.Interest{level}
	edgeOnly  = []poll.Interest{edge}
)

// aCase is a row of the table.
type aCase struct {
	number int
	name   string
	modes  []poll.Interest
	run    func(*env)
}

// all is the table, in order.
func all() []aCase {
	return slices.Concat(waiting, registering, edges, connections, waking, sources)
}

// Report is what Run found.
type Report struct {
	Backend string
	// Ran are the cases that did, in one mode at least, by number.
	Ran map[int]bool
	// Skipped are the cases that did not run, by number, and why.
	Skipped map[int]string
	// Complete tells whether all cases were looked at: go test -run leaves out
	// some.
	Complete bool
}

// Run passes a backend through all cases, each a subtest on a System of its own.
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
		if skipped < tried { // one mode will do
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

// once runs the case in a mode, and answers why it could not.
func (c aCase) once(t *testing.T, b Backend, mode poll.Interest) string {
	sys, err := b.New()
	if err != nil {
		t.Fatal(err)
	}
	e := &env{T: t, System: sys, mode: mode, of: b, came: make(map[poll.Token]poll.Ready)}
	defer func() {
		if err := sys.Shut(); err != nil {
			t.Error("shut:", err)
		}
	}()
	return e.part(func() { c.run(e) })
}

// Lacking is a System that has nothing.
type Lacking struct{}

func lack(what string) error { return lacking(what) }

// lacking is an errors.ErrUnsupported that says what there is none of.
type lacking string

func (l lacking) Error() string        { return "no " + string(l) }
func (l lacking) Is(target error) bool { return target == errors.ErrUnsupported }

func (Lacking) After(time.Duration, func()) error                 { return lack("timed call") }
func (Lacking) Goroutines() error                                 { return lack("goroutines") }
func (Lacking) Interrupt() error                                  { return lack("interruption") }
func (Lacking) Register(File, poll.Token, poll.Interest) error    { return lack("registration") }
func (Lacking) Modify(File, poll.Token, poll.Interest) error      { return lack("change of registration") }
func (Lacking) Remove(File) error                                 { return lack("removal") }
func (Lacking) Drop(File) error                                   { return lack("removal") }
func (Lacking) Rearm(File, poll.Interest) error                   { return lack("re-arming") }
func (Lacking) NewWaker(poll.Token) (Waker, error)                { return nil, lack("waker") }
func (Lacking) Listen(network, addr string) (File, string, error) { return 0, "", lack("listener") }
func (Lacking) Accept(File) (File, error)                         { return 0, lack("listener") }
func (Lacking) Dial(network, addr string) (File, error)           { return 0, lack("dialling") }
func (Lacking) Finish(File) error                                 { return lack("dialling") }
func (Lacking) Bind(network, addr string) (File, string, error) {
	return 0, "", lack("datagram socket")
}
func (Lacking) Pair(network string) (a, b File, err error)      { return 0, 0, lack("socket pair") }
func (Lacking) Pipe() (r, w File, err error)                    { return 0, 0, lack("pipe") }
func (Lacking) Open(path string) (File, error)                  { return 0, lack("file system") }
func (Lacking) Dup(File) (File, error)                          { return 0, lack("dup") }
func (Lacking) Number(File) (int, error)                        { return 0, lack("descriptor number") }
func (Lacking) Descriptors() (int, error)                       { return 0, lack("count of descriptors") }
func (Lacking) Exhaust() (func(), error)                        { return nil, lack("limit of descriptors") }
func (Lacking) Adopt(syscall.Conn) (File, error)                { return 0, lack("adoption") }
func (Lacking) Release(File) error                              { return lack("adoption") }
func (Lacking) Child(stdin, stdout File) (func() error, error)  { return nil, lack("child process") }
func (Lacking) Calls(File) (int, error)                         { return 0, lack("loop that calls machines") }
func (Lacking) Read(File, []byte) (int, error)                  { return 0, lack("read") }
func (Lacking) Write(File, []byte) (int, error)                 { return 0, lack("write") }
func (Lacking) RecvFrom(File, []byte) (int, string, error)      { return 0, "", lack("datagram socket") }
func (Lacking) SendTo(f File, b []byte, to string) (int, error) { return 0, lack("datagram socket") }
func (Lacking) Shutdown(File, driver.How) error                 { return lack("half-close") }
func (Lacking) Reset(File) error                                { return lack("reset") }
func (Lacking) Close(File) error                                { return lack("close") }

// isEnd tells whether err ends a stream.
func isEnd(err error) bool { return errors.Is(err, io.EOF) }
