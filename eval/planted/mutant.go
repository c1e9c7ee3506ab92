package planted

import "strings"

// Mutant follows a server's name in the name of any bug that package mutate generates.
const Mutant = "/mutant"

// mutation is the latest run of a mutated server. Only a process built from mutated
// source has one, and such a process makes one search at a time.
var mutation struct {
	plant   *Plant
	judging bool
}

// Mutated returns wrong in a run of a mutated server, else right. Package mutate writes
// the calls. Models use the same parsers as the servers and must be correct: while one
// is judging, Mutated returns right.
func Mutated[T comparable](wrong, right T) T {
	p := mutation.plant
	if p == nil || mutation.judging || !p.Wrong(p.Bug, wrong != right) {
		return right
	}
	return wrong
}

// mutates notes the start of a run, if its server is mutated.
func (p *Plant) mutates() {
	if strings.HasSuffix(p.Bug, Mutant) {
		mutation.plant = p
	}
}

// judging calls f, in which Mutated returns what is right.
func judging(f func()) {
	if mutation.plant == nil {
		f()
		return
	}
	mutation.judging = true
	f()
	mutation.judging = false
}
