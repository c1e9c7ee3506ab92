package sig_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stator-go/stator/sig"
)

// customSignal is a signal of a type that os/signal does not support.
type customSignal struct{}

func (customSignal) String() string { return "custom" }
func (customSignal) Signal()        {}

func TestSet(t *testing.T) {
	none := sig.Of()
	if none != 0 || none.Has(os.Interrupt) || none.String() != "none" {
		t.Errorf("Of() = %#x, %v; want the empty set", uint64(none), none)
	}
	s := sig.Of(os.Interrupt, os.Kill)
	if !s.Has(os.Interrupt) || !s.Has(os.Kill) || s != sig.Of(os.Kill)|sig.Of(os.Interrupt) {
		t.Errorf("Of(os.Interrupt, os.Kill) = %#x, want these two", uint64(s))
	}
	if got, want := s.String(), os.Interrupt.String()+"|"+os.Kill.String(); got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}

func TestSignalWithoutNumber(t *testing.T) {
	s := sig.Of(customSignal{})
	if s != sig.Unknown || s.Has(customSignal{}) || !strings.Contains(s.String(), "without a number") {
		t.Errorf("Of(customSignal{}) = %#x, %v; want bit 0 alone", uint64(s), s)
	}
	src := open(t, func() {})
	if err := src.Notify(s); !errors.Is(err, sig.ErrUncatchable) {
		t.Errorf("Notify = %v, want ErrUncatchable", err)
	}
}

func TestOpenWithoutWake(t *testing.T) {
	if s, err := sig.Open(nil); err == nil || s != nil {
		t.Errorf("Open(nil) = %v, %v; want an error", s, err)
	}
}

func TestUncatchable(t *testing.T) {
	src := open(t, func() {})
	err := src.Notify(sig.Of(os.Kill))
	if !errors.Is(err, sig.ErrUncatchable) || !strings.Contains(err.Error(), os.Kill.String()) {
		t.Errorf("Notify(os.Kill) = %v, want ErrUncatchable with the signal's name", err)
	}
}

func TestClosed(t *testing.T) {
	src, err := sig.Open(func() {})
	if err != nil {
		t.Fatal(err)
	}
	src.SetPending(sig.Of(os.Interrupt))
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	if err := src.Notify(0); !errors.Is(err, sig.ErrClosed) {
		t.Errorf("Notify after Close = %v, want ErrClosed", err)
	}
	if err := src.Close(); !errors.Is(err, sig.ErrClosed) {
		t.Errorf("second Close = %v, want ErrClosed", err)
	}
	if !src.Empty() || src.Take() != 0 {
		t.Error("a signal is pending after Close")
	}
}

// open returns a Source that is closed at the end of the test.
func open(tb testing.TB, wake func()) *sig.Source {
	tb.Helper()
	src, err := sig.Open(wake)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = src.Close() })
	return src
}
