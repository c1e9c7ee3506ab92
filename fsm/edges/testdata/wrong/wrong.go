// Package wrong has a table that declares too few states and too many.
package wrong

import "github.com/stator-go/stator/fsm"

type context struct{}

func (*context) State() fsm.State { return 0 }

type conn struct{ n int }

type table = fsm.Table[conn, *context, int]

const (
	idle fsm.State = fsm.First + iota
	head
	body
	last
)

func rows() table {
	return table{
		fsm.Any: {Wait: 1, OnReady: (*conn).request, OnDown: (*conn).down, OnEnter: (*conn).choose, To: fsm.To(last)},
		idle:    {Name: "idle", To: fsm.To(head)},
		head:    {Name: "head", To: fsm.To(body)},
		body: {Name: "body", OnReady: (*conn).body,
			OnMessage: func(c *conn, cx *context, n *int) fsm.State { return c.next(*n) },
			To:        fsm.To(idle, body, 4)},
		last: {Name: "last", OnReady: (*conn).pass, OnEnter: (*conn).far},
	}
}

// request returns body, which idle does not declare.
func (c *conn) request(cx *context, _ fsm.Ready) fsm.State {
	if cx.State() == idle && c.n == 0 {
		return head
	}
	return body
}

func (c *conn) body(*context, fsm.Ready) fsm.State { return fsm.Stay }

func (c *conn) next(n int) fsm.State {
	switch {
	case n < 3:
		return head
	case n == 3:
		return idle
	}
	return body
}

func (c *conn) down(*context, fsm.Down) fsm.State { return fsm.Stop }

func (c *conn) choose(*context) fsm.State { return head }

// pass lets row Any's handler handle the event.
func (c *conn) pass(*context, fsm.Ready) fsm.State { return fsm.Pass }

func (c *conn) far(*context) fsm.State { return 9 }
