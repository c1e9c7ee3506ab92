package fuzz

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// nativeSecret is a target for go test -fuzz: a protocol of twelve steps.
func nativeSecret(f *testing.F, hit func(uint32)) {
	spec := secretSpec(12, false, false)
	if hit == nil {
		Native(f, spec)
		return
	}
	native(f, spec, hit)
}

func FuzzSecret(f *testing.F) { nativeSecret(f, nil) }

// FuzzSecretBlind is the same without what Native tells of.
func FuzzSecretBlind(f *testing.F) { nativeSecret(f, func(uint32) {}) }

// go test -fuzz finds the secret, and does not without what Native tells it. It takes
// minutes, so that it is for those who ask: FUZZ_NATIVE=3m says how long it may look.
func TestNativeFindsTheSecret(t *testing.T) {
	patience, err := time.ParseDuration(os.Getenv("FUZZ_NATIVE"))
	if err != nil {
		t.Skip("FUZZ_NATIVE is no duration: see the comment")
	}
	for _, c := range []struct {
		target string
		finds  bool
	}{{"FuzzSecret", true}, {"FuzzSecretBlind", false}} {
		begin := time.Now()
		cmd := exec.Command("go", "test", "-run", "^$", "-fuzz", "^"+c.target+"$", "-fuzztime", patience.String(), "-test.fuzzcachedir", t.TempDir())
		out, _ := cmd.CombinedOutput()
		found := strings.Contains(string(out), "the secret is found")
		t.Logf("%s: found %v in %v", c.target, found, time.Since(begin).Round(time.Second))
		if found != c.finds {
			t.Errorf("%s: found %v: want %v\n%s", c.target, found, c.finds, out)
		}
		os.RemoveAll("testdata/fuzz/" + c.target)
	}
}
