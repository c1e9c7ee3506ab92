package planted

import (
	"os"
	"strings"
	"testing"
)

// FuzzBytes is what go test -fuzz can do without a simulator: bytes for one connection.
// The environment says for which bug: BUG=server/bug.
func FuzzBytes(f *testing.F) {
	bug := os.Getenv("BUG")
	name, _, _ := strings.Cut(bug, "/")
	for _, s := range Servers() {
		if s.Name != name {
			continue
		}
		for _, word := range s.Dict {
			f.Add([]byte(word))
		}
		wire := s.Build(&Plant{Bug: bug})
		f.Fuzz(func(t *testing.T, in []byte) {
			if text := s.Feed(wire, in); text != "" {
				t.Error(text)
			}
		})
		return
	}
	f.Skip("BUG names no server")
}

func TestRightServersPassInMemory(t *testing.T) {
	for _, s := range Servers() {
		p := new(Plant)
		wire := s.Build(p)
		all := strings.Join(s.Dict, "")
		for _, in := range append(s.Dict, all, all+all) {
			if text := s.Feed(wire, []byte(in)); text != "" {
				t.Errorf("%s: %.200q: %s", s.Name, in, text)
			}
		}
	}
}
