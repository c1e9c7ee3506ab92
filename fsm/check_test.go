package fsm

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestProgramsPass(t *testing.T) {
	for _, p := range programs() {
		if err := Check(p.rows, Machine{Start: First, Ports: len(p.ports), Timers: p.timers, Messages: p.messages}); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
	}
}

// validTable returns a table without problems, for a machine with one port, a timer and
// messages. The cases below break it.
func validTable() (table, []TimerSpec) {
	return table{
		Any: {Shutdown: Stop, OnMessage: (*machine).message},
		1:   {Name: "one", Wait: port0.Readable(), OnReady: (*machine).ready, Idle: Never, To: To(2)},
		2:   {Name: "two", Within: After(time.Second, 3), OnTimer: (*machine).timer},
		3:   {Name: "three", Idle: After(time.Second, Stop)},
	}, []TimerSpec{{Name: "tick", In: To(2)}}
}

func TestCheckFinds(t *testing.T) {
	type spec struct {
		rows     table
		start    State
		ports    int
		timers   []TimerSpec
		messages bool
	}
	for _, c := range []struct {
		name   string
		breaks func(*spec)
		kind   error
		want   string // the whole text of each problem
	}{
		{"nothing", func(s *spec) {}, nil, ""},
		{"start by default", func(s *spec) { s.start = 0 }, nil, ""},
		{"no rows", func(s *spec) { s.rows = nil }, ErrTable, `table: 0 states: want 1 to 63, after row any`},
		{"row any alone", func(s *spec) { s.rows = s.rows[:1] }, ErrTable, `table: 0 states: want 1 to 63, after row any`},
		{"too many", func(s *spec) { s.rows = make(table, 65) }, ErrTable, `table: 64 states: want 1 to 63, after row any`},
		{"ports", func(s *spec) { s.ports = 5 }, ErrPorts, `table: 5 ports: want 0 to 4`},
		{"start", func(s *spec) { s.start = 4 }, ErrStart, `table: start 4: want a state, 1 to 3`},
		{"start stop", func(s *spec) { s.start = Stop }, ErrStart, `table: start stop: want a state, 1 to 3`},
		{"gap", func(s *spec) { s.rows = append(s.rows, row{}) }, ErrGap, `state 4 "": empty row: want states numbered from 1 without gaps`},
		{"no name", func(s *spec) { s.rows[2].Name = "" }, ErrName, `state 2 "": no Name`},
		{"same name", func(s *spec) { s.rows[3].Name = "one" }, ErrName, `state 3 "one": Name is taken by state 1`},
		{"defer in any", func(s *spec) { s.rows[Any].Defer = true }, ErrAny, `row any: Defer has no effect in row any: set it in each state that defers`},
		{"no handler", func(s *spec) { s.rows[1].OnReady = nil }, ErrWait, `state 1 "one": Wait without an OnReady handler: want one in this row or in row any`},
		{"no wait", func(s *spec) { s.rows[1].Wait = 0 }, ErrWait, `state 1 "one": OnReady handler without Wait: want a Wait in this row or in row any`},
		{"wait and handler of row any", func(s *spec) {
			s.rows[Any].Wait, s.rows[Any].OnReady = s.rows[1].Wait, s.rows[1].OnReady
			s.rows[1].Wait, s.rows[1].OnReady = 0, nil
		}, nil, ""},
		{"port", func(s *spec) { s.rows[1].Wait = port1.Writable() | port1.Opened() }, ErrWait, `state 1 "one": Wait names port 1, but the number of ports is 1`},
		{"port of a gate", func(s *spec) { s.rows[1].Wait = port0.Readable().While(port1.Room()) }, ErrWait, `state 1 "one": Wait names port 1, but the number of ports is 1`},
		{"impossible port", func(s *spec) { s.rows[1].Wait |= Port(4).Drained() }, ErrWait, `state 1 "one": Wait names a port above 3`},
		{"impossible port of a gate", func(s *spec) { s.rows[1].Wait = port0.Readable().While(Port(9).Room()) }, ErrWait, `state 1 "one": Wait names a port above 3`},
		{"while without readable", func(s *spec) { s.rows[1].Wait |= port0.Writable().While(Sendable) }, ErrWait, `state 1 "one": Wait has a While without Readable: only readable bits can have gates`},
		{"gate by hand", func(s *spec) { s.rows[1].Wait = port0.Writable() | 1<<16 }, ErrWait, `state 1 "one": Wait has a gate for port 0, but does not wait for its Readable`},
		{"unknown gate", func(s *spec) { s.rows[1].Wait = port0.Readable().While(1 << 5) }, ErrWait, `state 1 "one": Wait has unknown gates 0x20: want Room and Sendable`},
		{"unknown bits", func(s *spec) { s.rows[1].Wait |= 1 << 50 }, ErrWait, `state 1 "one": Wait has unknown bits 0x4000000000000: want those of the methods of Port`},
		{"within below 0", func(s *spec) { s.rows[2].Within.D, s.rows[2].To = -2, To(3) }, ErrDeadline, `state 2 "two": Within is -2ns: want a time above 0, or fsm.Never`},
		{"never with a target", func(s *spec) { s.rows[1].Idle.To = 2 }, ErrDeadline, `state 1 "one": Idle is -1ns: want a time above 0, or fsm.Never`},
		{"no time", func(s *spec) { s.rows[Any].Stall = After(0, Stop) }, ErrDeadline, `row any: Stall leads to stop but has no time: want a time above 0`},
		{"deadline to nowhere", func(s *spec) { s.rows[3].Idle.To = Stay }, ErrDeadline, `state 3 "three": Idle after 1s leads nowhere: want 1 to 3, or fsm.Stop`},
		{"deadline to no row", func(s *spec) { s.rows[Any].Within = After(time.Hour, 9) }, ErrTarget, `row any: Within leads to 9, which is not a row: want 1 to 3, or fsm.Stop`},
		{"deadline to pass", func(s *spec) { s.rows[3].Idle.To = Pass }, ErrTarget, `state 3 "three": Idle leads to pass, which is not a row: want 1 to 3, or fsm.Stop`},
		{"fail", func(s *spec) { s.rows[1].Fail = 4 }, ErrTarget, `state 1 "one": Fail leads to 4, which is not a row: want 1 to 3, or fsm.Stop`},
		{"shutdown", func(s *spec) { s.rows[1].Shutdown = Defer }, ErrTarget, `state 1 "one": Shutdown leads to defer, which is not a row: want 1 to 3, or fsm.Stop`},
		{"to no row", func(s *spec) { s.rows[1].To |= To(63) }, ErrTarget, `state 1 "one": To names 63, which is not a row: want 1 to 3`},
		{"to no state", func(s *spec) { s.rows[1].To |= To(64) }, ErrTarget, `state 1 "one": To names a number that is not a state: want 1 to 3`},
		{"unreachable", func(s *spec) { s.rows[1].To = 0 }, ErrUnreachable, `state 2 "two": unreachable from state 1 "one": no To, deadline, Fail or Shutdown leads here; ` +
			`state 3 "three": unreachable from state 1 "one": no To, deadline, Fail or Shutdown leads here`},
		{"reachable from row any", func(s *spec) { s.rows[1].To, s.rows[Any].To = 0, To(2) }, nil, ""},
		{"reachable by fail", func(s *spec) { s.rows[1].To, s.rows[1].Fail = 0, 2 }, nil, ""},
		{"endless", func(s *spec) { s.rows[1].Idle = Deadline{} }, ErrEndless, `state 1 "one": may wait for ever: want Within or Idle, or fsm.Never in one of them (named timers do not count)`},
		{"a stall is no bound", func(s *spec) { s.rows[1].Idle, s.rows[1].Stall = Deadline{}, After(1, 2) }, ErrEndless,
			`state 1 "one": may wait for ever: want Within or Idle, or fsm.Never in one of them (named timers do not count)`},
		{"life bounds", func(s *spec) { s.rows[1].Idle, s.rows[Any].Within = Deadline{}, After(time.Hour, Stop) }, nil, ""},
		{"an endless life does not bound", func(s *spec) { s.rows[1].Idle, s.rows[Any].Within = Deadline{}, Never }, ErrEndless,
			`state 1 "one": may wait for ever: want Within or Idle, or fsm.Never in one of them (named timers do not count)`},
		{"idle of row any bounds", func(s *spec) { s.rows[1].Idle, s.rows[Any].Idle = Deadline{}, After(time.Hour, Stop) }, nil, ""},
		{"dead end", func(s *spec) { s.rows[3].Idle, s.rows[Any].Shutdown = Never, Stay }, ErrDeadEnd, `state 3 "three": leads nowhere: want a state in To, a deadline, Fail or Shutdown`},
		{"leads only to itself", func(s *spec) { s.rows[3].Idle, s.rows[Any].Shutdown = After(1, 3), Stay }, ErrDeadEnd, `state 3 "three": leads nowhere: want a state in To, a deadline, Fail or Shutdown`},
		{"fail leads out", func(s *spec) { s.rows[3].Idle, s.rows[Any].Shutdown, s.rows[3].Fail = Never, Stay, Stop }, nil, ""},
		{"wait leads out by an error", func(s *spec) {
			s.rows[3].Idle, s.rows[Any].Shutdown = Never, Stay
			s.rows[3].Wait, s.rows[3].OnReady = port0.Readable(), (*machine).ready
		}, nil, ""},
		{"no messages", func(s *spec) { s.messages = false }, ErrMessage, `row any: OnMessage handler, but the machine gets no messages`},
		{"no messages to defer", func(s *spec) { s.messages, s.rows[Any].OnMessage, s.rows[2].Defer = false, nil, true }, ErrMessage,
			`state 2 "two": Defer, but the machine gets no messages`},
		{"no row takes messages", func(s *spec) {
			s.rows[Any].OnMessage, s.rows[1].Defer, s.rows[2].Defer, s.rows[3].Defer = nil, true, true, true
		}, ErrMessage, `table: the machine gets messages, but no row has an OnMessage handler`},
		{"a state takes no messages", func(s *spec) {
			s.rows[Any].OnMessage, s.rows[1].OnMessage, s.rows[2].Defer = nil, (*machine).message, true
		}, ErrMessage, `state 3 "three": no OnMessage handler: want one in this row or in row any, or Defer`},
		{"transient state", func(s *spec) {
			s.rows[Any].OnMessage, s.rows[1].OnMessage, s.rows[2].Defer = nil, (*machine).message, true
			s.rows[3] = row{Name: "three", OnEnter: (*machine).enter}
		}, nil, ""},
		{"no timers", func(s *spec) { s.timers = nil }, ErrTimer, `state 2 "two": OnTimer handler, but no timer is declared`},
		{"timer in a state without a handler", func(s *spec) { s.timers[0].In = To(2, 3) }, ErrTimer, `timer 0 "tick": may fire in state 3 "three", which has no OnTimer handler: want one there or in row any`},
		{"timer in no row", func(s *spec) { s.timers[0].In |= To(7) }, ErrTarget, `timer 0 "tick": In names 7, which is not a row: want 1 to 3`},
		{"timer in no state", func(s *spec) { s.timers[0].In |= To(Defer) }, ErrTarget, `timer 0 "tick": In names a number that is not a state: want 1 to 3`},
		{"timer without a handler", func(s *spec) { s.timers[0].In, s.rows[2].OnTimer = 0, nil }, ErrTimer, `timer 0 "tick": no row has an OnTimer handler`},
		{"timer of many", func(s *spec) { s.timers[0].Many = -1 }, ErrTimer, `timer 0 "tick": Many is -1: want 0 or more`},
		{"timer without a name", func(s *spec) { s.timers[0].Name = "" }, ErrName, `timer 0 "": no Name`},
		{"timers of one name", func(s *spec) { s.timers = append(s.timers, s.timers[0]) }, ErrName, `timer 1 "tick": Name is taken by timer 0`},
		{"too many timers", func(s *spec) {
			for i := len(s.timers); i < 257; i++ {
				s.timers = append(s.timers, TimerSpec{Name: strings.Repeat("t", i)})
			}
		}, ErrTimer, `table: 257 timers: want at most 256`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := spec{start: First, ports: 1, messages: true}
			s.rows, s.timers = validTable()
			c.breaks(&s)
			err := Check(s.rows, Machine{Start: s.start, Ports: s.ports, Timers: s.timers, Messages: s.messages})
			if !errors.Is(err, c.kind) {
				t.Errorf("Check = %v, want a problem of kind %q", err, c.kind)
			}
			var texts []string
			for _, p := range Problems(err) {
				texts = append(texts, p.Where+": "+p.Text)
				if p.Kind != c.kind {
					t.Errorf("problem of kind %q, want %q: %v", p.Kind, c.kind, p)
				}
			}
			if got := strings.Join(texts, "; "); got != c.want {
				t.Errorf("problems: %s\n    want: %s", got, c.want)
			}
		})
	}
}

