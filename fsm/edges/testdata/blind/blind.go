// Package blind holds a table whose answers can't all be told: to be listed with
// -v, and not to be reported.
package blind

import "github.com/stator-go/stator/fsm"

type context struct{}

type conn struct{ after fsm.State }

type table = fsm.Table[conn, *context, int]

const (
	idle fsm.State = fsm.First + iota
	head
	body
)

// Next may be set by others.
var Next = head

type asker interface{ Ask() fsm.State }

func rows(other fsm.Row[conn, *context, int], ready func(*conn, *context, fsm.Ready) fsm.State, a asker) table {
	return table{
		fsm.Any: {To: fsm.To(body)},
		idle:    {Name: "idle", Wait: 1, Ready: ready, Enter: (*conn).field, To: fsm.To(head)},
		head:    {Name: "head", Enter: func(*conn, *context) fsm.State { return a.Ask() }, To: set(body)},
		body:    other,
	}
}

func set(s fsm.State) fsm.States { return fsm.To(s) }

func (c *conn) field(*context) fsm.State {
	if Next == body {
		return Next
	}
	return c.after
}
