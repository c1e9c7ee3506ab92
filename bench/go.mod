// The benchmarks of the example servers beside their peers, in a module of its own so
// that what they need stays out of the library's go.mod. Run them from the root with
//
//	go -C bench run . -h
module github.com/stator-go/stator/bench

go 1.26

// The servers that are measured.
tool (
	github.com/stator-go/stator/examples/echo
	github.com/stator-go/stator/examples/resp
)

require golang.org/x/sys v0.44.0

require github.com/stator-go/stator v0.0.0 // indirect

replace github.com/stator-go/stator => ..
