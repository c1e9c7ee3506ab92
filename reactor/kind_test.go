package reactor_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

type empty struct{}

func nothing(*empty, *reactor.Context[reactor.None], reactor.Ready) reactor.State { return fsm.Stay }

// What is wrong with a table is named with its state, all of it at once.
func TestBadTables(t *testing.T) {
	type rows = reactor.Table[empty, reactor.None]
	for _, test := range []struct {
		what string
		o    reactor.Options
		rows rows
		want []string // in the error
	}{
		{"no states", reactor.Options{}, rows{fsm.Any: {}}, []string{"0 states"}},
		{"may wait for ever", reactor.Options{}, rows{{}, {Name: "first", Shutdown: fsm.Stop}}, []string{`"first"`, "for ever"}},
		{"two mistakes", reactor.Options{}, rows{{}, {Name: "first", Within: fsm.Never, To: fsm.To(2)}, {Name: "second", Within: fsm.After(time.Second, 9)}},
			[]string{`"second"`, "9"}},
		{"a port that is not there", reactor.Options{Ports: []string{"one"}}, rows{{}, {Name: "first", Within: fsm.Never, Wait: reactor.Port(1).Readable(), OnReady: nothing}},
			[]string{`"first"`, "port 1"}},
		{"nobody is told", reactor.Options{Ports: []string{"one"}}, rows{{}, {Name: "first", Within: fsm.Never, Wait: reactor.Port(0).Readable()}},
			[]string{`"first"`, "Ready"}},
		{"start", reactor.Options{Start: 5}, rows{{}, {Name: "first", Within: fsm.After(time.Second, fsm.Stop)}}, []string{"start 5"}},
		{"mailbox", reactor.Options{Mailbox: -1}, rows{{}, {Name: "first", Within: fsm.After(time.Second, fsm.Stop)}}, []string{"Mailbox -1", "64"}},
		{"five ports", reactor.Options{Ports: make([]string, 5)}, rows{{}, {Name: "first", Within: fsm.After(time.Second, fsm.Stop)}}, []string{"5 ports"}},
	} {
		_, err := reactor.NewKind("bad", test.o, test.rows)
		for _, want := range append(test.want, `kind "bad"`) {
			if !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("%s: the error %q does not name %s", test.what, err, want)
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("Must took a bad table")
		}
	}()
	reactor.Must(reactor.NewKind("bad", reactor.Options{}, rows{}))
}

func TestBadConfig(t *testing.T) {
	for _, test := range []struct {
		cfg  reactor.Config
		want string
	}{
		{reactor.Config{Slots: -1}, "Slots -1"},
		{reactor.Config{Slots: 1<<24 + 1}, "16777216"},
		{reactor.Config{ID: 256}, "255"},
		{reactor.Config{Resolution: time.Microsecond}, "100µs"},
		{reactor.Config{Steps: -3}, "Steps -3"},
	} {
		test.cfg.Driver = newFake(t)
		if _, err := reactor.NewLoop(test.cfg); !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("%+v: %v, want it to name %s", test.cfg, err, test.want)
		}
	}
}

func TestSlabIsFull(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{Slots: 3})
	k := walkers(t, ended)
	few := kind(t, "few", reactor.Options{MaxMachines: 1}, reactor.Table[empty, reactor.None]{
		{}, {Name: "first", Within: fsm.After(time.Hour, fsm.Stop)}})
	spawn(t, l, few, empty{})
	if _, err := few.Spawn(l, empty{}); !errors.Is(err, reactor.ErrFull) {
		t.Errorf("one more than Options.MaxMachines: %v", err)
	}
	ref := spawn(t, l, k, walker{log: log})
	spawn(t, l, k, walker{log: log})
	if _, err := k.Spawn(l, walker{log: log}); !errors.Is(err, reactor.ErrFull) || !strings.Contains(err.Error(), "walker") {
		t.Errorf("one more than Config.Slots: %v", err)
	}
	s := d.sock()
	if _, err := readers(t, reactor.Options{}, reactor.Port(0).Readable()).Adopt(l, fakeConn{s}, reader{}); !errors.Is(err, reactor.ErrFull) {
		t.Errorf("adopt with all slots taken: %v", err)
	}
	if !s.isClosed() {
		t.Error("what was not adopted leaks")
	}
	d.send(ref, fsm.Stop)
	again := spawn(t, l, k, walker{log: log})
	if again.Token() == ref.Token() || again.Token().Index() != ref.Token().Index() {
		t.Errorf("the slot of %v went to %v", ref.Token(), again.Token())
	}
}

