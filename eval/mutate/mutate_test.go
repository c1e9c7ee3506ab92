package mutate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const source = `package p

const (
	start = fsm.First + iota
	end
)

func (m *machine) read(n int) fsm.State {
	if n < 4 && m.more {
		return fsm.Stay
	}
	if m.plant.Wrong("p/bug", n < 5) || m.call(n < 6) {
		return end
	}
	claim(n < 7, "n")
	return start
}
`

func TestSites(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	sites, err := Sites(dir, "p.go")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sites {
		got = append(got, strings.TrimPrefix(s.What, "p.go, read: "))
	}
	want := []string{
		"`false` for `n < 4 && m.more`", "`true` for `n < 4 && m.more`", "`n < 4 || m.more` for `n < 4 && m.more`", "`n <= 4` for `n < 4`",
		"`start` for `fsm.Stay`", "`end` for `fsm.Stay`", "`fsm.Stop` for `fsm.Stay`",
		"`n <= 6` for `n < 6`",
		"`start` for `end`", "`fsm.Stay` for `end`", "`fsm.Stop` for `end`",
		"`end` for `start`", "`fsm.Stay` for `start`", "`fsm.Stop` for `start`",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOverlay(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	sites, err := Sites(dir, "p.go")
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := sites[3].Overlay(to)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(overlay)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := os.ReadFile(filepath.Join(to, "p.go"))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(source, "n < 4", "Mutated(n <= 4, n < 4)", 1); string(changed) != want {
		t.Errorf("got\n%s\nwant\n%s", changed, want)
	}
	if !strings.Contains(string(list), filepath.Base(to)) {
		t.Errorf("overlay %s: want the changed file in it", list)
	}
}
