package planted

import "strings"

// Mutant is the name behind the server's of whatever bug package mutate has made.
const Mutant = "/mutant"

// mutation is the run of a changed server that began last. Only processes that were
// built for one have it, and they make one search at a time.
var mutation struct {
	plant   *Plant
	judging bool
}

// Mutated is wrong in the place of right, in a server that package mutate has changed:
// it writes the calls. Models are judges, and use the same functions: for them it is right.
func Mutated[T comparable](wrong, right T) T {
	p := mutation.plant
	if p == nil || mutation.judging || !p.Wrong(p.Bug, wrong != right) {
		return right
	}
	return wrong
}

// mutates makes this the run of a changed server, if it is one.
func (p *Plant) mutates() {
	if strings.HasSuffix(p.Bug, Mutant) {
		mutation.plant = p
	}
}

// judging calls f as a judge.
func judging(f func()) {
	if mutation.plant == nil {
		f()
		return
	}
	mutation.judging = true
	f()
	mutation.judging = false
}