func TestRefOfAToken(t *testing.T) {
	d, d2, log, ended := newFake(t), newFake(t), &journal{}, newEnds()
	l, l2 := d.start(reactor.Config{}), d2.start(reactor.Config{})
	k := walkers(t, ended)
	ref := spawn(t, l, k, walker{log: log})
	if back, err := k.Ref(l, ref.Token()); err != nil || back != ref {
		t.Errorf("its own token: %v, %v", back, err)
	}
	if _, err := k.Ref(l2, ref.Token()); !errors.Is(err, reactor.ErrForeign) {
		t.Errorf("a token of another loop: %v", err)
	}
	few := kind(t, "few", reactor.Options{}, reactor.Table[empty, reactor.None]{
		{}, {Name: "first", Within: fsm.After(time.Hour, fsm.Stop)}})
	if _, err := few.Ref(l, ref.Token()); !strings.Contains(fmt.Sprint(err), "walker") {
		t.Errorf("a token of another kind: %v", err)
	}
	d.send(ref, fsm.Stop)
	if _, err := k.Ref(l, ref.Token()); !errors.Is(err, reactor.ErrStale) {
		t.Errorf("the token of one that ended: %v", err)
	}
	for _, token := range []reactor.Token{0, ^reactor.Token(0)} {
		if _, err := k.Ref(l, token); err == nil {
			t.Errorf("token %v is somebody's", token)
		}
	}
}

func TestLoopIDs(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{ID: 77})
	if _, err := reactor.NewLoop(reactor.Config{ID: 77, Slots: 1, Driver: newFake(t)}); err == nil {
		t.Error("two loops have the same number")
	}
	l.Close()
	run(t, reactor.Config{ID: 77, Driver: newFake(t)})
}

// A handler gives the loop work as its IO; the Loop itself would wait for itself.
func TestSpawnFromAHandler(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{})
	k := walkers(t, ended)
	failed := make(chan error, 2)
	ref := spawn(t, l, kind(t, "parent", reactor.Options{}, reactor.Table[reader, reactor.State]{
		fsm.Any: {OnMessage: func(_ *reader, cx *read, to *reactor.State) reactor.State {
			_, err := k.Spawn(l, walker{log: log})
			failed <- err
			child, err := k.Spawn(&cx.IO, walker{log: log})
			if err == nil {
				err = child.Post(&cx.IO, *to) // it reaches its child before the first event does
			}
			failed <- err
			return fsm.Stay
		}},
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	}), reader{})
	d.send(ref, busy)
	if err := <-failed; !errors.Is(err, reactor.ErrInHandler) {
		t.Errorf("with the Loop as its place: %v", err)
	}
	if err := <-failed; err != nil {
		t.Errorf("with its IO: %v", err)
	}
	log.want(t, "born +1 -1 +2")
}

