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

require (
	github.com/panjf2000/gnet/v2 v2.9.7
	github.com/stator-go/stator v0.0.0
	golang.org/x/sys v0.44.0
)

require (
	github.com/panjf2000/ants/v2 v2.11.3 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	go.uber.org/multierr v1.11.0 // indirect
	go.uber.org/zap v1.27.0 // indirect
	golang.org/x/sync v0.11.0 // indirect
	gopkg.in/natefinch/lumberjack.v2 v2.2.1 // indirect
)

replace github.com/stator-go/stator => ..
