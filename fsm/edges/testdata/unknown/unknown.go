// Package unknown has tables whose handlers return states that edges cannot determine.
// These are listed with -v and not reported.
package unknown

import "github.com/stator-go/stator/fsm"

type context struct{}

type conn struct{ after fsm.State }

type table = fsm.Table[conn, *context, int]

const (
	idle fsm.State = fsm.First + iota
	head
	body
)

// Next may be set by other packages.
var Next = head

type asker interface{ Ask() fsm.State }

func rows(other fsm.Row[conn, *context, int], ready func(*conn, *context, fsm.Ready) fsm.State, a asker) table {
	return table{
		fsm.Any: {To: fsm.To(body)},
		idle:    {Name: "idle", Wait: 1, OnReady: ready, OnEnter: (*conn).field, To: fsm.To(head)},
		head:    {Name: "head", OnEnter: func(*conn, *context) fsm.State { return a.Ask() }, To: set(body)},
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

// indirect has handlers that return variables which are not only changed by assignments.
func indirect(m map[fsm.State]fsm.State) table {
	loose := [...]fsm.State{head}
	again := func(c *conn, cx *context) fsm.State { return idle }
	again = func(c *conn, cx *context) fsm.State { return head }
	return table{
		{},
		{Name: "stepping", OnExit: nil, OnEnter: func(*conn, *context) fsm.State {
			s := idle
			s++
			return s
		}},
		{Name: "adding", OnEnter: func(*conn, *context) fsm.State {
			s := idle
			s += 1
			return s
		}},
		{Name: "pointing", OnEnter: func(*conn, *context) fsm.State {
			s := idle
			change(&s)
			return s
		}},
		{Name: "ranging", OnEnter: func(*conn, *context) fsm.State {
			for _, s := range loose {
				return s
			}
			s, ok := m[idle]
			if !ok {
				return fsm.State(len(m))
			}
			return s
		}},
		{Name: "changing", OnEnter: again},
		{Name: "asking", OnEnter: func(_ *conn, cx *context) fsm.State { return ask(func() fsm.State { return m[idle] }) }},
	}
}

func change(s *fsm.State) { *s = body }

func ask(f func() fsm.State) fsm.State { return f() }
