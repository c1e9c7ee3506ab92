package wire_test

import (
	"fmt"

	"github.com/stator-go/stator/examples/resp/wire"
)

// A command arrives in two pieces. The bytes of the first are passed again with the second.
func ExampleParser() {
	var p wire.Parser
	list := wire.NewArgs(wire.Limits{})
	var window []byte
	for _, piece := range []string{"PING\r\n*2\r\n$3\r\nGE", "T\r\n$3\r\nkey\r\n"} {
		window = append(window, piece...)
		for {
			args, n, err := p.Next(window, list)
			if err != nil {
				fmt.Println(err)
				return
			}
			if args != nil {
				fmt.Printf("%q\n", args)
			}
			window = window[n:]
			if args == nil {
				break
			}
		}
	}
	// Output:
	// ["PING"]
	// ["GET" "key"]
}

func ExampleOutput() {
	var out wire.Output
	out.V3 = true
	out.Map(1)
	out.Text("answer")
	out.Int(42)
	fmt.Printf("%q\n", out.Front())
	// Output:
	// "%1\r\n$6\r\nanswer\r\n:42\r\n"
}
