// Package feedback gives go test -fuzz coverage that it does not see by itself.
//
// That coverage counts how often the blocks of compiled code ran. A machine that is driven
// by a table runs the same blocks in each state, so a fuzzer learns nothing when a machine
// comes into a new one. Hit runs a block of its own for each of Cases numbers.
package feedback

//go:generate go run gen.go

// Cases is how many numbers have blocks of their own; others are taken modulo it.
const Cases = 512

// counts keep the blocks of Hit apart: each counts for itself.
var counts [Cases]uint32

// inputs is by how many inputs a feature is kept. go test -fuzz gives all that it keeps
// the same share of its time, and it keeps some hundreds of ways through the loop's own
// code. Beside one input for a state that is new, many give it a share.
const inputs = 32

// Tell gives a feature of an input's run, with a hash of the input: a block for the
// feature, and one for it with the hash.
func Tell(feature, hash uint32) {
	const bits, prime = 16, 2654435761 // bits of a feature
	Hit(feature)
	Hit((feature + hash%inputs<<bits) * prime >> bits)
}
