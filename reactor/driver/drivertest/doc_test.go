package drivertest

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The package comment lists all cases.
func TestCasesAreListed(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("// # Cases\n//\n")
	for _, c := range all() {
		fmt.Fprintf(&want, "//\t%2d %s\n", c.number, c.name)
	}
	want.WriteString("package drivertest\n")
	if !strings.HasSuffix(string(text), want.String()) {
		t.Errorf("doc.go does not end with:\n%s", want.String())
	}
}
