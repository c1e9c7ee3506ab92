package sig_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stator-go/stator/sig"
)

// whistle is a signal of a type that os/signal does not know.
type whistle struct{}

func (whistle) String() string { return "whistle" }
func (whistle) Signal()        {}

func TestSet(t *testing.T) {
	none := sig.Of()
	if none != 0 || none.Has(os.Interrupt) || none.String() != "none" {
		t.Errorf("empty set: %#x, %v", uint64(none), none)
	}
	s := sig.Of(os.Interrupt, os.Kill)
	if !s.Has(os.Interrupt) || !s.Has(os.Kill) || s != sig.Of(os.Kill)|sig.Of(os.Interrupt) {
		t.Errorf("%#x: does not have what it was made of", uint64(s))
	}
	if got, want := s.String(), os.Interrupt.String()+"|"+os.Kill.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSignalWithoutNumber(t *testing.T) {
	s := sig.Of(whistle{})
	if s != sig.Unknown || s.Has(whistle{}) || !strings.Contains(s.String(), "without a number") {
		t.Errorf("%#x, %v", uint64(s), s)
	}
	src := open(t, func() {})
	if err := src.Notify(s); !errors.Is(err, sig.ErrUncatchable) {
		t.Errorf("Notify: %v", err)
	}
}

func TestOpenWithoutWake(t *testing.T) {
	if s, err := sig.Open(nil); err == nil || s != nil {
		t.Errorf("%v, %v", s, err)
	}
}

func TestUncatchable(t *testing.T) {
	src := open(t, func() {})
	err := src.Notify(sig.Of(os.Kill))
	if !errors.Is(err, sig.ErrUncatchable) || !strings.Contains(err.Error(), os.Kill.String()) {
		t.Errorf("Notify(os.Kill): %v", err)
	}
}

func TestClosed(t *testing.T) {
	src, err := sig.Open(func() {})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	if err := src.Notify(0); !errors.Is(err, sig.ErrClosed) {
		t.Errorf("Notify: %v", err)
	}
	if err := src.Close(); !errors.Is(err, sig.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if !src.Empty() || src.Take() != 0 {
		t.Error("closed, and something is pending")
	}
}

// open opens a Source that is closed when the test ends.
func open(tb testing.TB, wake func()) *sig.Source {
	tb.Helper()
	src, err := sig.Open(wake)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = src.Close() })
	return src
}
