package trace

import "testing"

// Traces that were kept under former names of events are read as what they were.
func TestFormerNames(t *testing.T) {
	tr, err := Parse("letter 1 word=2 to=3\nmail-fails 0 how=1 times=2\n")
	if err != nil {
		t.Fatal(err)
	}
	const want = "datagram 1 word=2 to=3\ndatagram-fails 0 how=1 times=2\n"
	if got := tr.String(); got != want {
		t.Errorf("read as:\n%swant:\n%s", got, want)
	}
}
