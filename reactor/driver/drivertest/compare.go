package drivertest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Compare makes the same random calls on two backends, each with descriptors of its own, and
// fails t if the results of their waits differ. Level-triggered, they must report the same
// readiness of each descriptor after each call. Edge-triggered, the readiness reported so
// far must be the same once all readable descriptors were drained. The test is skipped if a
// backend does not support a call.
func Compare(t *testing.T, a, b Backend, seed uint64, calls int) {
	for _, mode := range both {
		t.Run(modeName(mode), func(t *testing.T) {
			s := &comparison{T: t, mode: mode, perDirection: a.PerDirection || b.PerDirection, noReadClosed: a.NoReadClosed || b.NoReadClosed, rnd: rand.New(rand.NewPCG(seed, uint64(mode)))}
			for i, backend := range []Backend{a, b} {
				sys, err := backend.New()
				if err != nil {
					t.Fatal(err)
				}
				defer sys.CloseAll()
				s.sys[i], s.known[i] = sys, make(map[poll.Token]poll.Ready)
				s.name[i] = backend.Name
			}
			for range calls {
				s.step()
				if mode == edge {
					s.drainAll()
				}
				s.compare()
			}
		})
	}
}

// twin is a descriptor in both Systems.
type twin struct {
	f             [2]File
	network       string
	reads, writes bool
	registered    bool
	token         poll.Token
	interest      poll.Interest
	ended         bool // a read returned the end or an error
}

// directions returns the directions that x has: an end of a pipe has one.
func (x *twin) directions() (i poll.Interest) {
	if x.reads {
		i |= poll.Readable
	}
	if x.writes {
		i |= poll.Writable
	}
	return i
}

// comparison is the state of a run of Compare.
type comparison struct {
	*testing.T
	mode         poll.Interest
	perDirection bool // Backend.PerDirection of either
	noReadClosed bool // Backend.NoReadClosed of either
	rnd          *rand.Rand
	name         [2]string
	sys          [2]System
	known        [2]map[poll.Token]poll.Ready // readiness that waits reported and operations did not disprove
	twins        []*twin
	calls        []string // all calls so far, for failure messages
	last         poll.Token
}

// record adds a call to calls.
func (s *comparison) record(format string, args ...any) {
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
}

// fail fails the test and logs the last calls.
func (s *comparison) fail(format string, args ...any) {
	s.Helper()
	for _, call := range s.calls[max(0, len(s.calls)-40):] {
		s.Log(call)
	}
	s.Fatalf(format, args...)
}

// do makes a call on both Systems, which must return the same. If only one of them would
// block, it is called again for a while, as data may not have arrived yet.
func (s *comparison) do(what string, x *twin, f func(System, File) (int, error)) (int, error) {
	s.Helper()
	var n [2]int
	var err [2]error
	for i := range s.sys {
		n[i], err[i] = f(s.sys[i], x.f[i])
		if errors.Is(err[i], errors.ErrUnsupported) {
			s.Skip(err[i])
		}
	}
	blocked := func(i int) bool { return errors.Is(err[i], ErrWouldBlock) }
	for end := time.Now().Add(time.Second); blocked(0) != blocked(1) && time.Now().Before(end); {
		i := 0
		if blocked(1) {
			i = 1
		}
		n[i], err[i] = f(s.sys[i], x.f[i])
	}
	s.record("%s %s %d: %d, %v", what, x.network, x.token, n[0], err[0])
	if n[0] != n[1] || class(err[0]) != class(err[1]) {
		s.fail("%s: %s returns %d, %v; %s returns %d, %v", what, s.name[0], n[0], err[0], s.name[1], n[1], err[1])
	}
	return n[0], err[0]
}

// class returns the text of an error without the number of a descriptor.
func class(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrWouldBlock), isEnd(err):
		return err.Error()
	}
	if text := errno.Text(err); text != "" {
		return text
	}
	return err.Error()
}

// open adds a pair of descriptors.
func (s *comparison) open() {
	networks := []string{"unix", "unixgram", "tcp", "pipe"}
	network := networks[s.rnd.IntN(len(networks))]
	x, y := &twin{network: network, reads: true, writes: true}, &twin{network: network, reads: true, writes: true}
	if network == "pipe" {
		x.writes, y.reads = false, false
	}
	for i, sys := range s.sys {
		var err error
		if network == "pipe" {
			x.f[i], y.f[i], err = sys.Pipe()
		} else {
			x.f[i], y.f[i], err = sys.Pair(network)
		}
		if errors.Is(err, errors.ErrUnsupported) {
			return
		}
		if err != nil {
			s.Fatal(err)
		}
	}
	s.twins = append(s.twins, x, y)
}

// step makes one random call.
func (s *comparison) step() {
	if len(s.twins) < 16 {
		s.open()
		return
	}
	x := s.twins[s.rnd.IntN(len(s.twins))]
	switch s.rnd.IntN(12) {
	case 0, 1, 2:
		s.register(x)
	case 3:
		s.modify(x)
	case 4:
		s.remove(x)
	case 5, 6:
		if x.writes {
			b := make([]byte, 1+s.rnd.IntN(100))
			s.do("write", x, func(sys System, f File) (int, error) { return sys.Write(f, b) })
		}
	case 7:
		if x.writes && x.network != "tcp" { // TCP's buffers depend on the time
			s.fill(x)
		}
	case 8, 9:
		s.read(x, 1+s.rnd.IntN(100))
	case 10:
		if x.network == "unix" || x.network == "tcp" {
			how := driver.How(1 << s.rnd.IntN(2))
			s.do(fmt.Sprint("shutdown ", how), x, func(sys System, f File) (int, error) { return 0, sys.Shutdown(f, how) })
		}
	case 11:
		if s.rnd.IntN(2) == 0 {
			s.close(x)
		}
	}
}

