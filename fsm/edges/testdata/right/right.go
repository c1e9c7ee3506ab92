// Package right has tables that declare exactly the states that their handlers return, in
// all forms that edges must follow. Nothing is reported.
package right

import (
	"errors"

	"github.com/stator-go/stator/fsm"
)

// Context replaces that of a runtime.
type Context struct{ state fsm.State }

func (c *Context) State() fsm.State { return c.state }

// Fail replaces that of a runtime. Its body is in this package, so it is followed.
func (c *Context) Fail(err error) fsm.State {
	if err != nil {
		return fsm.Stop
	}
	return fsm.Stay
}

type machine struct{ left int }

// Table is an alias with a parameter, like reactor.Table.
type Table[M any] = fsm.Table[M, *Context, string]

const (
	idle fsm.State = fsm.First + iota
	head
	body
	closing
)

const port fsm.Port = 0

var errBroken = errors.New("broken")

// shared has one handler for several states, which asks for the current one.
func shared() Table[machine] {
	return Table[machine]{
		fsm.Any: {OnReady: (*machine).request},
		idle:    {Name: "idle", Wait: port.Readable(), To: fsm.To(idle, head, body)},
		head:    {Name: "head", Wait: port.Readable(), To: fsm.To(idle, body)},
		body:    {Name: "body", Wait: port.Readable(), OnReady: (*machine).body, To: fsm.To(idle)},
		closing: {Name: "closing", OnEnter: (*machine).refuse}, // inherits no OnReady, as it waits for nothing
	}
}

func (m *machine) request(cx *Context, _ fsm.Ready) fsm.State {
	if m.left < 0 {
		return cx.Fail(errBroken)
	}
	if m.left == 0 {
		if cx.State() == head {
			return fsm.Stay
		}
		return head
	}
	if m.left > 1 {
		return body
	}
	return m.next()
}

func (m *machine) body(*Context, fsm.Ready) fsm.State { return m.next() }

func (m *machine) next() fsm.State {
	if m.left == 7 {
		return fsm.Stop
	}
	return idle
}

func (m *machine) refuse(*Context) fsm.State { return fsm.Stop }

// relay passes states as parameters, which a handler returns in one state only.
func relay() Table[machine] {
	up := func(_ *machine, cx *Context, r fsm.Ready) fsm.State {
		if r.Has(port.Readable()) {
			return ended(cx, head)
		}
		return ended(cx, body)
	}
	return Table[machine]{
		fsm.Any: {OnReady: up, Wait: port.Readable()},
		idle:    {Name: "idle", To: fsm.To(head) | fsm.To(body)},
		head:    {Name: "head"},
		body:    {Name: "body"},
	}
}

func ended(cx *Context, next fsm.State) fsm.State {
	if s := cx.State(); s == idle {
		return next
	}
	return fsm.Stop
}

// switches has handlers that return states depending on switch statements.
func switches() []fsm.Row[machine, *Context, string] {
	return []fsm.Row[machine, *Context, string]{
		{OnMessage: (*machine).each, To: fsm.To(closing)},
		{Name: "idle", To: fsm.To(head)},
		{Name: "head", To: fsm.To(body)},
		{Name: "body", To: fsm.To(idle, head)},
		{Name: "closing", OnMessage: func(m *machine, cx *Context, s *string) fsm.State {
			if *s == "" {
				return fsm.Pass // row Any's handler returns idle and closing in this state
			}
			return fsm.Defer
		}, To: fsm.To(idle)},
	}
}

func (m *machine) each(cx *Context, _ *string) fsm.State {
	if m.left == 9 && (cx.State() != idle || false) {
		return closing
	}
	switch cx.State() {
	case idle:
		return head
	case head:
		return body
	case body:
		next := idle
		if m.left > 3 {
			next = head
		}
		return next
	default:
		return idle
	}
}

// callbacks has handlers with recursion, several results and function parameters.
func callbacks() fsm.Table[machine, *Context, string] {
	start := fsm.Row[machine, *Context, string]{Name: "idle", OnEnter: (*machine).enter, To: toHead | fsm.To(body)}
	return fsm.Table[machine, *Context, string]{
		fsm.Any: {OnTimer: tick, OnEnter: (*machine).born, To: fsm.To(closing)},
		idle:    start,
		head:    {Name: "head", OnTimer: later[int]},
		body:    {Name: "body"},
		closing: {Name: "closing", Defer: true},
	}
}

const toHead fsm.States = 1 << head

func (m *machine) enter(cx *Context) fsm.State {
	return m.try(cx, func() fsm.State { return head })
}

func (m *machine) try(cx *Context, then func() fsm.State) fsm.State {
	if m.left--; m.left > 0 {
		return m.retry(cx, then)
	}
	return then()
}

func (m *machine) retry(cx *Context, then func() fsm.State) fsm.State {
	if m.left == 5 {
		return body
	}
	return m.try(cx, then)
}

func (m *machine) born(cx *Context) (next fsm.State) {
	if m.left == 1 {
		next = closing
		return
	}
	for {
		if m.left == 2 {
			break
		}
	}
	return
}

func tick(m *machine, cx *Context, f fsm.Fired) fsm.State {
	next, err := parse(m)
	if err != nil {
		return cx.Fail(err)
	}
	return next
}

func parse(m *machine) (fsm.State, error) {
	if m.left == 0 {
		return fsm.Stay, errBroken
	}
	return closing, nil
}

func later[T any](*machine, *Context, fsm.Fired) fsm.State {
	panic("never " + "fires")
}
