// Package feedback tells go test -fuzz of what its coverage does not see.
//
// That coverage counts how often the blocks of compiled code ran. A machine driven by
// a table runs the same blocks whatever its state, so that a fuzzer learns nothing
// when it comes into a new one. Hit runs a block of its own for each of Cases numbers:
// what is told by number is new coverage when the number is.
package feedback

//go:generate go run gen.go

// Cases is how many numbers are told apart; others are taken modulo it.
const Cases = 4096

// counts keep the blocks of Hit apart: each counts for itself.
var counts [Cases]uint32
