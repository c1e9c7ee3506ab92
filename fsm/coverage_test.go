package fsm

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

func TestCoverageAgainstModel(t *testing.T) {
	type edge struct{ from, to State }
	rnd := rand.New(rand.NewPCG(3, 4))
	taken := make(map[edge]uint64)
	whole := new(Coverage)
	for range 3 {
		part := new(Coverage)
		for range 20_000 {
			from, to := State(rnd.IntN(256)), State(rnd.IntN(256))
			part.Count(from, to)
			if from <= Last && (to.inRange() || to == Stop) {
				taken[edge{from, to}]++
			}
		}
		whole.Merge(part)
	}
	entered := make(map[State]uint64)
	for e, n := range taken {
		entered[e.to] += n
	}
	for from := range 256 {
		for to := range 256 {
			if got, want := whole.Taken(State(from), State(to)), taken[edge{State(from), State(to)}]; got != want {
				t.Fatalf("Taken(%d, %d) = %d, want %d", from, to, got, want)
			}
		}
		if got, want := whole.Entered(State(from)), entered[State(from)]; got != want {
			t.Fatalf("Entered(%d) = %d, want %d", from, got, want)
		}
	}
}

func TestMissingAndUndeclared(t *testing.T) {
	rows := table{
		Any: {Within: After(time.Hour, Stop), Shutdown: 2, To: To(1)},
		1:   {Name: "one", Wait: port0.Readable(), OnReady: (*machine).ready, Idle: After(time.Second, 2), To: To(2)},
		2:   {Name: "two", Shutdown: Stop, Fail: 1},
	}
	c := new(Coverage)
	want := []Edge{
		{1, 1, "ready"},
		{1, 2, "ready, idle 1s, shutdown"},
		{1, Stop, "life 1h"},
		{2, 1, "handler, fail"},
		{2, Stop, "shutdown, life 1h"},
	}
	if got := rows.Missing(c); !reflect.DeepEqual(got, want) {
		t.Errorf("missing: %v, want %v", got, want)
	}
	c.Count(Any, 1)
	c.Count(1, 2)
	c.Count(2, Stop)
	c.Count(2, Stay)
	c.Count(2, Pass)
	if got, want := rows.Missing(c), []Edge{want[0], want[2], want[3]}; !reflect.DeepEqual(got, want) {
		t.Errorf("missing: %v, want %v", got, want)
	}
	if got := rows.Undeclared(c); got != nil {
		t.Errorf("undeclared: %v, want none", got)
	}
	c.Count(2, 2)
	c.Count(2, 2)
	c.Count(5, 1)
	if got, want := rows.Undeclared(c), []Edge{{2, 2, "taken ×2"}, {5, 1, "taken ×1"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("undeclared: %v, want %v", got, want)
	}
}

func TestCountAllocatesNothing(t *testing.T) {
	c := new(Coverage)
	if n := testing.AllocsPerRun(100, func() { c.Count(1, 2); c.Count(2, Stop) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkCount(b *testing.B) {
	c := new(Coverage)
	b.ReportAllocs()
	for i := range b.N {
		c.Count(State(i)&31+1, State(i)&63)
	}
}
