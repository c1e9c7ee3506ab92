package fsm

import (
	"reflect"
	"testing"
	"time"
)

func TestResolve(t *testing.T) {
	base := row{
		Name: "base", Wait: port0.Readable(), Within: After(time.Hour, Stop), Idle: After(1, 1), Stall: After(2, 2), Defer: true,
		OnEnter: (*machine).enter, OnExit: (*machine).exit, OnReady: (*machine).ready, OnMessage: (*machine).message,
		OnTimer: (*machine).timer, OnDown: (*machine).down, OnSignal: (*machine).signal, Fail: 1, Shutdown: 2, To: To(1),
	}
	rows := table{Any: base, 1: {Name: "heir", To: To(2)}, 2: {
		Name: "own", Wait: port1.Opened(), Within: After(3, 1), Idle: Never, Stall: After(4, 1),
		OnReady: (*machine).other, Fail: 2, Shutdown: Stop,
	}}

	heir := rows.Resolve(1)
	if heir.Name != "heir" || heir.Within != (Deadline{}) || heir.Defer || heir.OnEnter != nil || heir.OnExit != nil {
		t.Errorf("inherited fields that row any does not share: %+v", heir)
	}
	if heir.Wait != base.Wait || heir.Idle != base.Idle || heir.Stall != base.Stall || heir.Fail != 1 || heir.Shutdown != 2 || heir.To != To(1, 2) {
		t.Errorf("did not inherit all shared fields: %+v", heir)
	}
	for _, x := range []struct {
		name     string
		got, own any
	}{
		{"Ready", heir.OnReady, base.OnReady}, {"Message", heir.OnMessage, base.OnMessage}, {"Timer", heir.OnTimer, base.OnTimer},
		{"Down", heir.OnDown, base.OnDown}, {"Signal", heir.OnSignal, base.OnSignal},
	} {
		if reflect.ValueOf(x.got).Pointer() != reflect.ValueOf(x.own).Pointer() {
			t.Errorf("%s is not that of row any", x.name)
		}
	}

	own := rows.Resolve(2)
	if own.Wait != port1.Opened() || own.Within != After(3, 1) || own.Idle != Never || own.Stall != After(4, 1) || own.Fail != 2 || own.Shutdown != Stop {
		t.Errorf("lost fields of its own: %+v", own)
	}
	if reflect.ValueOf(own.OnReady).Pointer() == reflect.ValueOf(base.OnReady).Pointer() {
		t.Error("lost its own OnReady")
	}

	rows[Any].Wait, rows[Any].Fail = 0, Stay
	if r := rows.Resolve(1); r.OnReady != nil || r.Fail != Stop {
		t.Errorf("without Wait: inherited OnReady: %v, Fail %v; want false, stop", r.OnReady != nil, r.Fail)
	}
	if r := rows.Resolve(Any); r.Name != "base" || r.To != To(1) || r.Fail != Stay {
		t.Errorf("Resolve(Any) changed row any: %+v", r)
	}
}

func (*machine) other(*context, Ready) State { return Stop }

func TestEdges(t *testing.T) {
	rows := table{
		Any: {Within: After(1, 9), Idle: After(1, 10), Stall: After(1, 11), Fail: 12, Shutdown: 13, To: To(14)},
		1:   {},
		2:   {Within: After(1, 1), Idle: Never, Stall: After(1, Stop), Fail: Stop, Shutdown: 3, To: To(4, 64)},
		3:   {Idle: Never, Stall: Never, Fail: 3, Shutdown: 3},
	}
	for s, want := range []States{To(9, 10, 11, 12, 13, 14), To(9, 10, 11, 12, 13, 14), To(1, 3, 4, 9, 14), To(3, 9, 14)} {
		if got := rows.Edges(State(s)); got != want {
			t.Errorf("Edges(%d) = %v, want %v", s, got, want)
		}
	}
	for s, want := range []bool{false, false, true, false} {
		if got := rows.Stops(State(s)); got != want {
			t.Errorf("Stops(%d) = %v, want %v", s, got, want)
		}
	}
	rows[Any].Fail = Stay
	if !rows.Stops(1) {
		t.Error("Stops(1) = false with an empty Fail in both rows")
	}
}

// A plain table must have the same fields and edges as the table it was made from.
func TestPlainKeepsAll(t *testing.T) {
	for _, p := range programs() {
		plain := p.rows.Plain()
		for s := range p.rows {
			got, want := reflect.ValueOf(plain[s]), reflect.ValueOf(p.rows[s])
			for i := range want.NumField() {
				name := want.Type().Field(i).Name
				if want.Field(i).Kind() == reflect.Func {
					if got.Field(i).IsNil() != want.Field(i).IsNil() {
						t.Errorf("%s, row %d: %s is nil in only one of the tables", p.name, s, name)
					}
				} else if !got.Field(i).Equal(want.Field(i)) {
					t.Errorf("%s, row %d: %s differs", p.name, s, name)
				}
			}
			if plain.Edges(State(s)) != p.rows.Edges(State(s)) {
				t.Errorf("%s, row %d: edges differ", p.name, s)
			}
		}
	}
	full := row{
		OnEnter: (*machine).enter, OnExit: (*machine).exit, OnReady: (*machine).ready, OnMessage: (*machine).message,
		OnTimer: (*machine).timer, OnDown: (*machine).down, OnSignal: (*machine).signal,
	}
	plain := full.plain()
	for i := range reflect.TypeFor[row]().NumField() {
		if f := reflect.ValueOf(plain).Field(i); f.Kind() == reflect.Func && f.IsNil() {
			t.Errorf("%s is nil in the plain row", reflect.TypeFor[row]().Field(i).Name)
		}
	}
}

func TestNameOf(t *testing.T) {
	rows := table{Any: {Name: "whatever"}, 1: {Name: "one"}, 2: {}}
	for s, want := range map[State]string{Any: "any", 1: "one", 2: "state 2", 3: "state 3", Stop: "stop", Pass: "pass"} {
		if got := rows.NameOf(s); got != want {
			t.Errorf("NameOf(%d) = %q, want %q", s, got, want)
		}
	}
}