// Handlers of two loops that ask for each other would wait for ever: they are told.
func TestCallsFromAnotherLoopsHandler(t *testing.T) {
	var ds [2]*fake
	var ls [2]*reactor.Loop
	for i := range ls {
		ds[i] = newFake(t)
		ls[i] = ds[i].start(reactor.Config{})
		ds[i].settle()
	}
	log, ended := &journal{}, newEnds()
	k := walkers(t, ended)
	var both sync.WaitGroup // each asks while the other one is in its handler
	both.Add(2)
	failed := make(chan error, 10)
	for i, l := range ls {
		other := ls[1-i]
		ref := spawn(t, l, kind(t, "asker", reactor.Options{}, reactor.Table[reader, reactor.State]{
			fsm.Any: {OnMessage: func(*reader, *read, *reactor.State) reactor.State {
				both.Done()
				both.Wait()
				_, err := k.Spawn(other, walker{log: log})
				failed <- err
				_, err = k.Ref(other, 1)
				failed <- err
				_, err = other.Stats()
				failed <- err
				failed <- other.Shutdown(context.Background())
				failed <- other.Close()
				return fsm.Stay
			}},
			idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
		}), reader{})
		if err := ref.Send(idle); err != nil {
			t.Fatal(err)
		}
	}
	for range cap(failed) {
		if err := answer(t, "a call from a handler", failed); !errors.Is(err, reactor.ErrInHandler) {
			t.Errorf("%v, want ErrInHandler", err)
		}
	}
}

// Each call names what is wrong when its port does not exist, or is not open.
func TestUseOfAPortThatIsNotThere(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	wrong := make(chan string, 100)
	ref := spawn(t, l, kind(t, "blind", reactor.Options{Ports: []string{"only"}}, reactor.Table[reader, reactor.State]{
		fsm.Any: {OnMessage: func(_ *reader, cx *read, _ *reactor.State) reactor.State {
			var b [8]byte
			for _, p := range []reactor.Port{0, 1, 3, 4, 255} {
				_, errRead := cx.Read(p, b[:])
				_, errPeek := cx.Peek(p)
				_, errSome := cx.WriteSome(p, b[:])
				_, _, errFrom := cx.ReadFrom(p, b[:])
				_, errCopy := cx.Copy(p, 0)
				_, errRelease := cx.Release(p)
				for what, err := range map[string]error{"Read": errRead, "Peek": errPeek, "Write": cx.Write(p, b[:]), "WriteSome": errSome,
					"ReadFrom": errFrom, "Copy": errCopy, "Release": errRelease, "Err": cx.Err(p), "CloseWrite": cx.CloseWrite(p)} {
					switch closed := errors.Is(err, reactor.ErrClosed); {
					case err == nil, p == 0 && !closed:
						wrong <- fmt.Sprintf("%s of port %d: %v", what, p, err)
					case p > 0 && what != "Copy" && !strings.Contains(err.Error(), "Options.Ports"):
						wrong <- fmt.Sprintf("%s of port %d: %v: does not say what there is", what, p, err)
					}
				}
				cx.Discard(p, 3)
				cx.Close(p)
				if p > 0 && cx.Dial(p, "tcp", "127.0.0.1:1") == nil {
					wrong <- fmt.Sprintf("Dial of port %d", p)
				}
				if n := cx.Buffered(p); n != 0 || cx.RemoteAddr(p).IsValid() {
					wrong <- fmt.Sprintf("Pending of port %d: %d", p, n)
				}
			}
			return fsm.Stay
		}},
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	}), reader{})
	d.send(ref, idle)
	close(wrong)
	for w := range wrong {
		t.Error(w)
	}
	if n := stats(t, l).Panics; n != 0 {
		t.Error("it panicked")
	}
}

func TestListenOnATakenAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	l := system(t, reactor.Config{})
	k := readers(t, reactor.Options{}, reactor.Port(0).Readable())
	_, err = k.Listen(l, "tcp", taken.Addr().String(), reader{})
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("%v, want an error that names %v", err, taken.Addr())
	}
	for _, bad := range [][2]string{{"tcp", "nonsense"}, {"carrier pigeon", "127.0.0.1:1"}, {"tcp4", "[::1]:0"}, {"unix", ""}} {
		if _, err := k.Listen(l, bad[0], bad[1], reader{}); err == nil {
			t.Errorf("listening on %q", bad)
		}
	}
}

// system runs a loop over the operating system.
func system(t testing.TB, cfg reactor.Config) *reactor.Loop {
	t.Helper()
	probe, err := reactor.NewLoop(reactor.Config{Slots: 1})
	if errors.Is(err, reactor.ErrUnsupported) {
		t.Skip(err)
	} else if err == nil {
		probe.Close()
	}
	return run(t, cfg)
}
