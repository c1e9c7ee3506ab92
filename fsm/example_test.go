package fsm_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
)

// turnstile is a machine that a coin unlocks for one push, or for ten seconds.
type turnstile struct {
	state  fsm.State
	passed int
}

type coin struct{ cents int }

type context struct{} // what a runtime passes to handlers

const (
	locked fsm.State = fsm.First + iota
	unlocked
)

const arm fsm.Port = 0 // readable when somebody pushes

func (*turnstile) coin(_ context, c *coin) fsm.State {
	if c.cents < 50 {
		return fsm.Stay
	}
	return unlocked
}

func (t *turnstile) push(context, fsm.Ready) fsm.State {
	t.passed++
	return locked
}

func (*turnstile) keep(context, *coin) fsm.State { return fsm.Stay }

func newTurnstile() fsm.Table[turnstile, context, coin] {
	return fsm.Table[turnstile, context, coin]{
		fsm.Any: {Shutdown: fsm.Stop},
		locked: {Name: "locked", Idle: fsm.Never,
			OnMessage: (*turnstile).coin, To: fsm.To(unlocked)},
		unlocked: {Name: "unlocked", Wait: arm.Readable(), Within: fsm.After(10*time.Second, locked),
			OnReady: (*turnstile).push, OnMessage: (*turnstile).keep, To: fsm.To(locked)},
	}
}

// A minimal runtime: it resolves the row, calls the handler and checks the edge.
func Example() {
	table := newTurnstile()
	if err := fsm.Check(table, fsm.Machine{Start: locked, Ports: 1, Messages: true}); err != nil {
		fmt.Println(err)
		return
	}
	m := turnstile{state: locked}
	move := func(to fsm.State) {
		if to == fsm.Stay {
			return
		}
		if !table.Resolve(m.state).To.Has(to) {
			panic("undeclared edge")
		}
		fmt.Println(table.NameOf(m.state), "->", table.NameOf(to))
		m.state = to
	}
	pushed := func() {
		row := table.Resolve(m.state)
		if ready := row.Wait.Deliver(arm.Readable(), 0); ready != 0 {
			move(row.OnReady(&m, context{}, ready))
		}
	}
	paid := func(c coin) { move(table.Resolve(m.state).OnMessage(&m, context{}, &c)) }

	pushed() // ignored, as the state locked does not wait for a push
	paid(coin{20})
	paid(coin{50})
	pushed()
	fmt.Println("passed:", m.passed)
	// Output:
	// locked -> unlocked
	// unlocked -> locked
	// passed: 1
}

// A problem names the row, the mistake, and what is allowed.
func ExampleCheck() {
	table := newTurnstile()
	table[locked].Idle = fsm.Deadline{}
	table[unlocked].Wait = arm.Readable() | fsm.Port(2).Opened()
	err := fsm.Check(table, fsm.Machine{Start: locked, Ports: 1, Messages: true})
	fmt.Println(err)
	fmt.Println(errors.Is(err, fsm.ErrEndless), errors.Is(err, fsm.ErrUnreachable))
	// Output:
	// fsm: state 1 "locked": may wait for ever: want Within or Idle, or fsm.Never in one of them (named timers do not count)
	// fsm: state 2 "unlocked": Wait names port 2, but the number of ports is 1
	// true false
}

func ExampleMermaid() {
	fmt.Print(fsm.Mermaid(newTurnstile(), locked, fsm.Drawing{Ports: []string{"arm"}}))
	// Output:
	// stateDiagram-v2
	//     state "any state" as any
	//     state "locked" as locked
	//     locked : message
	//     state "unlocked" as unlocked
	//     unlocked : readable(arm)
	//     unlocked : message
	//     [*] --> locked
	//     any --> [*] : shutdown
	//     locked --> unlocked : message
	//     unlocked --> locked : ready|message, within 10s
	//     classDef dashed stroke-dasharray: 4 4
	//     class any dashed
}

func ExampleReady_While() {
	const client, upstream fsm.Port = 0, 1
	wait := client.Readable().While(upstream.Room()) | upstream.Opened()
	ready := client.Readable() | client.Writable() | upstream.Opened()

	names := []string{"client", "upstream"}
	fmt.Println("waits for:", wait.Text(names))
	fmt.Println("full:     ", wait.Deliver(ready, 0).Text(names))
	fmt.Println("room:     ", wait.Deliver(ready, upstream.Room()).Text(names))
	// Output:
	// waits for: opened(upstream), readable(client) while room(upstream)
	// full:      opened(upstream)
	// room:      readable(client)|opened(upstream)
}

func ExampleTable_Missing() {
	table := newTurnstile()
	c := new(fsm.Coverage)
	c.Count(fsm.Any, locked) // the start of a machine
	c.Count(locked, unlocked)
	c.Count(unlocked, fsm.Stop)
	for _, e := range table.Missing(c) {
		fmt.Printf("%s -> %s: %s\n", table.NameOf(e.From), table.NameOf(e.To), e.Why)
	}
	// Output:
	// locked -> stop: shutdown
	// unlocked -> locked: ready|message, within 10s
}
