package reactor

import (
	"slices"

	"github.com/stator-go/stator/fsm"
)

// Tracer is an Observer that is told as well what machines are given, before they
// are: for reports of tests. Handlers are called through one more function for it,
// so it is not for production.
type Tracer interface {
	Observer
	// Traced tells what happens to a machine in a state. A handler that passes an event
	// on to row Any's, or fails at it, is told of once for the event; its failure is
	// told of after it.
	Traced(t Token, k AnyKind, in State, c Event)
}

// Event is what a machine is given: an event, for its handler, or what leads it on
// without one, by a field of its row.
type Event string

// All causes: those of handlers, those of deadlines, and the other fields of a row.
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

	EventFail     Event = "fail" // IO.Fail with an error, or one that came outside of a call
	EventShutdown Event = "shutdown"
)

// trace tells the witness, if there is one.
func (l *Loop) trace(x uint32, h *header, c Event) {
	if l.tracer != nil {
		l.tracer.Traced(l.slots.TokenAt(x), l.stores[h.kind].anyKind(), State(h.state), c)
	}
}

// traced is the kind with handlers that tell a witness before they are called. A
// loop without one so pays nothing. Those of row Any stay: they are called for what
// a state's handler passes on; the rows that take them from there have copies.
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
		r.OnMessage = traced(EventMessage, r.OnMessage)
		r.OnTimer = traced(EventTimer, r.OnTimer)
		r.OnDown = traced(EventDown, r.OnDown)
		r.OnSignal = traced(EventSignal, r.OnSignal)
	}
	return &own
}

// traced is a handler that tells the loop's witness before it is called.
func traced[M, Msg, E any](c Event, handler func(*M, *Context[Msg], E) State) func(*M, *Context[Msg], E) State {
	if handler == nil {
		return nil
	}
	return func(m *M, cx *Context[Msg], event E) State {
		cx.loop.trace(cx.x, cx.h, c)
		return handler(m, cx, event)
	}
}
