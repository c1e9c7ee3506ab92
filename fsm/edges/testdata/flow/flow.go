// Package flow has handlers whose control flow must be followed: To of each row names
// exactly the states that its handlers return in that row.
package flow

import (
	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/sig"
)

type context struct{ state fsm.State }

func (c *context) State() fsm.State { return c.state }

type conn struct{ n int }

type table = [7]fsm.Row[conn, *context, any]

const (
	one fsm.State = fsm.First + iota
	two
	three
	four
	five
	six
)

var tables = []table{{
	fsm.Any: {OnMessage: kinds},
	one:     {Name: "one", To: fsm.To(two, three)},
	two:     {Name: "two", To: fsm.To(three)},
	three:   {Name: "three", To: fsm.To(four, five)},
	four:    {Name: "four", To: fsm.To(one, two, three, five)},
	five:    {Name: "five", To: fsm.To(six)},
	six:     {"six", 0, fsm.Never, fsm.Never, fsm.Never, false, nil, nil, nil, nil, nil, nil, nil, 0, 0, fsm.To(one)},
}, {
	fsm.Any: {OnSignal: loops},
	one:     {Name: "one", To: fsm.To(two)},
	two:     {Name: "two", To: fsm.To(one, three)},
	three:   {Name: "three", To: fsm.To(four)},
	four:    {Name: "four", To: fsm.To(five)},
	five:    {Name: "five", To: fsm.To(six)},
	six:     {Name: "six", To: fsm.To(five)},
}}

func kinds(c *conn, cx *context, m *any) fsm.State {
	switch x := (*m).(type) {
	case int:
		if cx.State() == one {
			return two
		}
	case string:
		if cx.State() == two || cx.State() == one {
			return pick[string](x)
		} else if cx.State() != three {
			return (*conn).plain(c, cx)
		}
	}
	switch s := cx.State(); {
	case s == three && len("x") == 1:
		select {
		case <-done:
			return four
		default:
			return fsm.State(five)
		}
	case s == four:
		switch c.n {
		case 1:
			fallthrough
		case 2:
			return one
		case 3:
			break
		default:
			return two
		}
		return pick("")
	}
	return fsm.Stay
}

var done chan int

func pick[T any](T) fsm.State { return three }

func (c *conn) plain(cx *context) fsm.State {
	var next fsm.State
	switch s := fsm.State(cx.State()); s {
	case four:
		next = five
	case five:
		next = six
	case six:
		next = one
	default:
		next = six // not reached
	}
	return next
}

func loops(c *conn, cx *context, _ sig.Set) fsm.State {
	for range c.n {
		if cx.State() == one {
			return two
		}
	}
	if !(cx.State() != one) {
		return fsm.Stop
	}
search:
	for {
		switch {
		case c.n > 3 && cx.State() == two:
			break search
		case cx.State() == two:
			return one
		default:
			goto rest
		}
	}
	return three
rest:
	{
		if next, ok := pairs(c, cx.State()); ok {
			return next
		}
	}
	if c.n > 0 {
		return fsm.Stay
	} else {
		panic("never")
	}
}

func pairs(c *conn, s fsm.State) (fsm.State, bool) {
	if s == three {
		return four, true
	}
	return tail(s, even)
}

func tail(s fsm.State, f func(fsm.State) (bool, fsm.State)) (next fsm.State, ok bool) {
	ok, next = f(s)
	return next, ok
}

func even(s fsm.State) (bool, fsm.State) { return both(s) }

// both returns two results, which even passes on.
func both(s fsm.State) (bool, fsm.State) {
	if s == four || s == six {
		return true, five
	}
	return s == five, six
}
