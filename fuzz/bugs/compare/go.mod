// The comparison with rapid, in a module of its own so that it stays out of the
// library's go.mod. go run ./fuzz/bugs builds it.
module github.com/stator-go/stator/fuzz/bugs/compare

go 1.25.0

require (
	github.com/stator-go/stator v0.0.0
	pgregory.net/rapid v1.3.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	golang.org/x/sys v0.44.0 // indirect
)

replace github.com/stator-go/stator => ../../..
