package reactor

import (
	"slices"

	"github.com/stator-go/stator/fsm"
)

// Tracer is an Observer that is also called for the events of machines, before their
// handlers are. It is for the reports of tests, and not for production: each handler is
// called through one more function then.
type Tracer interface {
	Observer
	// Traced is called for an event of a machine in a state. If the handler passes the event
	// on to row Any's, Traced is called once. If it fails, Traced is called for that as well,
	// afterwards.
	Traced(t Token, k AnyKind, in State, c Event)
}

// MessageTracer is a Tracer that is also given the messages.
type MessageTracer interface {
	Tracer
	// TracedSend is called by Send and Post, on the goroutine of their caller, for a message to
	// a machine of the tracer's loop: with nil before it is in the mailbox, and again with the
	// error if it is refused. m is a pointer to a copy of the message.
	TracedSend(to Token, m any, err error)
	// TracedMessage is called before Traced for each EventMessage. m is a pointer to the
	// message, which is valid until TracedMessage returns.
	TracedMessage(t Token, m any)
}

// Event is what happens to a machine in a state: something that a handler of its row is
// called for, or something for which another field of its row has a target.
type Event string

// All events: those with a handler, the deadlines, and those with a target.
const (
	EventEnter   Event = "enter"
	EventReady   Event = "ready"
	EventMessage Event = "message"
	EventTimer   Event = "timer"
	EventDown    Event = "down"
	EventSignal  Event = "signal"

	EventWithin Event = "within"
	EventIdle   Event = "idle"
	EventStall  Event = "stall"
	EventLife   Event = "life"

	EventFail     Event = "fail" // an error was passed to IO.Fail, or came outside of a call
	EventShutdown Event = "shutdown"
)

// trace calls the tracer, if there is one.
func (l *Loop) trace(x uint32, h *header, c Event) {
	if l.tracer != nil {
		l.tracer.Traced(l.slots.TokenAt(x), l.stores[h.kind].anyKind(), State(h.state), c)
	}
}

// traced returns the kind with handlers that call a tracer first, so that a loop without a
// tracer pays nothing. The handlers of row Any stay as they are: they are called for events
// that a state's handler passes on, and rows that inherit them have copies.
func (k *Kind[M, Msg]) traced() *Kind[M, Msg] {
	own := *k
	own.rows = slices.Clone(k.rows)
	for s := range own.rows {
		r := &own.rows[s]
		if enter := r.OnEnter; enter != nil {
			r.OnEnter = func(m *M, cx *Context[Msg]) State {
				cx.loop.trace(cx.x, cx.h, EventEnter)
				return enter(m, cx)
			}
		}
		if s == int(fsm.Any) {
			continue
		}
		r.OnReady = traced(EventReady, r.OnReady)
		r.OnMessage = tracedMessage(r.OnMessage)
		r.OnTimer = traced(EventTimer, r.OnTimer)
		r.OnDown = traced(EventDown, r.OnDown)
		r.OnSignal = traced(EventSignal, r.OnSignal)
	}
	return &own
}

// traced returns a handler that calls the loop's tracer first.
func traced[M, Msg, E any](c Event, handler func(*M, *Context[Msg], E) State) func(*M, *Context[Msg], E) State {
	if handler == nil {
		return nil
	}
	return func(m *M, cx *Context[Msg], event E) State {
		cx.loop.trace(cx.x, cx.h, c)
		return handler(m, cx, event)
	}
}

// tracedMessage returns a handler that calls the loop's tracer first, with the message if it
// takes messages.
func tracedMessage[M, Msg any](handler func(*M, *Context[Msg], *Msg) State) func(*M, *Context[Msg], *Msg) State {
	if handler == nil {
		return nil
	}
	handler = traced(EventMessage, handler)
	return func(m *M, cx *Context[Msg], message *Msg) State {
		if t, ok := cx.loop.tracer.(MessageTracer); ok {
			t.TracedMessage(cx.loop.slots.TokenAt(cx.x), message)
		}
		return handler(m, cx, message)
	}
}

// putTraced is put for a loop with a tracer.
func (r Ref[Msg]) putTraced(in *inbox[Msg], m Msg, wake bool) error {
	told := m
	in.tracer.TracedSend(r.to, &told, nil)
	err := r.enqueue(in, m, wake)
	if err != nil {
		in.tracer.TracedSend(r.to, &told, err)
	}
	return err
}
