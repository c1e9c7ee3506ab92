// Package fuzz runs production loops in a simulated machine room, from traces, and
// looks for traces that fail.
//
//	func TestFuzz(t *testing.T) {
//		fuzz.Run(t, fuzz.Spec{
//			Setup: func(w *fuzz.World) error {
//				_, err := kind.Listen(w.Loop(0), "tcp", ":7000", proto)
//				return err
//			},
//			Dict: []string{"PING\r\n", "QUIT\r\n"},
//		})
//	}
//
// A [World] has loops of package reactor, unchanged, over a driver whose sockets and
// clock are its own, and a peer for each connection. A [reactor.Stepper] lets the
// world take their turns, so all of it happens on one goroutine, and a run depends on
// nothing but its [Trace]. What handlers must do for that: ask the Context for the
// time, start no goroutine, range over no map where the order shows, draw no random
// numbers but from a seed that the prototype has, and show nobody a Token, as a loop's
// number depends on what else the process runs. What machines share, such as a store,
// Setup makes anew. The same trace is run twice now and then, and what differs is a
// failure too.
//
// # A tutorial
//
// A machine that greets: it answers each name, a line.
//
//	func (*greeter) greet(cx *reactor.Context[reactor.None], _ reactor.Ready) reactor.State {
//		in, err := cx.Peek(visitor)
//		name, _, whole := bytes.Cut(in, []byte("\n"))
//		if err != nil || !whole {
//			return cx.Fail(err)
//		}
//		err = cx.Write(visitor, fmt.Appendf(nil, "hello, %c%s\n", name[0]-'a'+'A', name[1:]))
//		cx.Discard(visitor, len(name)+1)
//		return cx.Fail(err)
//	}
//
// Its test is the one above, with the words "ann", "bob\n" and "\n". It fails at once:
//
//	panic: greeter panicked in state "greeting": runtime error: index out of range [0] with length 0
//	after event 2 of 2, at 0s
//
//	 #  time  conn  what              state                    deadlines  detail
//	 1  0s    0     dials listener 0
//	    0s    0       connects
//	    0s    0                       greeter: any → greeting  idle 1m
//	 2  0s    0     sends                                                 "\n"
//	    0s    0       machine reads                                       "\n"
//	    0s    0       machine ends    greeter                             index out of range …
//
// Nobody is called "": the run that was found had more events, and these two were left
// of it. The trace is kept, and go test runs it first from now on. With the fault mended
// the test passes, and says which edges of the table no run took.
//
// That the greeting is right nobody has said yet. A [Model] does: a machine that takes
// "ann" for "an" and "n" where a read was cut is found without one, by C; one that
// forgets each third visitor is found by [PerConn] alone. What else is judged stands
// below. The tutorial's machine is in tutorial_test.go, to be run and changed.
//
// # Runs
//
// A trace is a list of events of 8 bytes: a peer dials, sends a word, closes; time
// passes; an action that Setup declared happens, such as a message of another
// goroutine. After each event the loops take turns until they rest, but for events
// marked hold. An event whose target is gone does nothing, so any part of a trace is
// a trace, and its events mean what they meant in the whole.
//
// Faults are events as well: reads and writes cut short or refused, small windows,
// peers that do not read or trickle, input in pieces, readiness that is not true or
// comes late for a socket that is closed, events in another order, failing accepts
// and connects, peers that act between two calls of one turn, few slots, timers or
// buffers, late deadlines, a clock that jumps, datagrams that are lost, come twice or
// overtake others. Each run has faults and weights drawn anew, some off entirely.
//
// A machine that dials meets the listener that the world has at that address, and nobody
// when that one is gone; else a peer, whose connection has a number from Spec.Conns on and
// is judged by no Model; or nobody, where Spec.Answers says so. So what is to answer a
// proxy is a machine, which Setup lets listen where the proxy dials.
//
// Where machines have bound datagram sockets, peers send letters to them, empty ones
// too; half of these peers are whoever a machine wrote to. Signals that machines asked
// for come, in bursts. [World.ReadPipe] and [World.WritePipe] give machines an end of
// a pipe, and a peer the other. An action that keeps a [reactor.Ref] sends to machines
// that have ended, and one that happens many times at once fills a mailbox.
//
// The end of a run is always the same: faults cease and peers read; peers end their
// directions; peers close; the loops shut down; they stop.
//
// # The search
//
// [Find] makes runs until one fails or its [Budget] is spent. Budget.Strategy says
// where traces come from. Guided, the usual one, keeps what showed something new: a
// transition, or two in a row; a state that a machine rests in; a fault that met a
// state, when it was armed and when it happened; what a probe told. Half of its traces
// are new, and half are made of those, what was seen and tried least first. Swarm and
// Random keep nothing: one draws each trace from a mixture of its own, the other all
// from one. [Exhaustive] counts: what it is done with has no failure in so many events,
// faults aside.
//
// Handlers steer and judge it through a [probe.Probe], which Setup puts into the
// prototype; in production that is the zero Probe, and does nothing:
//
//	c.probe.Always("three tries at most", c.tries <= 3)   // false: the run fails
//	c.probe.Sometimes("the third succeeds", c.tries == 3) // in some run
//	c.probe.Mark("tries", c.tries)                        // what is higher is new
//
// What should be seen sometimes and was not is in Finding.Unseen, and fails a search
// of [Long] runs.
//
// # What is judged
//
//	panic  no handler panics, nor does the loop
//	K      no socket is used after its close, closed twice, or left open
//	T      an event for a socket that was closed reaches nobody
//	W      no machine waits for bytes that are there
//	Q      when peers are gone machines end, and who can be accepted is
//	R      a loop comes to rest; no machine goes in circles
//	E      states move along edges of the table
//	D      the same trace does the same
//	C      input in one piece and in many makes the same output
//	H      no bytes are left unread for the end behind them that were answered without
//	S      events that are not true change nothing
//	I      connections do not change each other (Spec.Isolated)
//	X      no stay is longer than its row's Within, Idle or Stall, nor a life than its own
//	A      what a probe says always holds
//	M      a [Model] that the spec gives: [PerConn], of ends as well; [Datagrams]
//	L      one model for all connections: [Linear]
//
// D, C, H, S and I take further runs, and are judged for one run of eight and for each
// trace that is replayed. X allows for the loop's resolution and for lateness that a
// fault made, and looks at Stall where output was tried again. Spec.Without leaves out
// those that do not hold: C, H and S for a protocol that cannot meet them, X for
// handlers that call IO.Within.
//
// # Failures
//
// A trace that fails is shrunk: events are left out, arguments made smaller, for as long
// as it fails in the same way: by the same oracle, in the same state, at the same place.
// What fails in some runs of a trace and not in others is shrunk by some runs of each,
// and told as such. What is shown is the failure; a table of the events with all that
// followed from each, at what time, between which states; a Mermaid sequence diagram;
// what of the events could be otherwise; and the command that runs it again.
// Finding.GoTest writes a Go test of it. The trace is kept under testdata/traces, and run
// first from then on; it is text, and may be edited. Its words are numbers in Spec.Dict:
// append to that, and old traces mean what they meant.
//
// [Find] and [Replay] are for programs, and [Native] gives the same runs to go test
// -fuzz. Coverage of code does not see a machine's state, as a table is run by the
// same code in each; so Native leads each transition, and what probes say, through a
// block of code of its own. -fuzzminimizetime 1x lets it search and not shrink. Most of
// what it then keeps is news of the loop's own code; Find gets further in less time.
//
// # Reports
//
// A [Report] tells what a search did: what each state was given and how often, which
// edges were taken and by a trace as short as was found, which never were, what faults
// met which state, how coverage grew, and the failure if there is one. Of [Run]
//
//	FUZZ_REPORT=/tmp/report go test ./...
//
// writes two files for each test into that directory: a page that needs nothing else,
// with the states of each kind drawn, and the same as text. A path that is not absolute
// begins where the test's package is. In tests there is a flag as well, -fuzz.report,
// which must follow the packages and be known to all of them; programs that import
// this package have no such flag. Of [Find] and [Replay], Spec.Report asks for it.
//
// Two reports of one seed and number of runs differ in the line of times alone. What
// counts is the search with the further runs of its oracles, and not the shrinking. A
// search that is reported takes a fifth to a half longer; one that is not pays nothing.
//
// # Limits and cost
//
// An event of an echo of short words takes some 350 ns and no allocation; a run begins
// and ends in some 50 µs, for its loops are new. An idle hour of 1,000 connections takes some
// milliseconds. Names are not resolved, and descriptors of the system cannot be
// adopted. A World belongs to one goroutine; Finds may run beside each other, each
// with its own.
package fuzz
