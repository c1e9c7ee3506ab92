package report

import (
	"errors"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/slab"
)

// A message is shown with its type and the names of its fields, and without what differs
// between two runs of the same trace.
func TestValuesAreShown(t *testing.T) {
	type order struct {
		line   string
		count  int
		within time.Duration
	}
	type news struct {
		from reactor.Ref[order]
		to   reactor.Token
		at   *order
		err  error
		any  any
	}
	type lists struct {
		b []byte
		n []int
		m map[string]int
		f func()
	}
	number, long := byte(49), make([]int, 100)
	for _, c := range []struct {
		message any
		want    string
	}{
		{&number, "uint8(49)"},
		{new(string), `string("")`},
		{&order{"a\n", 3, time.Second}, `report.order{line:"a\n" count:3 within:1s}`},
		{&news{from: reactor.Ref[order]{}, to: slab.MakeToken(3, 77, 5)}, "report.news{from:none to:slot 5 at:nil err:nil any:nil}"},
		{&news{at: &order{}, err: errors.New("no"), any: order{}}, "report.news{from:none to:none at:*report.order err:*errors.e…"},
		{&lists{[]byte("x"), []int{1, 2}, map[string]int{"a": 1}, nil}, `report.lists{b:"x" n:[1 2] m:map[string]int of 1 f:nil}`},
		{&[]byte{'a'}, `[]uint8("a")`},
		{&[2]byte{'a'}, `[2]uint8("a\x00")`},
		{&long, "[]int[0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 …]"},
		{new(any), "interface {}(nil)"},
	} {
		if got := valueText(c.message); got != c.want {
			t.Errorf("%#v is %s: want %s", c.message, got, c.want)
		}
	}
}
