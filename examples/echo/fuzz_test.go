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
		Oracles: []fuzz.Oracle{fuzz.PerConn("the same bytes", fuzz.Model[struct{}, byte]{
			New:   func() (s struct{}) { return s },
			Input: func(in []byte) (byte, int, bool) { return in[0], 1, true },
			Step:  func(_ *struct{}, b byte) string { return string([]byte{b}) },
		})},
	}
}
