package fuzz_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// lamp goes on with the first byte, and off with the next one. Nothing makes it glow.
type lamp struct{}

const (
	off = fsm.First + iota
	on
	glowing

	wire reactor.Port = 0
)

func (*lamp) press(cx *reactor.Context[reactor.None], _ reactor.Ready) reactor.State {
	var b [1]byte
	if _, err := cx.Read(wire, b[:]); err != nil {
		return cx.Fail(err)
	}
	if cx.State() == off {
		return on
	}
	return off
}

func newLamp() *reactor.Kind[lamp, reactor.None] {
	return reactor.Must(reactor.NewKind("lamp", reactor.Options{Ports: []string{"wire"}},
		reactor.Table[lamp, reactor.None]{
			fsm.Any: {Wait: wire.Readable(), OnReady: (*lamp).press, Shutdown: fsm.Stop},
			off:     {Name: "off", Idle: fsm.Never, To: fsm.To(on)},
			on:      {Name: "on", Idle: fsm.After(time.Hour, off), To: fsm.To(off, glowing)},
			glowing: {Name: "glowing", Within: fsm.After(time.Second, off)},
		}))
}

// A report shows what a search has seen, and what it has not.
func ExampleReport() {
	kind := newLamp()
	found := fuzz.Find(fuzz.Spec{
		Report: true,
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", lamp{})
			return err
		},
	}, 1, fuzz.Budget{Runs: 200})
	for line := range strings.Lines(found.Report.Text()) { // found.Report.HTML() is the page
		if strings.HasPrefix(line, "outcome") || strings.Contains(line, "glowing ") && strings.Contains(line, "never") {
			fmt.Println(strings.Join(strings.Fields(line), " "))
		}
	}
	// Output:
	// outcome passed
	// glowing never never · · never
	// glowing never
	// on glowing never ready
	// glowing off never within 1s
	// glowing stop never shutdown
}
