package fuzz

import (
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// GoTest is the source of a Go test that runs the trace of a finding again. spec is
// an expression of the Spec, such as "echoSpec()".
func (f *Finding) GoTest(spec string) string {
	var b strings.Builder
	text := f.Trace.String()
	if f.Failure != nil {
		text = f.file()
		fmt.Fprintf(&b, "// %s\n", sourceText(f.Failure.Error()))
		_, text, _ = strings.Cut(text, "\n")
	}
	text = strings.ReplaceAll(text, "`", "'") // of comments: nothing else has any
	text = "\t\t" + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n\t\t")
	fmt.Fprintf(&b, `func TestTrace_%08x(t *testing.T) {
	trace, err := trace.Parse(`+"`\n%s\n\t`"+`)
	if err != nil {
		t.Fatal(err)
	}
	if found := fuzz.Replay(%s, trace); found.Failure != nil {
		t.Error(found.Explain())
	}
}
`, uint32(xxhash.Sum64String(f.Trace.String())), text, spec)
	return b.String()
}
