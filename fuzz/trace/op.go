package trace

// Op says what an [Event] does. Values from [NumOps] on are taken modulo NumOps.
type Op uint8

// The events. Event.On is the number of a connection, unless the comment names a loop, an
// action or a datagram peer. A and B are the arguments. Where the comment says a or b, it
// means that argument, or 1 if the argument is 0. "mod n" is the rest of a division: of a
// list of n things it numbers one.
const ( // the order is part of the format of bytes that go test -fuzz records: new ones go last
	Settle        Op = iota // nothing happens; as after every event without Hold, the loops take turns until they rest
	Turn                    // a loop takes a turns, at most 64, while the others take none
	Advance                 // A times Units[B mod 5] of time pass, at most 24 hours
	Dial                    // the peer dials listener A mod n
	Send                    // the peer sends dictionary word A, 1+B times; it stops after 4,096 times or above 256 KiB
	Finish                  // the peer half-closes: it sends no more
	Close                   // the peer closes
	Reset                   // the peer resets the connection
	Pace                    // the peer reads A bytes every B ms; if A is MaxArg, all at once; if A or B is 0, never
	Act                     // an action that Setup declared happens with argument A, 1+B times, at most 256
	Leave                   // a loop is asked to shut down
	Limit                   // for the whole run, loops have a slots, or fewer if the Spec says so, and max(1, B mod 64) steps per turn; only the first counts
	ShortRead               // the machine's next b reads return at most a bytes
	ShortWrite              // the machine's next b writes take at most a bytes
	BlockRead               // the machine's next a reads would block, at most 1,000
	BlockWrite              // the machine's next a writes would block, at most 1,000
	Window                  // the peer's kernel buffers a bytes, the machine's B bytes
	Split                   // the peer's next b sends arrive in pieces of a bytes
	Spurious                // the machine gets an event of readiness that is not there: the bits Readable and Writable of A, both if A has neither
	Stale                   // a late event arrives for a socket that the machine has closed; A as for Spurious
	Permute                 // a loop's next events come in another order, whose seed is A
	Few                     // a loop's next wait returns at most a events
	Late                    // a loop's next deadline is noticed A µs late
	AcceptFails             // a loop's next b accepts fail; A mod 4: EMFILE, ECONNABORTED, ENFILE, EPROTO
	ConnectFails            // a loop's next b connects fail; A mod 2: refused, no answer
	Jump                    // the clock jumps by A times Units[B mod 5], at most 24 hours
	Signal                  // of the n signals that a loop asked for, number A mod n arrives, or all if A is MaxArg; 1+B times, at most 256
	Datagram                // a datagram peer sends dictionary word A to bound socket B mod n
	DatagramFails           // a loop's next b datagrams have the fate A mod 3: see DatagramLost
	Abrupt                  // just before the a-th read or write of the machine from now, the peer does B: see AbruptReset
	Scarce                  // for the whole run, the ports of a loop hold 8+A KiB together, and B timers may run, unless B is 0; only the first counts
	Repeat                  // the last A events before it happen B more times, or all if A is 0; Repeats among them do nothing
	WorkWaits               // the next work that is handed to World.Go, and waits for nothing yet, begins A ms later, and then B turns later
	ConnectWaits            // a loop's next b connects are answered a ms later
	LookUpWaits             // a loop's next b look-ups of names are answered a ms later
	LookUpFails             // a loop's next b look-ups of names fail; A mod 3: see LookUpNotFound
	Interleave              // when a loop is sent something between two turns, the next a times, it takes a turn at once: in the midst of the handler that sends
	AnswerWaits             // the next b replies of a connection's fuzz.Backend, its greeting among them, wait for a ms, or until faults cease if A is MaxArg; if the connection has none, those of the next one that has

	NumOps // the number of Ops
)

// Values of Event.B of an [Abrupt]. From AbruptSend on, the peer sends dictionary word
// B - AbruptSend.
const (
	AbruptReset = iota
	AbruptClose
	AbruptFinish
	AbruptSend
)

// Values of Event.A of a [DatagramFails], mod NumDatagramFates.
const (
	DatagramLost = iota
	DatagramDoubled
	DatagramOvertakes // it arrives before those that already wait
	NumDatagramFates
)

// Values of Event.A of a [LookUpFails], mod NumLookUpFates.
const (
	LookUpNotFound = iota // there is no such host
	LookUpTimeout
	LookUpServer // the name server gives no good answer
	NumLookUpFates
)

// Target says what Event.On numbers.
type Target uint8

