package planted

import (
	"os"
	"strings"
	"testing"
)

// FuzzBytes is a search by go test -fuzz, without a simulator: bytes for one connection.
// The environment names the bug, as in BUG=server/bug. Without one it takes all servers,
// without a bug.
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
