package report

import (
	"strings"
	"testing"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/shrink"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// A trace that is kept means the same with a longer dictionary: words, single bytes, and
// the empty datagram.
func TestKeptTracesLast(t *testing.T) {
	tr, err := trace.Parse("dial 0\nsend 0 word=1\nsend 0 word=35\nsend 0 word=255 more=2\nabrupt 0 calls=9 what=4\nabrupt 0 calls=9 what=68\ndatagram 0 word=0\ndatagram 0 word=67\ndatagram 0 word=258\n")
	if err != nil {
		t.Fatal(err)
	}
	short, long := wording{dict: trace.Dictionary{"a", "b"}}, wording{dict: trace.Dictionary{"a", "b", "c"}}
	kept, err := trace.Parse(short.dict.Lasting(tr).String())
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range kept {
		want := short.meaning(tr[i])
		if got := long.meaning(e); got != want || short.meaning(e) != want {
			t.Errorf("%v: kept as %v it is %s, and %s before: want %s", tr[i], e, got, short.meaning(e), want)
		}
	}
	const want = "dial 0 listener=0\nsend 0 word=1 more=0\nsend 0 byte=33 more=0\nsend 0 byte=253 more=2\n"
	if text := kept.String(); !strings.HasPrefix(text, want) {
		t.Errorf("written as:\n%swant:\n%s", text, want)
	}
}

// Events are described by what they do: an argument 0 that means 1 is shown as 1, there is
// no plural after 1, and words are shown in place of their numbers.
func TestEventsAreTold(t *testing.T) {
	w := wording{dict: trace.Dictionary{"1 bytes"}, actions: []string{"1 bytes"}}
	for text, want := range map[string]string{
		"short-read 0":                     "connection 0 is read 1 byte at a time, once",
		"short-write 0 bytes=2 times=7":    "connection 0 takes 2 bytes of a write, 7 times",
		"split 1 bytes=1 times=65535":      "connection 1 sends in pieces of 1 byte, each time",
		"abrupt 0 calls=1 what=0":          "connection 0 acts before the next read or write of its machine: it is reset",
		"abrupt 0 calls=11 what=3":         `connection 0 acts before the 11-th next read or write of its machine: it sends "1 bytes"`,
		"datagram-fails 0 how=1 times=2":   "datagrams of loop 0, the next 2, come twice",
		"connect-fails 0 how=1":            "connecting fails on loop 0, once: no answer comes",
		"pace 0 bytes=65535":               "connection 0 reads at once",
		"pace 0 bytes=3":                   "connection 0 does not read",
		"pace 0 bytes=3 ms=2":              "connection 0 reads 3 bytes each 2 ms",
		"turn 0 times=0":                   "loop 0 alone takes 1 turn",
		"send 0 word=0 more=1":             `connection 0 sends 2 times "1 bytes"`,
		"act 0 arg=1":                      `action "1 bytes" happens with 1`,
		"act 0 arg=65535 more=65535":       `action "1 bytes" happens with 65535, 65536 times`,
		"act 1 arg=1":                      "action 1 happens with 1",
		"accept-fails 0 error=0 times=300": "accepting fails on loop 0, 300 times: " + sim.AcceptError(0).Error(),
	} {
		tr, err := trace.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.meaning(tr[0]); got != want {
			t.Errorf("%s is %s: want %s", text, got, want)
		}
	}
}

// The title of a trace promises what does not matter only if that follows.
func TestTitleOfTrace(t *testing.T) {
	tr, err := trace.Parse("dial 0\nsend 0 word=0\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		free []shrink.Freedom
		want string
	}{
		{nil, "\nThe trace:\n\n    dial 0 listener=0\n    send 0 word=0 more=0\n"},
		{[]shrink.Freedom{{}, {}}, "\nThe trace:\n\n    dial 0 listener=0\n    send 0 word=0 more=0\n"},
		{[]shrink.Freedom{{Args: []string{"listener"}}, {}}, "\nThe trace, and what of it does not matter:\n\n    dial 0 listener=0\n        any value of listener\n    send 0 word=0 more=0\n"},
		{[]shrink.Freedom{{Swaps: true}, {}}, "\nThe trace, and what of it does not matter:\n\n    dial 0 listener=0\n        before or after event 2\n    send 0 word=0 more=0\n"},
	} {
		a := &Account{Failure: &judge.Failure{Oracle: "panic"}, Trace: tr, free: c.free, stories: []story{plainStory(judge.Itself(tr, ""), NewJournal())}}
		if text := a.Explain(); !strings.HasSuffix(text, c.want) {
			t.Errorf("%v: the explanation is\n%swant it to end with\n%s", c.free, text, c.want)
		}
	}
}
