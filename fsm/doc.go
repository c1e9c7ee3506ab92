// Package fsm describes state machines as data: a table with one row for each state.
// It runs nothing. Package reactor runs the machines; package fsm checks their
// tables before they run, draws them, and counts the transitions that they took.
//
//	const (
//		dialing fsm.State = fsm.First + iota
//		relaying
//	)
//	const upstream fsm.Port = 0
//
//	table := fsm.Table[conn, *context, message]{
//		fsm.Any: {Fail: fsm.Stop, Shutdown: fsm.Stop},
//		dialing: {Name: "dialing", Wait: upstream.Opened(), OnReady: (*conn).opened,
//			Within: fsm.After(5*time.Second, fsm.Stop), To: fsm.To(relaying)},
//		relaying: {Name: "relaying", Wait: upstream.Readable(), OnReady: (*conn).relay,
//			Idle: fsm.After(time.Minute, fsm.Stop)},
//	}
//	err := fsm.Check(table, fsm.Machine{Start: dialing, Ports: 1})
//
// # States
//
// A [Row] describes a state: the readiness that it waits for, its deadlines, one
// handler for each kind of event, and the states that it leads to. The index of the
// row in the [Table] is the [State], 1 to 63.
//
// Row 0, [Any], is shared by all states: a state uses the fields of row Any that its
// own row leaves empty. [Table.Resolve] lists these fields and returns the resulting
// row. Three fields of row Any are not shared but concern the machine: its Within
// bounds the machine's whole life, its OnEnter runs once when the machine starts (and
// may choose another first state), its OnExit runs once when the machine ends.
//
// A handler returns the state to go to. [Stay], the zero value, is no transition, and
// deadlines run on. To return any state, even the current one, is a transition: OnExit
// and OnEnter run, Within starts again, and input that is left is handled in the new
// state. [Stop] ends the machine. [Pass] and [Defer] are no transitions either.
//
// A handler is a function of the machine, a context and an event, so use a method
// expression such as (*conn).request. A method value such as c.request does not work:
// it is bound to one machine, and it allocates.
//
// # Waiting
//
// [Ready] is a set of bits: four kinds of readiness for each of four ports. A [Gate]
// can hold back a readable bit. For example, a relay reads from one side only while
// the output to the other side has room:
//
//	up := client.Readable().While(upstream.Room())
//	down := upstream.Readable().While(client.Room())
//	relaying: {Name: "relaying", Wait: up | down, ...}
//
// So a state says which events it handles, and a gate says whether there is room to
// handle them now. A runtime calls [Ready.Deliver] to find the readiness to deliver.
//
// # Deadlines
//
// A row has three deadlines, each with the state that it leads to; see [After].
//
//   - Within bounds the time in the state, however busy the machine is.
//   - Idle bounds the time without input and messages. Input that a gate holds back
//     does not count as input.
//   - Stall bounds the time in which written bytes make no progress.
//
// A zero Idle or Stall means that of row Any. A zero Within means that the time in the
// state is not bounded: Within of row Any bounds the machine's life, not each state.
//
// Check reports a state that has neither Within nor Idle, unless row Any has a Within
// that can expire. [Never] as Within or Idle states that the machine may wait in the
// state for ever.
//
// # Checks
//
// [Check] finds mistakes in a table before it runs: a state that is unreachable, that
// may wait for ever, that leads nowhere, that waits without a handler, or that leads
// to a row that does not exist. It reports all of them; each [Problem] names its row.
//
// Check cannot see which states the handlers return. Row.To declares them, and a
// runtime rejects a state that is not declared. The command
//
//	go run github.com/stator-go/stator/fsm/edges ./...
//
// reads the source of the handlers. It reports the states that they return and To does
// not name, and the states that To names and no handler returns.
//
// # Diagrams and coverage
//
// [Mermaid], [DOT] and [SVG] draw a table; the same table always gives the same text.
// A [Coverage] counts the transitions that machines took. [Table.Missing] lists the
// declared transitions that none took, and a diagram can show the counts.
//
// # Goroutines, cost and limits
//
// A table is a value. It must not be changed while it is used, so any number of
// goroutines may read it. A Coverage is not safe for concurrent use.
//
// Ready.Deliver and Coverage.Count take a few nanoseconds and do not allocate.
// Resolve copies a row: a runtime calls it once per state and keeps the result.
//
// The zero Ready waits for nothing, the zero State is Stay, the zero Deadline is not
// set. There are at most 63 states, 4 ports and 256 timers.
//
// # Origin
//
// Row Any is a superstate as in D. Harel, "Statecharts: A Visual Formalism for Complex
// Systems" (1987), limited to one level.
package fsm
