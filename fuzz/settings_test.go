package fuzz

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/internal/testenv"
)

func TestMain(m *testing.M) {
	testenv.ShortSearches()
	os.Exit(m.Run())
}

// The environment sets the length, the seed and the strategy of a search.
func TestSettings(t *testing.T) {
	usual := Budget{Runs: 1000, Time: 5 * time.Second}
	if testing.Short() {
		usual = Budget{Runs: 100, Time: time.Second}
	}
	for _, c := range []struct {
		env  string
		seed uint64 // 0: that of the test's name
		want Budget
		err  string
	}{
		{"", 0, usual, ""},
		{"FUZZ_RUNS=7", 0, Budget{Runs: 7}, ""},
		{"FUZZ_TIME=2m", 0, Budget{Time: 2 * time.Minute}, ""},
		{"FUZZ_RUNS=7 FUZZ_TIME=2m FUZZ_SEED=0x10", 16, Budget{Runs: 7, Time: 2 * time.Minute}, ""},
		{"FUZZ_SEED=16 FUZZ_STRATEGY=swarm", 16, Budget{Runs: usual.Runs, Time: usual.Time, Strategy: Swarm}, ""},
		{"FUZZ_STRATEGY=exhaustive:3", 0, Budget{Strategy: Exhaustive(3)}, ""},
		{"FUZZ_RUNS=7 FUZZ_WORKERS=3", 0, Budget{Runs: 7, Workers: 3}, ""},
		{"FUZZ_WORKERS=0", 0, Budget{}, `FUZZ_WORKERS "0": want a number above 0`},
		{"FUZZ_RUNS=0", 0, Budget{}, `FUZZ_RUNS "0": want a number above 0`},
		{"FUZZ_TIME=5", 0, Budget{}, `FUZZ_TIME "5": want a duration above 0`},
		{"FUZZ_SEED=ten", 0, Budget{}, "FUZZ_SEED: "},
		{"FUZZ_STRATEGY=exhaustive:0", 0, Budget{}, "FUZZ_STRATEGY: strategy"},
	} {
		t.Run(c.env, func(t *testing.T) {
			for _, name := range []string{"FUZZ_RUNS", "FUZZ_TIME", "FUZZ_SEED", "FUZZ_STRATEGY", "FUZZ_WORKERS"} {
				t.Setenv(name, "")
			}
			for _, set := range strings.Fields(c.env) {
				name, value, _ := strings.Cut(set, "=")
				t.Setenv(name, value)
			}
			seed, b, err := settings("a test")
			if c.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), c.err) {
					t.Errorf("%v: want %s", err, c.err)
				}
				return
			}
			if again, _, _ := settings("a test"); err != nil || b != c.want || seed != again || c.seed != 0 && seed != c.seed {
				t.Errorf("seed %#x and %#x, %+v, %v: want %#x, %+v", seed, again, b, err, c.seed, c.want)
			}
		})
	}
}

// A search that is longer than its test may last does not begin.
func TestSearchFitsItsTest(t *testing.T) {
	b := Budget{Time: time.Hour}
	if err := b.fits(time.Now().Add(time.Minute), true); err == nil || !strings.HasPrefix(err.Error(), "a search of 1h0m0s, and 1m0s are left") {
		t.Errorf("%v: want an error", err)
	}
	if err := b.fits(time.Now().Add(2*time.Hour), true); err != nil {
		t.Error(err)
	}
	if err := b.fits(time.Time{}, false); err != nil {
		t.Errorf("without a -timeout: %v", err)
	}
}
