package fuzz_test

import (
	"bytes"
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

const visitor reactor.Port = 0

// greeter answers each line, which is a name, with a greeting.
type greeter struct{}

func (*greeter) greet(cx *reactor.Context[reactor.None], _ reactor.Ready) reactor.State {
	in, err := cx.Peek(visitor)
	name, _, whole := bytes.Cut(in, []byte("\n"))
	if err != nil || !whole {
		return cx.Fail(err)
	}
	err = cx.Write(visitor, fmt.Appendf(nil, "hello, %c%s\n", name[0]-'a'+'A', name[1:]))
	cx.Discard(visitor, len(name)+1)
	return cx.Fail(err)
}

// The tutorial of the package comment: a machine that greets, with a mistake.
func Example_tutorial() {
	kind := reactor.Must(reactor.NewKind("greeter", reactor.Options{Ports: []string{"visitor"}},
		reactor.Table[greeter, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop},
			fsm.First: {Name: "greeting", Wait: visitor.Readable().While(visitor.Room()),
				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*greeter).greet},
		}))
	found := fuzz.Find(fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", greeter{})
			return err
		},
		Dict: []string{"ann", "bob\n", "\n"},
	}, 1, fuzz.Budget{Runs: 1000})
	fmt.Println(found.Failure)
	fmt.Print(found.Trace)
	// Output:
	// panic: greeter panicked in state "greeting": runtime error: index out of range [0] with length 0
	// dial 0 listener=0
	// send 0 word=2 more=0
}