func TestCheckFindsAllInOrder(t *testing.T) {
	rows := table{
		Any: {Defer: true, Fail: 9},
		1:   {Name: "one", OnReady: (*machine).ready},
		2:   {},
		3:   {Name: "one", Idle: Never},
	}
	const want = `fsm: table: 5 ports: want 0 to 4
fsm: row any: Defer has no effect in row any: set it in each state that defers
fsm: row any: Defer, but the machine gets no messages
fsm: row any: Fail leads to 9, which is not a row: want 1 to 3, or fsm.Stop
fsm: state 1 "one": OnReady handler without Wait: want a Wait in this row or in row any
fsm: state 1 "one": may wait for ever: want Within or Idle, or fsm.Never in one of them (named timers do not count)
fsm: state 2 "": empty row: want states numbered from 1 without gaps
fsm: state 3 "one": Name is taken by state 1
fsm: state 3 "one": unreachable from state 1 "one": no To, deadline, Fail or Shutdown leads here
fsm: timer 0 "t": no row has an OnTimer handler`
	for range 3 {
		err := Check(rows, Machine{Start: First, Ports: 5, Timers: []TimerSpec{{Name: "t"}}})
		if err == nil || err.Error() != want {
			t.Fatalf("got\n%v\nwant\n%s", err, want)
		}
	}
	if got := Problems(nil); got != nil {
		t.Errorf("Problems(nil) = %v, want nil", got)
	}
}
