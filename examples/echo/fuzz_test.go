package main

import (
	"testing"

	"github.com/stator-go/stator/fuzz"
)

func TestFuzz(t *testing.T)  { fuzz.Run(t, spec()) }
func FuzzTrace(f *testing.F) { fuzz.Native(f, spec()) }

func spec() fuzz.Spec {
	kind := newEcho()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", conn{})
			return err
		},
		Dict:     []string{"hello", "\n", string(make([]byte, 9000))},
		Isolated: true,
		Oracles: []fuzz.Oracle{fuzz.PerConn("the same bytes", fuzz.Model[struct{}, string]{
			Input: func(in []byte) (string, int, bool) { return string(in), len(in), true },
			Step:  func(_ *struct{}, in string) string { return in },
		})},
	}
}
