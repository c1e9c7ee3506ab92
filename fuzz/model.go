package fuzz

import (
	"bytes"
	"iter"
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
)

// Oracle judges a run by what peers sent and got. [PerConn], [Linear], [Ordered], [Relay],
// [Conns], [Redials] and [Datagrams] return one. The zero Oracle judges nothing.
type Oracle struct{ judge judge.Oracle }

// Model is a reference implementation of a protocol: a state, how bytes become an input, and
// what the answer to an input is. Input and Step are required, or what takes their place; most
// models need no other field.
type Model[S, In any] struct {
	New   func() S                               // returns the first state; nil: the zero value
	Input func(in []byte) (v In, n int, ok bool) // returns the first input of in, and its length; ok is false if it is incomplete
	Step  func(*S, In) string                    // changes the state, and returns the answer to an input; empty: there is none

	// StepAt is a Step for answers that depend on time, such as what expires. now is when the
	// input had been sent, and when the machine handled it: they differ only where peers are slow
	// or faults strike. What a run with such events shows wrong is not counted; Steps and
	// Moment.By can tell more. Words whose effect lasts 1 s show mistakes sooner than those of
	// 3 s: a search does not know which times matter to a model.
	StepAt func(s *S, v In, now time.Duration) string

	// Over reports whether the connection is over in this state. If so, the machine must end
	// it; if not, the machine must not end it by itself. Only PerConn uses it. If both it and
	// Last are nil, a machine may end the connection whenever it has given all answers.
	Over func(S) bool
	// Last reports whether an input is the last one of its connection, such as QUIT: the machine
	// must answer it, read no input behind it, and end the connection. Linear uses it, too.
	Last func(In) bool

	// Greeting is what a connection gets before it sends anything.
	Greeting string
	// HalfClose says that a peer that half-closes still gets all its answers: the machine
	// must not end before it has given them. Only PerConn uses it.
	HalfClose bool

	// Next is an Input for protocols in which the state says how bytes become an input. It is
	// also called when the peer has half-closed: ended is true, in may be empty, and n may be
	// 0 once, for the end as an input. Linear has no Next.
	Next func(s S, in []byte, ended bool) (v In, n int, ok bool)
	// Steps is a Step for inputs that have several possible outcomes, or whose answers depend
	// on the connection or on time. It must not change s, nor what s points to.
	Steps func(s S, v In, at Moment) []Outcome[S]

	// Push returns what the machine may send by itself in a state: a heartbeat, an answer that
	// comes out of order. It must not change s. Only PerConn has the fields from here on.
	Push func(s S, at Moment) []Outcome[S]
	// Owes reports whether a Push must still come in this state, or should have come by at.Time.
	// That is Spec.Patience before the peer gets something, sends an input, or the machine ends the
	// connection; and when all is at rest at the end of a run, where the machine has Spec.Patience
	// to do it. Where faults may have made the machine late, at.Time is at.Begin, or it is not asked.
	// For example, at.Time > at.Got+10*time.Second says that a heartbeat is due each 10 s.
	Owes func(s S, at Moment) bool
	// Ends returns when the machine must end the connection if nothing else happens; 0: never.
	// For example, at.Input + 7500*time.Millisecond is 7.5 s after the last whole input.
	Ends func(s S, at Moment) time.Duration
}

// Outcome is what may come of an input: the next state, and the answer.
type Outcome[S any] struct {
	State  S
	Answer string
}

// Line is a Model's Input for protocols of lines: it returns the first line of in without its end,
// which is \n or \r\n.
func Line(in []byte) (line string, n int, ok bool) {
	n = bytes.IndexByte(in, '\n') + 1
	return string(bytes.TrimSuffix(bytes.TrimSuffix(in[:n], []byte("\n")), []byte("\r"))), n, n > 0
}

// Moment is what a Model may know of a connection beside its bytes. Times are on the world's
// clock, which begins at 1 h. Machines may be later: in a run with faults, by all that passes.
type Moment struct {
	Conn  int           // its number
	Time  time.Duration // when the peer had sent the input, or got the first byte of a Push; see also Owes
	By    time.Duration // for Steps: when the machine had handled the input; the peer had got something later
	Begin time.Duration // when the connection began
	Input time.Duration // when the last whole input before had been sent; Begin if there is none
	Sent  time.Duration // when the peer last sent something; Begin if it has not
	Got   time.Duration // when the peer last got something; Begin if it has not
}

