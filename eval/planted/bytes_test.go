package planted

import (
	"os"
	"strings"
	"testing"
)

// FuzzBytes is what go test -fuzz can do without a simulator: bytes for one connection.
// The environment says for which bug: BUG=server/bug. Without one it is for all servers
// as they are right.
func FuzzBytes(f *testing.F) {
	bug := os.Getenv("BUG")
	name, _, _ := strings.Cut(bug, "/")
	feed := map[string]func(in []byte) string{}
	for _, s := range Servers() {
		if name != s.Name && bug != "" {
			continue
		}
		for _, word := range s.Dict {
			f.Add([]byte(word))
		}
		wire := s.Build(&Plant{Bug: bug})
		feed[s.Name] = func(in []byte) string { return s.Feed(wire, in) }
	}
	if len(feed) == 0 {
		f.Fatalf("BUG=%s: want the name of a server in front of a slash", bug)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for name, feed := range feed {
			if text := feed(in); text != "" {
				t.Errorf("%s: %s", name, text)
			}
		}
	})
}
