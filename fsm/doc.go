// Package fsm says what a state machine is: a table of rows, one a state. It does
// nothing: it is data, and what can be told from the data before anything runs.
//
// # States
//
// A [Row] is a state: the readiness that it waits for, the deadlines that bound it,
// one handler for each kind of event, and where it leads. The row's index in the
// [Table] is the [State], 1 to 63.
//
// Row 0, [Any], is the state that every state is in: what a row leaves empty it
// takes from there. [Table.Resolve] lists what is taken, and is the one place that
// decides it. Row Any's Within bounds the machine's whole life, its Enter runs once
// when the machine is born (and may choose another first state) and its Exit runs
// once when it ends.
//
// A handler answers with the state to go to. [Stay], the zero value, is no
// transition: deadlines run on. Naming a state, its own too, is one: Exit and Enter
// run, Within starts anew, and input that is left is looked at again. [Stop] ends
// the machine; [Pass] and [Later] are no transitions either.
//
// Handlers are functions of the machine, a context and an event, so a method
// expression, (*conn).request, is one. A method value, c.request, is not: it would
// belong to one machine, and allocate.
//
// # Waiting
//
// [Ready] is a set of bits over four ports and four kinds of readiness. A readable
// bit may be held back by a [Gate]: a relay reads one side only while the other one
// has room.
//
//	up := client.Readable().While(upstream.Room())
//	down := upstream.Readable().While(client.Room())
//	relaying: {Name: "relaying", Wait: up | down, ...}
//
// States say what may still happen, gates whether there is room for it now.
// [Ready.Deliver] is what a loop asks: what came, of what is waited for, with the
// gates that are open. It costs 2 to 4 ns.
//
// # Deadlines
//
// Within bounds the stay in a state, however busy. Idle bounds silence: input that a gate
// holds back is not heard, whoever is at fault for that. Stall bounds output that does not
// move. Each names the state that it leads to: [After]. A state
// that is meant to wait for ever says [Never]; one that says nothing is an error.
//
// # Checks
//
// [Check] finds what can't be meant: a state that is unreachable, that may wait for
// ever, that leads nowhere, that waits without a handler, that leads to what is no
// row. It joins all that it finds; each [Problem] names the row.
//
// What a handler answers is code, which a table can't see. Row.To declares it: a
// runtime refuses an answer that is not declared, and the command
//
//	go run github.com/stator-go/stator/fsm/edges ./...
//
// reads the handlers and reports, before anything runs, what To does not name, and
// what it names that no handler answers.
//
// # Drawings and coverage
//
// [Mermaid], [DOT] and [SVG] draw a table, the same text for the same table. A [Coverage]
// counts the transitions that machines took; [Table.Missing] lists what no machine
// did, and a drawing shows it.
//
// # Use
//
// Tables are values. One that is in use is not changed, so any number of goroutines
// may read it; a Coverage belongs to one goroutine at a time. The zero Ready waits
// for nothing, the zero Deadline is row Any's, the zero State stays. Limits: 63
// states, 4 ports, 256 timers, signals 0 to 63.
//
// States within a state (row Any) are those of D. Harel, "Statecharts: a visual
// formalism for complex systems", 1987, with one level of them.
package fsm
