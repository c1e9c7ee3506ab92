package slab_test

import (
	"fmt"

	"github.com/stator-go/stator/slab"
)

type conn struct{ peer string }

// A token whose value was removed finds nothing, although the slot is in use again.
func Example() {
	conns, err := slab.New[conn](0, 1024)
	if err != nil {
		fmt.Println(err)
		return
	}
	alice, c, _ := conns.Insert()
	c.peer = "alice"
	conns.Remove(alice)

	bob, c, _ := conns.Insert()
	c.peer = "bob"

	fmt.Println("same slot:", alice.Index() == bob.Index())
	fmt.Println("alice found:", conns.Get(alice) != nil)
	fmt.Println("bob found:", conns.Get(bob) != nil)
	// Output:
	// same slot: true
	// alice found: false
	// bob found: true
}

// Values may be removed during the iteration.
func ExampleSlab_All() {
	conns, _ := slab.New[conn](0, 16)
	for _, peer := range []string{"alice", "bob", "carol"} {
		_, c, _ := conns.Insert()
		c.peer = peer
	}
	for token, c := range conns.All() {
		if c.peer == "bob" {
			conns.Remove(token)
		}
	}
	for token, c := range conns.All() {
		fmt.Println(token, c.peer)
	}
	// Output:
	// 0:0#1 alice
	// 0:2#1 carol
}

// Get returns nil for every value that is not a live token of this slab.
func ExampleSlab_Get() {
	conns, _ := slab.New[conn](3, 16)
	token, _, _ := conns.Insert()
	for _, t := range []slab.Token{token, token + 1<<32, slab.MakeToken(1, 4, 0), 0, 1<<64 - 1} {
		fmt.Println(t, conns.Get(t) != nil)
	}
	// Output:
	// 3:0#1 true
	// 3:0#2 false
	// 4:0#1 false
	// 0:0#0 false
	// 255:16777215#4294967295 false
}
