package right

import (
	"os"
	"testing"

	"github.com/stator-go/stator/fuzz"
)

// All programs together take some seconds, unless the environment says how long.
func TestMain(m *testing.M) {
	if os.Getenv("FUZZ_RUNS") == "" && os.Getenv("FUZZ_TIME") == "" {
		os.Setenv("FUZZ_RUNS", "200")
		os.Setenv("FUZZ_TIME", "400ms")
		if os.Getenv("FUZZ_SOAK") == "" {
			os.Setenv("FUZZ_SOAK", "400ms")
		}
	}
	os.Exit(m.Run())
}

func TestPrograms(t *testing.T) {
	for _, p := range Programs() {
		t.Run(p.Name, func(t *testing.T) { fuzz.Run(t, p.Spec()) })
	}
}
