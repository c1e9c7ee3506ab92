package trace

// Op says what an [Event] does. Values from [NumOps] on are taken modulo NumOps.
type Op uint8

// The events. Comments name the arguments A and B. Event.On is the number of a connection,
// unless the comment speaks of a loop, an action or a datagram peer.
const ( // the order is part of the format of bytes that go test -fuzz records: new ones go last
	Settle        Op = iota // nothing: the loops take turns until they rest
	Turn                    // a loop takes A turns, while the others take none
	Advance                 // A units of time pass; B numbers the unit
	Dial                    // the peer dials; A numbers the listener
	Send                    // the peer sends the word A, 1+B times
	Finish                  // the peer ends its direction
	Close                   // the peer closes
	Reset                   // the peer resets the connection
	Pace                    // the peer reads A bytes each B ms; MaxArg: at once; 0: never
	Act                     // an action that Setup declared happens with argument A, 1+B times
	Leave                   // a loop is asked to shut down
	Limit                   // for the whole run: loops have A slots, and B steps per turn
	ShortRead               // reads of the machine return at most A bytes, B times
	ShortWrite              // writes of the machine take at most A bytes, B times
	BlockRead               // reads of the machine would block, A times
	BlockWrite              // writes of the machine would block, A times
	Window                  // the peer's kernel buffers A bytes, and the machine's B bytes
	Split                   // the peer's next B sends arrive in pieces of A bytes
	Spurious                // the machine gets an event of readiness that is not there; A has the bits of poll.Ready
	Stale                   // a late event arrives for a socket that the machine has closed; A as for Spurious
	Permute                 // a loop's next events come in another order; A is its seed
	Few                     // a loop's next wait returns at most A events
	Late                    // a loop's next deadline is noticed A µs late
	AcceptFails             // a loop's accepts fail with error number A, B times
	ConnectFails            // a loop's connects fail, B times; A: 0 refused, 1 no answer
	Jump                    // the clock jumps by A units of time; B numbers the unit
	Signal                  // Unix signals that a loop asked for arrive 1+B times: the A-th of them, or all if A is MaxArg
	Datagram                // a datagram peer sends the word A to the B-th bound socket
	DatagramFails           // B datagrams of a loop are lost, doubled or reordered: see DatagramLost
	Abrupt                  // the peer acts just before the A-th next read or write of the machine; B says what
	Scarce                  // for the whole run: a loop's ports hold 8+A KiB together, and B timers run

	NumOps // the number of Ops
)

// Values of Event.B of an [Abrupt]. From AbruptSend on the peer sends a word, of number
// B - AbruptSend.
const (
	AbruptReset = iota
	AbruptClose
	AbruptFinish
	AbruptSend
)

// Values of Event.A of a [DatagramFails], modulo NumDatagramFates.
const (
	DatagramLost = iota
	DatagramDoubled
	DatagramOvertakes // it arrives before those that already wait
	NumDatagramFates
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

// hasWord reports whether A numbers a word.
func (e Event) hasWord() bool { return e.Op == Send || e.Op == Datagram }
