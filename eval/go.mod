// The evaluation of package fuzz, in a module of its own so that what it compares
// with stays out of the library's go.mod. Run it from the root with
//
//	go -C eval run . -h
module github.com/stator-go/stator/eval

go 1.26

require (
	github.com/stator-go/stator v0.0.0
	pgregory.net/rapid v1.3.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	golang.org/x/sys v0.44.0 // indirect
)

replace github.com/stator-go/stator => ..