// judged returns the model as package judge has it.
func (m *Model[S, In]) judged() judge.Model[S, In] {
	j := judge.Model[S, In]{New: m.New, Input: m.Input, Step: m.step(), Timed: m.StepAt != nil, Over: m.Over, Last: m.Last, Greeting: m.Greeting, HalfClose: m.HalfClose, Next: m.Next}
	if m.Steps != nil {
		j.Steps = func(s S, v In, at judge.Moment) iter.Seq2[S, string] { return outcomes(m.Steps(s, v, Moment(at))) }
	}
	if m.Push != nil {
		j.Push = func(s S, at judge.Moment) iter.Seq2[S, string] { return outcomes(m.Push(s, Moment(at))) }
	}
	if m.Owes != nil {
		j.Owes = func(s S, at judge.Moment) bool { return m.Owes(s, Moment(at)) }
	}
	if m.Ends != nil {
		j.Ends = func(s S, at judge.Moment) time.Duration { return m.Ends(s, Moment(at)) }
	}
	return j
}

// step returns the Step or StepAt of the model; nil if it has neither.
func (m *Model[S, In]) step() func(*S, In, time.Duration) string {
	if m.StepAt != nil || m.Step == nil {
		return m.StepAt
	}
	return func(s *S, v In, _ time.Duration) string { return m.Step(s, v) }
}

func outcomes[S any](all []Outcome[S]) iter.Seq2[S, string] {
	return func(yield func(S, string) bool) {
		for _, o := range all {
			if !yield(o.State, o.Answer) {
				return
			}
		}
	}
}

// PerConn returns an Oracle that compares what each connection gets with a model of that
// connection alone. It judges the connections of all listeners; [Oracle.At] limits it to one.
//
// A connection that stays open must get all its answers. It may get fewer if it ends early
// because of its peer, a deadline, a message, an error or a shutdown. If its machine ends
// for none of these reasons, the machine must have answered all inputs before. An error that a
// handler made, and gave to IO.Fail, is an error, too: a machine whose protocol errors are to be
// judged returns a state instead.
//
// If the model has several outcomes, one way through them must fit all that a connection
// sent and got. A connection with more than 10,000 ways passes, and its run is counted in
// Finding.Undecided. Model.Ends fails a machine that a deadline or a timer ends sooner than
// it says, and, without faults, one that is still there Spec.Patience later.
func PerConn[S, In any](name string, m Model[S, In]) Oracle {
	return Oracle{judge.PerConn(name, m.judged())}
}

// Linear returns an Oracle that compares what all connections together get with one model
// for all of them. There must be an order of their inputs, each between the moment when
// it was sent and the moment when its answer arrived, in which the model gives each its
// answer. An input without an answer, when its connection ends, may have had its effect
// or not.
//
// Inputs of one connection are answered in order. An input whose answer is "" gets none. No
// answer may begin with another one: what follows would not be clear.
//
// The search for an order is that of Wing and Gong (Testing and Verifying Concurrent Objects,
// 1993), with the memory of Lowe (Testing for Linearizability, 2017). If 100,000 steps of the
// model do not decide a run, the run passes and is counted in Finding.Undecided. If a state has
// pointers, slices or maps in it, the search makes further states by New and Step from the
// beginning on: Step may change what is in a state, and New must return a new one. With a state
// that is plain, an array of values say, the search is several times as fast.
func Linear[S, In any](name string, m Model[S, In]) Oracle {
	return Oracle{judge.Linear(name, m.judged())}
}

// Ordered returns an Oracle that checks the order of messages from one connection to others,
// on whatever ways through machines and loops they come. Of the messages that a connection
// sends, each connection must get some, or all, in the order in which they were sent, and
// none more often than it was sent. Messages with a key that several connections sent, or
// none, are not judged.
//
// The function next returns the key of the first message of b, which is the same where it is
// sent and where it arrives, and its length; ok is false if it is incomplete. It reads what
// connections send and what they get:
//
//	fuzz.Ordered("lines", func(b []byte) (line string, n int, ok bool) {
//		n = bytes.IndexByte(b, '\n') + 1
//		return string(b[:n]), n, n > 0
//	})
func Ordered(name string, next func(b []byte) (key string, n int, ok bool)) Oracle {
	return Oracle{judge.Ordered(name, next)}
}

// Datagrams returns an Oracle that judges what each datagram peer of a run sent and got,
// in order. The function wrong returns what is wrong, or an empty string. Datagrams may be
// lost, arrive twice, or overtake others.
func Datagrams(name string, wrong func(sent, got []string) string) Oracle {
	return Oracle{judge.Datagrams(name, wrong)}
}
