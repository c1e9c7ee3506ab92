package fuzz

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// Mistakes in a Spec are reported as such, and not as those of machines or the loop. No
// search hangs because of them.
func TestMistakesOfSpecs(t *testing.T) {
	one := func(in []byte) (byte, int, bool) { return in[0], 1, true }
	same := func(_ *struct{}, b byte) string { return string([]byte{b}) }
	model := func(input func([]byte) (byte, int, bool), step func(*struct{}, byte) string) Model[struct{}, byte] {
		return Model[struct{}, byte]{New: func() (s struct{}) { return s }, Input: input, Step: step}
	}
	long := func(n int) func([]byte) (byte, int, bool) {
		return func(in []byte) (byte, int, bool) { return in[0], n, true }
	}
	for _, c := range []struct {
		name   string
		change func(*Spec)
		want   string
	}{
		{"an input of no length", func(s *Spec) {
			s.Oracles = []Oracle{PerConn("m", model(long(0), func(*struct{}, byte) string { return "" }))}
		}, `panic: oracle "m" panicked: Model.Input returned a length of 0 for 5 bytes`},
		{"an input that is longer than all", func(s *Spec) { s.Oracles = []Oracle{PerConn("m", model(long(9), same))} },
			`panic: oracle "m" panicked: Model.Input returned a length of 9 for 5 bytes`},
		{"a step that panics", func(s *Spec) {
			s.Oracles = []Oracle{PerConn("m", model(one, func(*struct{}, byte) string { panic("no") }))}
		}, `panic: oracle "m" panicked: no`},
		{"a step that ends its test", func(s *Spec) {
			s.Oracles = []Oracle{PerConn("m", model(one, func(*struct{}, byte) string { runtime.Goexit(); return "" }))}
		}, `panic: oracle "m" ended its goroutine`},
		{"a judge that panics", func(s *Spec) { s.Oracles = []Oracle{Datagrams("m", func(_, _ []string) string { panic("no") })} },
			`panic: oracle "m" panicked: no`},
		{"an action that panics", func(s *Spec) {
			listens := s.Setup
			s.Setup = func(w *World) error {
				w.Action("burn", func(int) { panic("no") })
				return listens(w)
			}
		}, `panic: action "burn" panicked: no`},
		{"no Setup", func(s *Spec) { s.Setup = nil }, "setup: Spec.Setup is nil"},
		{"a Setup that makes nothing", func(s *Spec) { s.Setup = func(*World) error { return nil } }, "setup: Spec.Setup made nothing"},
		{"a Setup that fails", func(s *Spec) { s.Setup = func(*World) error { return reactor.ErrFull } }, "setup: " + reactor.ErrFull.Error()},
		{"a Setup that panics", func(s *Spec) { s.Setup = func(*World) error { panic("no") } }, "setup: Spec.Setup panicked: no"},
		{"a loop that is not there", func(s *Spec) { s.Setup = func(w *World) error { w.Loop(1); return nil } },
			"setup: Spec.Setup panicked: fuzz: World.Loop: no loop 1: the world has one loop, 0; Spec.Loops sets how many"},
		{"a bare loop that is not there", func(s *Spec) {
			s.Loops = 2
			s.Setup = func(w *World) error { w.Bare(-1, nil); return nil }
		}, "setup: Spec.Setup panicked: fuzz: World.Bare: no loop -1: the world has 2 loops, 0 to 1; Spec.Loops sets how many"},
		{"a signal for a loop that is not there", func(s *Spec) {
			listens := s.Setup
			s.Setup = func(w *World) error {
				w.Action("signal", func(int) { w.Signal(1, 0) })
				return listens(w)
			}
		}, `panic: action "signal" panicked: fuzz: World.Signal: no loop 1: the world has one loop, 0; Spec.Loops sets how many`},
	} {
		s := echoSpec()
		c.change(&s)
		tr, err := trace.Parse("dial 0\nsend 0\nact 0\ndatagram 0")
		if err != nil {
			t.Fatal(err)
		}
		found := Replay(s, tr)
		if found.Failure == nil || !strings.HasPrefix(found.Failure.Error(), c.want) {
			t.Errorf("%s: %v: want %s", c.name, found.Failure, c.want)
		} else if strings.HasPrefix(c.want, "setup") != strings.Contains(found.Explain(), "\nbefore the first event\n") {
			t.Errorf("%s: it is told of another moment:\n%s", c.name, found.Explain())
		}
	}
}

// An oracle without a function that it needs is reported where it is made.
func TestOraclesNeedFunctions(t *testing.T) {
	type bytewise = Model[struct{}, byte]
	input := func(in []byte) (byte, int, bool) { return in[0], 1, true }
	step := func(_ *struct{}, b byte) string { return string([]byte{b}) }
	for want, call := range map[string]func(){
		`fuzz: PerConn "m": Model.Input is nil: want a function that returns the first input of what a connection sent`:        func() { PerConn("m", bytewise{Step: step}) },
		`fuzz: PerConn "m": Model.Step is nil: want a function that returns the answer to an input`:                            func() { PerConn("m", bytewise{Input: input}) },
		`fuzz: Linear "m": Model.Input is nil: want a function that returns the first input of what a connection sent`:         func() { Linear("m", bytewise{Step: step}) },
		`fuzz: Linear "m": Model.Step is nil: want a function that returns the answer to an input`:                             func() { Linear("m", bytewise{Input: input}) },
		`fuzz: Ordered "m": next is nil: want a function that returns the first message of what a connection sent or got`:      func() { Ordered("m", nil) },
		`fuzz: Datagrams "m": wrong is nil: want a function that returns what is wrong with what a datagram peer sent and got`: func() { Datagrams("m", nil) },
	} {
		func() {
			defer func() {
				if v := recover(); v != want {
					t.Errorf("a panic with %v: want %s", v, want)
				}
			}()
			call()
		}()
	}
}
