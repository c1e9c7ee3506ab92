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

// Every event is written so that Parse can read it.
func TestFormats(t *testing.T) {
	var all Trace
	for op := range NumOps {
		e := Event{Op: op, Hold: op%2 == 0}
		if op.Target() != OnNothing {
			e.On = 3
		}
		a, b := op.Args()
		if a != "" {
			e.A = 65535
		}
		if b != "" {
			e.B = 7
		}
		all = append(all, e)
	}
	read, err := Parse(all.String())
	if err != nil || read.String() != all.String() {
		t.Errorf("%v; read:\n%s\nwant:\n%s", err, read, all)
	}
	for _, bad := range []string{"fly 1", "dial x", "dial 0 listener=70000", "dial 0 height=3", "dial 0 1", "dial 0 listener=1 listener=2", "settle =5", "dial 0 hold hold", "send 0 word=1 byte=2", "send 0 byte=256", "dial 0 byte=2"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%q is a trace", bad)
		}
	}
}
