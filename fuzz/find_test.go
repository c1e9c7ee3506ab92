package fuzz

import (
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// sameBytes is the model of an echo.
var sameBytes = PerConn("echo", Model[struct{}, byte]{
	New:   func() (s struct{}) { return s },
	Input: func(in []byte) (byte, int, bool) { return in[0], 1, true },
	Step:  func(_ *struct{}, b byte) string { return string([]byte{b}) },
})

func TestEchoPasses(t *testing.T) {
	s := echoSpec()
	s.Oracles, s.Isolated = []Oracle{sameBytes}, true
	found := Find(s, 1, Budget{Runs: 2000})
	if found.Failure != nil {
		t.Fatalf("%v\n%s", found.Failure, found.Trace)
	}
	t.Logf("%d runs, %d events, corpus %d, missing %v", found.Runs, found.Events, found.Corpus, found.Missing)
}

var _ = fsm.Stay
var _ reactor.None
