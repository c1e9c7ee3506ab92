package fuzz

import (
	"strings"
	"testing"

	"github.com/stator-go/stator/fuzz/trace"
)

// Show shows a run that passes, and makes one in which all words are sent if it gets none.
func TestShow(t *testing.T) {
	shows := func(name, text string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in:\n%s", name, w, text)
			}
		}
	}
	shows("a client", Show(Spec{Dict: []string{"number 7\n"}, Setup: func(w *World) error {
		_, err := callerKind.Spawn(w.Loop(0), caller{})
		return err
	}}, nil), " events passes\n", "caller: any → calling", "sequenceDiagram", "sends", "time passes by 1m")
	shows("roles", Show(castSpec(), nil), "passes\n", `"get"`, `"set"`, `"stop"`, `"start"`, `"common"`, `"404"`)
	shows("echo", Show(echoSpec(), nil), "passes\n", "machine reads", "machine writes", "half-closes", "The handlers that ran")
	shows("a trace", Show(panicky(), trace.Trace{{Op: trace.Dial}, {Op: trace.Send, A: 0}}), "a run of 2 events passes\n", `"word"`)
	shows("a failure", Show(panicky(), nil), "panic: panicky panicked in state", "The handlers that ran", "find_test.go")
}