func (s *comparison) register(x *twin) {
	s.last++
	t, i := s.last, s.interest()
	_, err := s.do("register", x, func(sys System, f File) (int, error) { return 0, sys.Register(f, t, i) })
	if err == nil {
		x.registered, x.token, x.interest = true, t, i
	}
}

func (s *comparison) modify(x *twin) {
	s.last++
	t, i := s.last, s.interest()
	_, err := s.do("modify", x, func(sys System, f File) (int, error) { return 0, sys.Modify(f, t, i) })
	if err == nil {
		s.forget(x)
		x.registered, x.token, x.interest = true, t, i
	}
}

func (s *comparison) remove(x *twin) {
	_, err := s.do("remove", x, func(sys System, f File) (int, error) { return 0, sys.Remove(f) })
	if err == nil {
		s.forget(x)
	}
}

// close closes x, which also removes it.
func (s *comparison) close(x *twin) {
	s.do("close", x, func(sys System, f File) (int, error) { return 0, sys.Close(f) })
	s.forget(x)
	for i := range s.twins {
		if s.twins[i] == x {
			s.twins[i] = s.twins[len(s.twins)-1]
			s.twins = s.twins[:len(s.twins)-1]
			return
		}
	}
}

// forget deletes what is known about x, which is no longer registered.
func (s *comparison) forget(x *twin) {
	x.registered = false
	for i := range s.known {
		delete(s.known[i], x.token)
	}
}

func (s *comparison) interest() poll.Interest {
	return poll.Interest(1+s.rnd.IntN(3)) | s.mode
}

// read reads up to n bytes and reports whether there may be more.
func (s *comparison) read(x *twin, n int) bool {
	if !x.reads || x.ended {
		return false
	}
	b := make([]byte, n)
	_, err := s.do("read", x, func(sys System, f File) (int, error) { return sys.Read(f, b) })
	s.disprove(x, err, poll.Readable)
	x.ended = err != nil && !errors.Is(err, ErrWouldBlock) && x.network != "unixgram"
	return err == nil
}

// fill writes until a write would block.
func (s *comparison) fill(x *twin) {
	b := make([]byte, 4096)
	for {
		_, err := s.do("write", x, func(sys System, f File) (int, error) { return sys.Write(f, b) })
		s.disprove(x, err, poll.Writable)
		if err != nil {
			return
		}
	}
}

// disprove deletes the known readiness of a direction if an operation would have blocked.
func (s *comparison) disprove(x *twin, err error, dir poll.Ready) {
	if errors.Is(err, ErrWouldBlock) && s.mode == edge {
		for i := range s.known {
			s.known[i][x.token] &^= dir
		}
	}
}

// collect adds the events of both Systems to known and reports whether there were any.
func (s *comparison) collect() (any bool) {
	var dst [64]poll.Event
	for i, sys := range s.sys {
		if s.mode == level {
			clear(s.known[i])
		}
		n, err := sys.Wait(dst[:], 0)
		if err != nil {
			s.Fatal(err)
		}
		for _, ev := range dst[:n] {
			if s.mode == edge {
				// Some backends report an error after a hang-up, which is nothing new.
				ev.Ready &^= poll.Error
			}
			s.known[i][ev.Token] |= s.common(ev)
			any = true
		}
	}
	return any
}

// common returns the part of an event that both Systems report.
func (s *comparison) common(ev poll.Event) poll.Ready {
	if s.noReadClosed {
		ev.Ready &^= poll.ReadClosed
	}
	if s.perDirection {
		for _, x := range s.twins {
			if x.registered && x.token == ev.Token {
				return perDirection(ev.Ready, x.interest&x.directions())
			}
		}
	}
	return ev.Ready
}

// drainAll reads from all descriptors that either System reported as readable, until nothing
// more is reported.
func (s *comparison) drainAll() {
	for s.collect() {
		for _, x := range s.twins {
			for i := range s.known {
				if x.registered && s.known[i][x.token]&poll.Readable != 0 {
					for s.read(x, 4096) {
					}
				}
			}
		}
	}
}

// compare fails the test unless the same is known about each descriptor in both Systems. It
// waits for data that has not arrived yet.
func (s *comparison) compare() {
	s.Helper()
	for end := time.Now().Add(time.Second); ; time.Sleep(50 * time.Microsecond) {
		if s.mode == edge {
			s.drainAll()
		} else {
			s.collect()
		}
		for i := range s.known {
			maps.DeleteFunc(s.known[i], func(_ poll.Token, r poll.Ready) bool { return r == 0 })
		}
		if maps.Equal(s.known[0], s.known[1]) {
			return
		}
		if time.Now().After(end) {
			s.fail("%s reported %v; %s reported %v", s.name[0], s.known[0], s.name[1], s.known[1])
		}
	}
}
