package sim

import (
	"fmt"
	"slices"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// What is the subject of an Observation. The comments name the fields that it sets
// beside Event, Time and Stage, which are always set.
type What uint8

// What happens in every run.
const (
	RunBegins     What = iota // Again, Spurious
	SetupFailed               // Err: a *PanicError, if Setup panicked
	EventBegins               // an event of the trace begins
	RoundOver                 // N, Limit: of Limit rounds of a Repeat, N are over
	DialsOn                   // machines have begun 10,000 connections in the run, or in a round of its Repeat
	StageBegins               // a stage of the run's end begins
	EventOver                 // the loops rest after an event of the trace
	Rested                    // the loops rest, and time is about to pass
	CleanupBegins             // the run was halted, and its loops are stopped next

	Moved // Machine, From, To: a transition
	Told  // Machine, From, Message: a loop gives the event Machine.Cause to a machine in state From
	Posts // Machine, or Name if it is none: it sends Message to Other; Err: it was refused
	Ended // Machine, Err: why it ended; OK: by itself, so nothing but readiness led to it
	Stuck // Machine: output that the loop holds does not move

	Always    // Name, OK: what a probe reports; Err: with which values, if it does not hold
	Sometimes // Name, OK
	Mark      // Name, N

	FaultArmed  // Op; Machine, if the event is about a connection of one
	FaultMet    // Op, Machine: a fault changes what a call of the machine does
	FaultStruck // Op; Machine, if there is one: a fault has an effect

	Connects      // Conn: the peer is connected
	Sends         // Conn, Bytes: the peer sends, N bytes in all now, at Tick
	Gets          // Conn, Bytes: the peer gets, N bytes in all now, at Tick
	Finishes      // Conn: the peer half-closes
	Closes        // Conn: the peer closes
	GetsEnd       // Conn: the peer gets the end of its input
	GetsReset     // Conn: the peer is reset
	MachineReads  // Conn, Bytes; Machine, if it has begun
	MachineWrites // the same
	MachineCloses // Conn, Machine
	ToldReadable  // Conn: its machine is told that it is readable, which is not true
	PeerSends     // Conn, Bytes: datagram peer Conn sends
	PeerGets      // Conn, Bytes: datagram peer Conn gets
	ActionHappens // Name
	LookedUp      // Name, Err: the answer to a look-up of a name comes
	WorkBegins    // N: the number of the work, in the order of World.Go
	WorkEnds      // N
	LeaveAsked    // Loop is asked to shut down

	// What may be wrong.
	Misuse      // Name: a loop uses its driver as the contract forbids
	Idles       // Loop has taken N turns in which nothing moved
	Chatters    // Loop has taken N turns, writes and messages at one moment, in which no machine read
	Panics      // Err, a *PanicError; if OK, Name is the action, or the work, that was called
	Exits       // an action, or an observer, has ended its goroutine; if OK, Name is the action, or the work
	FaultsOver  // faults have ceased, peers read, the loops rest
	ReadsLate   // Conn, N: a machine reads only when it is told again that N bytes wait
	LosesInput  // Conn, N, Machine: it ended in From by the error of Conn, before it read N bytes in front of that
	HidesError  // Conn, Machine: it ended as another connection broke, and the peer finds a clean end
	DropsOutput // Conn, Machine: it closes before what it wrote was sent, to a peer that has room for that
	Resets      // Conn, N, Machine: it ended by itself, and closes with N bytes unread, which resets the peer
	Starves     // Machine, Conn, N: it waits for buffers, N bytes unread, although it needs few and there are few machines
	EndsLate    // Machine, Conn: all its peers have ended, nothing is left to do, and only a deadline ends it
	Unaccepted  // N connections wait to be accepted at address Name; Free of Limit slots are free
	ConnOver    // Conn is over, or is closed next
	HoldsOpen   // Conn, Machine: the peer has closed, and the machine has not
	Unanswered  // Machine: it waits for a connection to address Name that is never answered
	StaleEvents // Loop: it was told of N events of closed sockets, and counted Limit of them
	LoopsLeft   // the loops were asked to shut down a minute ago
	LoopRemains // Loop was stopped, and has not ended

	numWhats
)

// Observation is one thing that happened in a run, as a plain value. It holds until the
// Observer returns.
type Observation struct {
	What     What
	Stage    Stage
	Op       trace.Op
	From, To reactor.State
	OK       bool
	Again    bool  // the run repeats one
	Spurious bool  // the run has spurious events everywhere
	Event    int   // how many events of the trace have begun
	Time     int64 // on the world's clock, in nanoseconds

	Loop, Conn     int // Conn -1: none
	N, Limit, Free int
	Tick           int // grows with each Sends and Gets of a run
	Machine, Other *Machine
	Name           string
	Bytes          []byte
	Message        any // a pointer to it; nil: it is no message
	Err            error
}

// PanicError is a panic that the loop did not recover, or of Setup.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprint(e.Value) }

// Observer takes the observations that it wants, in order. It is called in the midst of
// turns, and must not change the world except by Halt. At FaultsOver it may also call
// Advance.
type Observer interface {
	Wants() []What
	Observe(*Observation)
}

// Attach adds an observer, which is called after those that the world has.
func (w *World) Attach(o Observer) {
	w.observers = append(w.observers, o)
	w.subscribe()
}

// Detach removes an observer.
func (w *World) Detach(o Observer) {
	w.observers = slices.DeleteFunc(w.observers, func(x Observer) bool { return x == o })
	w.subscribe()
}

// Only makes an observer the only one, until the returned function is called.
func (w *World) Only(o Observer) (restore func()) {
	all := w.observers
	w.observers = []Observer{o}
	w.subscribe()
	return func() {
		w.observers = all
		w.subscribe()
	}
}

func (w *World) subscribe() {
	for i := range w.wanting {
		w.wanting[i] = w.wanting[i][:0]
	}
	for _, o := range w.observers {
		for _, what := range o.Wants() {
			w.wanting[what] = append(w.wanting[what], o)
		}
	}
}

// wants reports whether an observer wants a subject. Frequent subjects are checked before an
// observation is made.
func (w *World) wants(what What) bool { return len(w.wanting[what]) > 0 }

// observation returns an observation to be filled in and emitted. There is one for each
// depth: an observer may let time pass, which makes more.
func (w *World) observation(what What) *Observation {
	o := &w.seen[w.depth]
	*o = Observation{What: what, Stage: w.stage, Event: w.at, Time: w.now, Conn: -1}
	return o
}

func (w *World) emit(o *Observation) {
	w.depth++
	for _, to := range w.wanting[o.What] {
		to.Observe(o)
	}
	w.depth--
}

// observe emits an observation that has no fields of its own. Those, and transitions, are so
// frequent that they have an Observation for themselves, in which no other field needs to be
// cleared.
func (w *World) observe(what What) {
	if w.wants(what) {
		o := &w.plain[w.depth]
		o.What, o.Stage, o.Event, o.Time, o.Conn = what, w.stage, w.at, w.now, -1
		w.emit(o)
	}
}

// observeMove emits a transition.
func (w *World) observeMove(m *Machine, from, to reactor.State) {
	o := &w.move
	o.What, o.Stage, o.Event, o.Time, o.Conn = Moved, w.stage, w.at, w.now, m.Conn
	o.Machine, o.From, o.To = m, from, to
	w.emit(o)
}

// observeConn emits an observation about a connection, or a datagram peer.
func (w *World) observeConn(what What, conn int, b []byte) {
	if w.wants(what) {
		o := w.observation(what)
		o.Conn, o.Bytes = conn, b
		w.emit(o)
	}
}

// observeEnd emits what a machine does to its end of a connection.
func (w *World) observeEnd(what What, s *socket, b []byte) {
	if w.wants(what) {
		o := w.observation(what)
		o.Conn, o.Bytes, o.Machine = int(s.conn), b, s.machine()
		w.emit(o)
	}
}

// observeLoop emits an observation about a loop.
func (w *World) observeLoop(what What, loop, n, limit int) {
	o := w.observation(what)
	o.Loop, o.N, o.Limit = loop, n, limit
	w.emit(o)
}

// misuse emits that a loop violated the contract of drivers.
func (w *World) misuse(text string) {
	o := w.observation(Misuse)
	o.Name = text
	w.emit(o)
}

// observeFault emits something about a fault: about a socket of a machine's, or, with
// nil, about a loop.
func (w *World) observeFault(what What, op trace.Op, s *socket) {
	if w.wants(what) {
		o := w.observation(what)
		o.Op = op
		if s != nil {
			o.Machine = s.machine()
		}
		w.emit(o)
	}
}

// met emits that a fault changes what a call of a machine does.
func (w *World) met(op trace.Op, s *socket) {
	w.observeFault(FaultMet, op, s)
	w.observeFault(FaultStruck, op, s)
}

// struck emits that a fault has an effect on a socket, or, with nil, on a loop.
func (w *World) struck(op trace.Op, s *socket) { w.observeFault(FaultStruck, op, s) }