const (
	OnNothing      Target = iota
	OnConn                // a connection
	OnLoop                // a loop
	OnAction              // an action that Setup declared
	OnDatagramPeer        // a peer that sends and receives datagrams
)

// info describes an Op.
type info struct {
	name  string
	on    Target
	a, b  string // names of the arguments; empty: unused
	fault bool
}

var ops = [NumOps]info{
	Settle:        {name: "settle"},
	Turn:          {name: "turn", on: OnLoop, a: "times"},
	Advance:       {name: "advance", a: "n", b: "unit"},
	Dial:          {name: "dial", on: OnConn, a: "listener"},
	Send:          {name: "send", on: OnConn, a: "word", b: "more"},
	Finish:        {name: "finish", on: OnConn},
	Close:         {name: "close", on: OnConn},
	Reset:         {name: "reset", on: OnConn},
	Pace:          {name: "pace", on: OnConn, a: "bytes", b: "ms"},
	Act:           {name: "act", on: OnAction, a: "arg", b: "more"},
	Leave:         {name: "leave", on: OnLoop},
	Limit:         {name: "limit", a: "slots", b: "steps", fault: true},
	ShortRead:     {name: "short-read", on: OnConn, a: "bytes", b: "times", fault: true},
	ShortWrite:    {name: "short-write", on: OnConn, a: "bytes", b: "times", fault: true},
	BlockRead:     {name: "block-read", on: OnConn, a: "times", fault: true},
	BlockWrite:    {name: "block-write", on: OnConn, a: "times", fault: true},
	Window:        {name: "window", on: OnConn, a: "bytes", b: "queue", fault: true},
	Split:         {name: "split", on: OnConn, a: "bytes", b: "times", fault: true},
	Spurious:      {name: "spurious", on: OnConn, a: "bits", fault: true},
	Stale:         {name: "stale", on: OnConn, a: "bits", fault: true},
	Permute:       {name: "permute", on: OnLoop, a: "seed", fault: true},
	Few:           {name: "few", on: OnLoop, a: "events", fault: true},
	Late:          {name: "late", on: OnLoop, a: "µs", fault: true},
	AcceptFails:   {name: "accept-fails", on: OnLoop, a: "error", b: "times", fault: true},
	ConnectFails:  {name: "connect-fails", on: OnLoop, a: "how", b: "times", fault: true},
	Jump:          {name: "jump", a: "n", b: "unit", fault: true},
	Signal:        {name: "signal", on: OnLoop, a: "which", b: "more"},
	Datagram:      {name: "datagram", on: OnDatagramPeer, a: "word", b: "to"},
	DatagramFails: {name: "datagram-fails", on: OnLoop, a: "how", b: "times", fault: true},
	Abrupt:        {name: "abrupt", on: OnConn, a: "calls", b: "what", fault: true},
	Scarce:        {name: "scarce", a: "KiB", b: "timers", fault: true},
	Repeat:        {name: "repeat", a: "events", b: "times"},
	WorkWaits:     {name: "work-waits", a: "ms", b: "turns", fault: true},
	ConnectWaits:  {name: "connect-waits", on: OnLoop, a: "ms", b: "times", fault: true},
	LookUpWaits:   {name: "lookup-waits", on: OnLoop, a: "ms", b: "times", fault: true},
	Interleave:    {name: "interleave", on: OnLoop, a: "times", fault: true},
	LookUpFails:   {name: "lookup-fails", on: OnLoop, a: "how", b: "times", fault: true},
	AnswerWaits:   {name: "answer-waits", on: OnConn, a: "ms", b: "times", fault: true},
}

// formerNames are names that traces of earlier versions have.
var formerNames = map[string]Op{"letter": Datagram, "mail-fails": DatagramFails}

func opNamed(name string) (op Op, known bool) {
	for op := range NumOps {
		if ops[op].name == name {
			return op, true
		}
	}
	op, known = formerNames[name]
	return op, known
}

func (op Op) info() *info { return &ops[op%NumOps] }

// String returns the name of the Op in the text of a trace.
func (op Op) String() string { return op.info().name }

// Target returns what Event.On numbers.
func (op Op) Target() Target { return op.info().on }

// Args returns the names of Event.A and Event.B in the text of a trace. An argument that
// is not used has no name.
func (op Op) Args() (a, b string) { return op.info().a, op.info().b }

// IsFault reports whether the Op is a fault: a thing that a kernel, a network or a clock
// may do to machines, rather than something that peers or other goroutines do.
func (op Op) IsFault() bool { return op.info().fault }

// hasWord reports whether A is the number of a dictionary word.
func (e Event) hasWord() bool { return e.Op == Send || e.Op == Datagram }
