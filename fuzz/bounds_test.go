package fuzz

import (
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

// lazy has a Within of one second, and extends it to an hour.
type lazy struct{}

var lazyKind = reactor.Must(reactor.NewKind("lazy", reactor.Options{Ports: []string{"peer"}}, reactor.Table[lazy, reactor.None]{
	{Shutdown: fsm.Stop},
	{Name: "lying", Wait: peer.Readable(), Within: fsm.After(time.Second, fsm.Stop), OnReady: (*lazy).read, OnEnter: (*lazy).lie}}))

func (*lazy) lie(cx *echoCx) reactor.State {
	cx.Within(time.Hour)
	return fsm.Stay
}

func (*lazy) read(cx *echoCx, _ reactor.Ready) reactor.State {
	var b [16]byte
	_, err := cx.Read(peer, b[:])
	return cx.Fail(err)
}

// inventive is a driver that reports bytes that did not move.
type inventive struct{ driver.Driver }

func (d inventive) Read(s driver.Sock, b []byte) (int, driver.Flow, error) {
	n, flow, err := d.Driver.Read(s, b)
	if n == 0 && err == nil {
		b[0] = 'x'
		return 1, flow, nil
	}
	return n, flow, err
}

func (d inventive) Writev(s driver.Sock, v *driver.Vec) (int, driver.Flow, error) {
	n, flow, err := d.Driver.Writev(s, v)
	if n == 0 && err == nil {
		return 1, flow, nil
	}
	return n, flow, err
}

// Idle bounds silence also where messages end it. A driver that reports bytes which did not
// come puts the deadline off, and the check finds that.
func TestIdleWithMessages(t *testing.T) {
	var to reactor.Ref[int]
	k := reactor.Must(reactor.NewKind("waiter", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, int]{
		{Shutdown: fsm.Stop},
		{Name: "waiting", Wait: peer.Readable(), Idle: fsm.After(10*time.Second, fsm.Stop),
			OnEnter: func(_ *struct{}, cx *chatCx) reactor.State { to = cx.Self(); return fsm.Stay },
			OnReady: func(_ *struct{}, cx *chatCx, _ reactor.Ready) reactor.State {
				var b [16]byte
				_, err := cx.Read(peer, b[:])
				return cx.Fail(err)
			},
			OnMessage: func(*struct{}, *chatCx, *int) reactor.State { return fsm.Stay }}}))
	s := Spec{Without: Segmentation | HangUp | SpuriousEvents, Setup: func(w *World) error {
		w.Action("a message", func(n int) { to.Send(n) })
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}}
	broken := s
	broken.wrap = func(d driver.Driver) driver.Driver { return inventive{d} }
	const busy = "dial 0\nadvance n=9 unit=3\nact 0\nadvance n=9 unit=3\nact 0\nadvance n=9 unit=3\n"
	const lied = "dial 0\nadvance n=9 unit=3\nspurious 0 bits=1\nadvance n=9 unit=3\n"
	for _, c := range []struct {
		name, trace, want string
		spec              Spec
	}{
		{"messages end the silence", busy, "", s},
		{"nothing ends it", lied, "", s},
		{"nothing did", lied, "deadline: waiter is in state waiting, ", broken},
	} {
		tr, err := trace.Parse(c.trace)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if f := newEngine(c.spec).check(tr, false); f != nil {
			got = f.Error()
		}
		if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q: want %q", c.name, got, c.want)
		}
	}
}

// The check finds each deadline that is not kept: one that a handler put off, and those
// that a driver makes the loop put off.
func TestDeadlinesAreJudged(t *testing.T) {
	broken := echoSpec()
	broken.Dict = append(broken.Dict, string(make([]byte, 4000)))
	broken.Without = Segmentation | SpuriousEvents
	whole := broken
	broken.wrap = func(d driver.Driver) driver.Driver { return inventive{d} }
	lazy := broken
	lazy.wrap, lazy.Setup = nil, func(w *World) error {
		_, err := lazyKind.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}
	const idle = "dial 0\nadvance n=50 unit=3\nspurious 0 bits=1\nadvance n=50 unit=3\n"
	const stall = "dial 0\npace 0 bytes=0\nwindow 0 bytes=10\nsend 0 word=3\nadvance n=8 unit=3\nspurious 0 bits=2\n" +
		"advance n=8 unit=3\nspurious 0 bits=2\nadvance n=8 unit=3\n"
	for _, c := range []struct {
		name, trace string
		spec        Spec
		want        string
	}{
		{"Within", "dial 0\nadvance n=3 unit=3\n", lazy, "deadline: lazy is in state lying, 2s after its Within has passed"},
		{"Within that has not passed", "dial 0\nadvance n=999 unit=1\n", lazy, ""},
		{"Idle", idle, broken, "deadline: echo is in state echoing, "},
		{"Idle that is kept", idle, whole, ""},
		{"Stall", stall, broken, "deadline: echo is in state echoing, "},
		{"Stall that is kept", stall, whole, ""},
	} {
		tr, err := trace.Parse(c.trace)
		if err != nil {
			t.Fatal(err)
		}
		spec := c.spec
		w := newEngine(spec)
		w.begin(tr)
		for _, e := range tr {
			w.world.Do(e)
		}
		got := ""
		if w.judge.Failure() != nil {
			got = w.judge.Failure().Error()
		}
		w.world.Cleanup()
		if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q: want %q", c.name, got, c.want)
		}
	}
}
