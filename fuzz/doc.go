// Package fuzz tests production loops in a simulated world: it runs them from short
// traces, searches for a trace that fails, and shrinks it.
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
// A [World] has loops of package reactor, unchanged. Their driver is simulated: sockets
// and the clock belong to the World, and each connection has a peer. All of it happens on
// one goroutine, so a run depends only on its [trace.Trace]. The same trace always gives
// the same run if handlers follow these rules:
//
//   - Ask the Context for the time.
//   - Start no goroutine: hand its work to World.Go.
//   - Do not range over a map where the order matters.
//   - Take random numbers only from a seed in the prototype.
//   - Do not show a Token to peers: the number of a loop depends on what else runs in the
//     process.
//   - Make what machines share, such as a store, in Setup.
//
// Some traces are run twice, to check that both runs are the same.
//
// # A tutorial
//
// This machine greets: each line is a name, and the answer to it is a greeting.
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
// Its test is the one above, with a dictionary (Spec.Dict) of the words "ann", "bob\n" and
// "\n". It fails at once:
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
// An empty name has no first letter. The run that failed had more events; these two are
// left after shrinking. The trace is kept, and go test replays it first from now on. Once
// the bug is fixed the test passes, and logs the edges of the table that no run took.
//
// So far nothing says that the greeting is right. A [Model] does. Some bugs are found
// without one: a machine that greets "an" and "n" when "ann" arrives in two reads gives
// another output for the same bytes. A machine that forgets each third visitor is found
// only with [PerConn]. The tutorial's machine is in tutorial_test.go: run it and change it.
//
// # Runs
//
// A trace is a list of events, 8 bytes each. A peer dials, sends a word of the dictionary,
// once or up to 2,048 times, or closes. Time passes. An action happens that Setup declared,
// such as a message from another goroutine. After each event the loops take turns until they
// rest, unless the event is marked hold. A loop rests when it has nothing to do until time
// passes or another event happens; a machine rests in the state that it is in then.
//
// Faults are events, too. Reads and writes are cut short or refused. Peers read slowly or
// not at all. Input arrives in pieces. An event claims readiness that is not there, or
// arrives late for a socket that is closed. Events are reordered. Accepts and connects
// fail. A peer acts between two calls of one turn. Slots, timers and buffers are few, but not
// fewer than what Setup needs. Deadlines are late, and the clock jumps. Datagrams are lost,
// doubled or reordered. A loop handles a message while its sender is still in the midst of
// its handler, action or work. Spec.Faults makes kinds of events more frequent, or switches
// them off:
//
//	Faults: trace.Weights{trace.Jump: 0, trace.Reset: 5},
//
// A machine that dials reaches the listener of this World at that address, if there is
// one. If that listener is closed, the connection is refused. If there is none, a peer
// accepts the connection, unless Spec.Answers returns [Refuses] or [IsSilent], which no fault
// changes. Such connections have numbers from Spec.Conns on; if all are in use, a peer whose
// machine has closed its end closes, too. Host names have the addresses of Spec.Names.
//
// Faults make a connection attempt, or the look-up of a name, take some milliseconds, fail, or
// both; an attempt may also stay unanswered for ever. A [Backend] greets and replies some
// milliseconds late, or not before faults cease; if a trace begins with that fault, the greeting
// that comes in the first turns may be late.
//
// If machines have bound datagram sockets, peers send datagrams to them, also empty ones.
// Half of these peers have the addresses to which machines wrote first. Signals that
// machines asked for arrive, also in bursts. [World.ReadPipe] and [World.WritePipe] return
// one end of a pipe for a machine; a peer has the other end. An action that keeps a
// [reactor.Ref] also sends to machines that have ended; an action that happens many times
// at once fills a mailbox.
//
// Work that machines do outside of loops, on goroutines of its own in production, goes through
// [World.Go]. It runs between two turns: soon, or some turns or milliseconds later, so that
// answers come late and in another order.
//
// Each run ends in the same way: faults cease and peers read everything; peers half-close,
// which means that they send no more; peers close; the loops shut down; the loops stop.
//
// # Proxies, clients, and several listeners
//
// An oracle judges what peers of all listeners get. [Oracle.At] limits it to one listener, or
// lets it judge what a machine sends to a server that it dials:
//
//	Oracles: []fuzz.Oracle{
//		fuzz.PerConn("admin", admin).At(":8001"),
//		fuzz.PerConn("data", data).At(":8000"),
//		fuzz.PerConn("queries", queries).At("10.0.0.1:5432"), // dialled
//	},
//
// A server that machines dial sends only what traces say, unless it is a [Backend]: [Serve]
// makes one of a Model. [Relay] says all that there is to say of a proxy:
//
//	Oracles: []fuzz.Oracle{fuzz.Relay("proxy", ":7000", "10.0.0.1:80")},
//
// What happens if the target refuses, or is silent, is best said by a Spec of its own for each, with
// Spec.Answers and a Model with Ends: a search does more if all of its machines get far.
//
// A [Role] gives the peers of a listener, or the server that machines dial, words of their own,
// and bounds how many peers there are:
//
//	Dict: []string{"GET\n", "SET\n"},
//	Roles: []fuzz.Role{
//		{Addr: ":8001", Dict: []string{"stats\n"}, Peers: 1},
//		{Addr: "10.0.0.1:80", Dict: []string{"200\n", "404\n"}},
//		{Addr: ":9000", Peers: fuzz.NoPeers}, // only machines dial it
//	},
//
// [Redials] says when a client dials again that has lost its connection, or was refused. [Conns]
// takes a judge of one's own, which sees all connections of a run: who dialled, which machine has
// them, what was sent, got and ended, and when.
//
// # Models of many outcomes
//
// A Model may be open: see the fields of [Model] from Next on. This is one of a server that
// dials for its clients, which may be refused, and that ends a connection after 7.5 s without a
// line:
//
//	fuzz.Model[struct{}, string]{
//		Input: fuzz.Line,
//		Steps: func(s struct{}, in string, _ fuzz.Moment) []fuzz.Outcome[struct{}] {
//			return []fuzz.Outcome[struct{}]{{State: s, Answer: "granted\n"}, {State: s, Answer: "refused\n"}}
//		},
//		Ends: func(_ struct{}, at fuzz.Moment) time.Duration { return at.Input + 7500*time.Millisecond },
//	}
//
// For answers that depend on time, such as what expires, Model.StepAt is the simplest: it has the
// time at which the input was handled. Where faults may have made the machine late it decides
// nothing. Steps does: what depends on the time may be so or so between Moment.Time, when an input
// had been sent, and Moment.By, when it had been handled. This one is of a value that is gone 2 s
// after it was set, for [PerConn], or [Linear] if all connections share it:
//
//	type value struct {
//		text     string
//		from, to time.Duration // it is gone from some moment between these on
//	}
//
//	Steps: func(v value, in string, at fuzz.Moment) (all []fuzz.Outcome[value]) {
//		if text, ok := strings.CutPrefix(in, "set "); ok {
//			return append(all, fuzz.Outcome[value]{State: value{text, at.Time + 2*time.Second, at.By + 2*time.Second}, Answer: "ok\n"})
//		}
//		if at.Time < v.to { // it may still be there, and then was not gone before
//			all = append(all, fuzz.Outcome[value]{State: value{v.text, max(v.from, at.Time), v.to}, Answer: v.text + "\n"})
//		}
//		if at.By >= v.from {
//			all = append(all, fuzz.Outcome[value]{State: value{v.text, v.from, min(v.to, at.By)}, Answer: "none\n"})
//		}
//		return all
//	},
//
// Push is for what the machine sends by itself. Answers that come out of order are pushes, too:
// Steps answers "" and keeps in the state what is due, Push returns what may come next, and Owes
// reports whether something must still come. This one is of a server that sends a heartbeat 10 s
// after it last sent something, and goes on doing so:
//
//	fuzz.Model[struct{}, string]{
//		Input: fuzz.Line,
//		Steps: func(s struct{}, in string, _ fuzz.Moment) []fuzz.Outcome[struct{}] {
//			return []fuzz.Outcome[struct{}]{{State: s, Answer: "ok\n"}}
//		},
//		Push: func(s struct{}, _ fuzz.Moment) []fuzz.Outcome[struct{}] {
//			return []fuzz.Outcome[struct{}]{{State: s, Answer: "PING\n"}}
//		},
//		Owes: func(_ struct{}, at fuzz.Moment) bool { return at.Time > at.Got+10*time.Second },
//	}
//
// # The search
//
// [Find] makes runs until one fails or its [Budget] is spent. Budget.Strategy says where
// traces come from. [Guided], the default, looks for features. A feature is something that
// a run showed:
//
//   - a transition, or two in a row of one machine;
//   - a state in which a machine rests;
//   - a fault and the state of the machine that it met;
//   - a condition of a probe that was true, or a range that a marked value was in.
//
// Guided keeps some traces for each feature. Half of its traces are drawn at random. The
// others are changes of those that it kept; it prefers features that were seen and tried
// least. [Swarm] and [Random] keep nothing. [Exhaustive] tries all traces of a few events
// without faults.
//
// Handlers guide the search with a [probe.Probe], which Setup puts into the prototype. In
// production it is the zero Probe, which does nothing:
//
//	c.probe.Always("three tries at most", c.tries <= 3)   // false: the run fails; see also Alwaysf
//	c.probe.Sometimes("the third succeeds", c.tries == 3) // must be true in some run
//	c.probe.Mark("tries", c.tries)                        // see probe.Probe.Mark
//
// Finding.Unseen lists conditions given to Sometimes that were true in no run. A search of
// at least [UnseenRuns] (10,000) runs fails if the list is not empty.
//
// Several goroutines make the runs if FUZZ_WORKERS or Budget.Workers says so. They share no
// World, and what a search finds does not depend on their number. If a failure says that
// something outlives runs, a trace fails only after others: machines share a global, or what
// Setup does not make anew.
//
// # The soak
//
// Some mistakes show only after many connections or messages. So [Run] also makes a soak, a
// few long runs without faults: after 1,000 runs, or at the end of a shorter search. It takes
// some tenths of a second, and two seconds at most; Budget.Soak and FUZZ_SOAK set another
// time. With -short there is none.
//
// First, each word of Spec.Dict is sent from each state that a machine can be led to by
// words. This finds conversations. Then some of them happen one after the other, 256 times or
// more: connections come, send, and go, each from an address of its own, and six minutes pass.
// The check "leak" compares what is there after 1/64, 1/16, 1/4 and all of the rounds: machines
// of each kind, named timers, bytes of Config.Buffers, and bytes of the Go heap. What grows with
// the number of connections is a failure, if it does so as well in a run that is four times as
// long. So a cache of some thousand entries passes, and so does what is dropped within a day.
// What is kept on purpose needs Spec.Without: [Leaks].
//
// Last, a connection sends the same word 66,000 times, more than 16 bits count. This is done
// for each word after which a connection stays open, as time permits, and judged by the
// other checks. A Linear does not judge runs of more than 1,000 connections.
//
// These runs are traces, too, with the event repeat. So a failure is shrunk and kept as
// others are. The size of the heap is no part of what makes two runs the same. Other tests
// that run at the same time disturb the check: it then measures the heap while no run is
// under way, and accuses no program if the heap grows nevertheless. A leak that no further run
// of its trace shows is not a failure.
//
// # What is checked
//
// The first column is the name that Failure.Oracle has; reports add the letter.
//
//	setup                  Setup returns no error
//	panic                  handlers do not panic, nor does the loop
//	descriptor contract K  each socket is closed exactly once, and not used after that
//	stale event         T  an event for a socket that was closed reaches no machine
//	lost wake-up        W  no machine waits for bytes that are there
//	lost input          B  what arrived before an error is read before the error ends its machine
//	lost output         O  a machine closes a connection only after what it wrote is sent
//	false end           F  peers get a clean end of a machine that ended by itself, and no other
//	quiescence          Q  machines end after their peers; connections are accepted if there is room
//	livelock            R  a loop comes to rest; no machine goes in circles
//	undeclared edge     E  states change only along edges of the table
//	determinism         D  the same trace gives the same run
//	segmentation        C  the same input gives the same output, in one piece or in many
//	hang-up             H  bytes in front of the peer's end are read if they would be answered without it
//	spurious events     S  events that are not true change no output
//	isolation           I  connections do not change each other's output: see Spec.Isolated
//	deadline            X  no stay is longer than Within, Idle or Stall of its row, no life longer than its Within
//	starvation          V  a machine goes on, and a peer gets an answer, also if others want all there is: see Spec.Pressure
//	slow peers          P  a peer that reads late gets what one that reads at once gets, or less: see Spec.Pressure
//	late end            N  a machine ends when all its peers have ended, and not by a deadline after that
//	leak                G  what machines hold, and the heap, do not grow with the number of connections
//	always              A  what a probe reports as Always holds
//	model "name"        M  PerConn and Datagrams: output is what a Model says; Relay: bytes are passed on unchanged
//	linearizability "…" L  Linear: outputs of all connections fit some order
//	order "name"        U  Ordered: messages of a connection arrive in the order in which it sent them
//
// "Lost output" excuses a machine that closes a connection to a peer that does not read, and
// one of whose other connections broke.
//
// "Slow peers" takes it for right if a machine ends, or stops answering, because Write returned
// ErrFull. It is wrong if a peer misses something in the middle, or gets the effect of its
// input twice.
//
// "Lost input" judges a state that waits for the input of the broken connection. "False end"
// judges machines that end by the error of one of their connections, as by IO.Fail: the peers of
// the others must be reset, unless the machine half-closed these before. It also judges machines
// that returned fsm.Stop without an error: their peers must not be reset within Options.Linger,
// although they send more, up to 64 KiB.
//
// Determinism, segmentation, hang-up, spurious events and isolation compare runs. They
// take further runs, so they are checked for one run of eight, and for each trace that is
// replayed. Starvation and slow peers need runs under pressure, for one run of 32: what
// connections send is repeated until it is much, for a peer that reads late, beside one that
// does not read, and, if answers take time, among others that ask for more than there is time
// for.
//
// The check of deadlines allows for the resolution of the loop and for lateness that a fault
// made. It checks Stall only when output is tried again. Spec.Without leaves out checks that do
// not hold for your machines.
//
// # Failures
//
// A trace that fails is shrunk: events are left out and arguments made smaller while it
// fails in the same way, which means by the same check, in the same state, at the same
// place, with the same text except for numbers and quoted bytes. If a trace fails only in
// some of its runs, each shorter trace is run several times, and the failure says so.
//
// The test shows the failure; the faults that had an effect; a table of the events with all
// that followed from each, in which machines are named by kind and slot, and messages are
// shown where they are sent and where they arrive; the handlers that ran, with file and line;
// a Mermaid sequence diagram; which parts of the events do not matter; and the command that
// runs the test again. Rows that repeat are shown once, with a count. [Show] shows the same of
// a run that passes. [Finding.GoTest] returns a Go test for the trace.
//
// The trace is kept as text under testdata/traces, and replayed first from then on. You
// may edit it. A trace names words by their index in Spec.Dict, and those of a Role by a number
// that begins with that of the role. So append to Dict, and to Roles: then kept traces mean the
// same as before.
//
// [Find] and [Replay] are for programs. [Native] makes the same runs with go test -fuzz.
// There, -fuzzminimizetime 1x gives more time to the search.
//
// # Reports
//
// A [Report] shows what a search did: which events each state got, and how often; which
// edges were taken, with a short trace for each, and which never were; which faults met
// which state; how coverage grew; and the failure, if there is one. For [Run], set
//
//	FUZZ_REPORT=/tmp/report go test ./...
//
// It writes two files for each test into that directory: a page with the states of each
// kind drawn, and the same as text. A relative path begins at the directory of the tested
// package. Tests also have a flag, -fuzz.report. It must follow the packages, and all of
// them must import this package. For [Find] and [Replay], set Spec.Report.
//
// Two reports of one seed and number of runs differ only in the line of times. Further
// runs of a check are counted, runs that shrink a trace are not. A search with a report
// takes a fifth to a half longer.
//
// # Limits and cost
//
// An event of an echo with short words takes about 380 ns and does not allocate. A run
// takes about 40 µs beside its events, as its loops are new. Each trace of a search counts as
// one run, but one of eight is run some fourteen times, to compare it with its variants:
// Finding.Simulated counts the events of all. An idle hour of 1,000 connections takes some
// milliseconds. Descriptors of the operating system cannot be adopted. A World belongs to one
// goroutine. Concurrent calls of Find are safe; each has its own World.
package fuzz
