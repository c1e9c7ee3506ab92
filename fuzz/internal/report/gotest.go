package report

import (
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// GoTest returns the source of a Go test that runs the trace again. spec is an expression
// of the Spec.
func (a *Account) GoTest(spec string) string {
	var b strings.Builder
	text := a.Trace.String()
	if a.Failure != nil {
		text = a.File()
		fmt.Fprintf(&b, "// %s\n", sourceText(a.Failure.Error()))
		_, text, _ = strings.Cut(text, "\n")
	}
	text = strings.ReplaceAll(text, "`", "'") // of comments: nothing else has any
	text = "\t\t" + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n\t\t")
	fmt.Fprintf(&b, `func TestTrace_%08x(t *testing.T) {
	tr, err := trace.Parse(`+"`\n%s\n\t`"+`)
	if err != nil {
		t.Fatal(err)
	}
	if found := fuzz.Replay(%s, tr); found.Failure != nil {
		t.Error(found.Explain())
	}
}
`, uint32(xxhash.Sum64String(a.Trace.String())), text, spec)
	return b.String()
}
