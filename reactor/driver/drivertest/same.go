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

// Same makes the same random calls on two backends, each on descriptors of its
// own, and fails t when their waits differ. With level-triggered interest they
// have to tell the same of every descriptor after each call; with edges, the
// same has to be known once all that was told as readable has been drained. A
// call that a backend lacks skips the test.
func Same(t *testing.T, a, b Backend, seed uint64, calls int) {
	for _, mode := range both {
		t.Run(modeName(mode), func(t *testing.T) {
			s := &same{T: t, mode: mode, apart: a.Apart || b.Apart, unhinted: a.Unhinted || b.Unhinted, rnd: rand.New(rand.NewPCG(seed, uint64(mode)))}
			for i, backend := range []Backend{a, b} {
				sys, err := backend.New()
				if err != nil {
					t.Fatal(err)
				}
				defer sys.Shut()
				s.sys[i], s.known[i] = sys, make(map[poll.Token]poll.Ready)
				s.name[i] = backend.Name
			}
			for range calls {
				s.step()
				if mode == edge {
					s.settle()
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
	ended         bool // its reader has seen the end, or an error
}

// directions are those that x has: a pipe's end has one.
func (x *twin) directions() (i poll.Interest) {
	if x.reads {
		i |= poll.Readable
	}
	if x.writes {
		i |= poll.Writable
	}
	return i
}

// same is the program under way.
type same struct {
	*testing.T
	mode     poll.Interest
	apart    bool // Backend.Apart of either
	unhinted bool // Backend.Unhinted of either
	rnd      *rand.Rand
	name     [2]string
	sys      [2]System
	known    [2]map[poll.Token]poll.Ready // what waits told and operations did not refute
	twins    []*twin
	calls    []string // the program so far, to be printed when it fails
	last     poll.Token
}

// say notes a call of the program.
func (s *same) say(format string, args ...any) {
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
}

// differ fails the test with the end of the program.
func (s *same) differ(format string, args ...any) {
	s.Helper()
	for _, call := range s.calls[max(0, len(s.calls)-40):] {
		s.Log(call)
	}
	s.Fatalf(format, args...)
}

// do makes a call on both Systems, which have to answer alike, and answers what
// they do. What is under way in one of them is given time to arrive.
func (s *same) do(what string, x *twin, f func(System, File) (int, error)) (int, error) {
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
	s.say("%s %s %d: %d, %v", what, x.network, x.token, n[0], err[0])
	if n[0] != n[1] || class(err[0]) != class(err[1]) {
		s.differ("%s: %s answers %d, %v; %s %d, %v", what, s.name[0], n[0], err[0], s.name[1], n[1], err[1])
	}
	return n[0], err[0]
}

// class is what an error says whatever the descriptor's number.
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
func (s *same) open() {
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
func (s *same) step() {
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
		if x.writes && x.network != "tcp" { // whose buffers depend on the time
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

func (s *same) register(x *twin) {
	s.last++
	t, i := s.last, s.interest()
	_, err := s.do("register", x, func(sys System, f File) (int, error) { return 0, sys.Register(f, t, i) })
	if err == nil {
		x.registered, x.token, x.interest = true, t, i
	}
}

func (s *same) modify(x *twin) {
	s.last++
	t, i := s.last, s.interest()
	_, err := s.do("modify", x, func(sys System, f File) (int, error) { return 0, sys.Modify(f, t, i) })
	if err == nil {
		s.forget(x)
		x.registered, x.token, x.interest = true, t, i
	}
}

func (s *same) remove(x *twin) {
	_, err := s.do("remove", x, func(sys System, f File) (int, error) { return 0, sys.Remove(f) })
	if err == nil {
		s.forget(x)
	}
}

// close closes x, which removes it.
func (s *same) close(x *twin) {
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

// forget drops what is known of x, which is not registered any more.
func (s *same) forget(x *twin) {
	x.registered = false
	for i := range s.known {
		delete(s.known[i], x.token)
	}
}

func (s *same) interest() poll.Interest {
	return poll.Interest(1+s.rnd.IntN(3)) | s.mode
}

// read reads up to n bytes, and tells whether there may be more.
func (s *same) read(x *twin, n int) bool {
	if !x.reads || x.ended {
		return false
	}
	b := make([]byte, n)
	_, err := s.do("read", x, func(sys System, f File) (int, error) { return sys.Read(f, b) })
	s.refute(x, err, poll.Readable)
	x.ended = err != nil && !errors.Is(err, ErrWouldBlock) && x.network != "unixgram"
	return err == nil
}

// fill writes until that would block.
func (s *same) fill(x *twin) {
	b := make([]byte, 4096)
	for {
		_, err := s.do("write", x, func(sys System, f File) (int, error) { return sys.Write(f, b) })
		s.refute(x, err, poll.Writable)
		if err != nil {
			return
		}
	}
}

// refute drops what was known of a direction that would have blocked.
func (s *same) refute(x *twin, err error, dir poll.Ready) {
	if errors.Is(err, ErrWouldBlock) && s.mode == edge {
		for i := range s.known {
			s.known[i][x.token] &^= dir
		}
	}
}

// collect takes in what both Systems have to tell, and tells whether there was
// anything.
func (s *same) collect() (any bool) {
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
				// An error after a hang-up is no news, but some tell it.
				ev.Ready &^= poll.Error
			}
			s.known[i][ev.Token] |= s.common(ev)
			any = true
		}
	}
	return any
}

// common is what of an event both Systems tell.
func (s *same) common(ev poll.Event) poll.Ready {
	if s.unhinted {
		ev.Ready &^= poll.ReadClosed
	}
	if s.apart {
		for _, x := range s.twins {
			if x.registered && x.token == ev.Token {
				return apart(ev.Ready, x.interest&x.directions())
			}
		}
	}
	return ev.Ready
}

// settle reads all that was told as readable, by either, until nothing more is
// told.
func (s *same) settle() {
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

// compare fails the test unless both Systems know the same of each descriptor,
// once what is under way has had time to arrive.
func (s *same) compare() {
	s.Helper()
	for end := time.Now().Add(time.Second); ; time.Sleep(50 * time.Microsecond) {
		if s.mode == edge {
			s.settle()
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
			s.differ("%s knows %v; %s knows %v", s.name[0], s.known[0], s.name[1], s.known[1])
		}
	}
}
