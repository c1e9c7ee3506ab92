package fuzz

import "github.com/stator-go/stator/fuzz/internal/judge"

// Oracle judges a run by what peers sent and got. [PerConn], [Linear], [Ordered]
// and [Datagrams] return one. The zero Oracle judges nothing.
type Oracle struct{ judge judge.Oracle }

// Model is a reference implementation of a protocol: a state, how bytes become an input,
// and what the answer to an input is. Output that no input asks for, other than a Greeting,
// has no place in it, such as a farewell at a deadline or what another connection said.
// Input and Step are required.
type Model[S, In any] struct {
	New   func() S                               // returns the first state; nil: the zero value
	Input func(in []byte) (v In, n int, ok bool) // returns the first input of in, and its length; ok is false if it is incomplete
	Step  func(*S, In) string                    // changes the state, and returns the answer to an input

	// Over reports whether the connection is over in this state. If so, the machine must end
	// it; if not, the machine must not end it by itself. Only PerConn uses it. nil: a machine
	// may end the connection whenever it has given all answers.
	Over func(S) bool

	// Greeting is what a connection gets before it sends anything.
	Greeting string
	// HalfClose says that a peer that half-closes still gets all its answers: the machine
	// must not end before it has given them. Only PerConn uses it.
	HalfClose bool
}

// judged returns the model as package judge has it.
func (m *Model[S, In]) judged() judge.Model[S, In] {
	return judge.Model[S, In]{New: m.New, Input: m.Input, Step: m.Step, Over: m.Over, Greeting: m.Greeting, HalfClose: m.HalfClose}
}

// PerConn returns an Oracle that compares what each connection gets with a model of that
// connection alone. It judges the connections of all listeners; [Oracle.At] limits it to one.
//
// A connection that stays open must get all its answers. It may get fewer if it ends early
// because of its peer, a deadline, a message, an error or a shutdown. If its machine ends
// for none of these reasons, the machine must have answered all inputs before. So if a
// machine ends after an input such as QUIT, Step must return "" for the inputs behind it.
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
// beginning on: Step may change what is in a state, and New must return a new one.
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
