package reactor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

type empty struct{}

func nothing(*empty, *reactor.Context[reactor.None], reactor.Ready) reactor.State { return fsm.Stay }

// The error of a bad table names each mistake and its state.
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
		{"no OnReady", reactor.Options{Ports: []string{"one"}}, rows{{}, {Name: "first", Within: fsm.Never, Wait: reactor.Port(0).Readable()}},
			[]string{`"first"`, "OnReady"}},
		{"start", reactor.Options{Start: 5}, rows{{}, {Name: "first", Within: fsm.After(time.Second, fsm.Stop)}}, []string{"start 5"}},
		{"mailbox", reactor.Options{Mailbox: -1}, rows{{}, {Name: "first", Within: fsm.After(time.Second, fsm.Stop)}}, []string{"Mailbox -1", "64"}},
		{"five ports", reactor.Options{Ports: make([]string, 5)}, rows{{}, {Name: "first", Within: fsm.After(time.Second, fsm.Stop)}}, []string{"5 ports"}},
	} {
		_, err := reactor.NewKind("bad", test.o, test.rows)
		for _, want := range append(test.want, `kind "bad"`) {
			if !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("%s: got error %q, want one that contains %q", test.what, err, want)
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("Must of a bad table: got no panic, want one")
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
			t.Errorf("%+v: got error %v, want one that contains %q", test.cfg, err, test.want)
		}
	}
}
