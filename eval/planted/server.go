package planted

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// Server is a protocol's server, and the ways in which it can be wrong.
type Server struct {
	Name  string
	Files []string // of its source
	Dict  []string // words that its peers say
	Bugs  []Bug

	model    model
	isolated bool
	build    func(*Plant) func(Room) error // kinds are made once, and wired in each run
}

// Bug is a way to be wrong.
type Bug struct {
	Name   string // server/bug
	What   string
	Bare   bool   // package reactor has no room for it: it is in the hand-written loop
	Mutant bool   // made blindly, by package mutate
	Needs  string // what a search would need that it has not got; empty: nothing
}

// Plant plants the bug.
func (b Bug) Plant() *Plant {
	if !b.Mutant {
		return &Plant{Bug: b.Name}
	}
	server, _, _ := strings.Cut(b.Name, "/")
	return &Plant{Bug: server + Mutant}
}

// Room is where servers are wired.
type Room interface {
	Loop(i int) *reactor.Loop
	Bare(i int, loop func(reactor.Driver) fuzz.BareLoop)
}

// Servers are all servers, by name.
func Servers() []*Server {
	all := []*Server{newBareServer(), newEcho(), newHTTP(), newLines(), newMQTT(), newRegister(), newResp(), newSocks(), newTLS()}
	slices.SortFunc(all, func(a, b *Server) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Spec is the server as a search of package fuzz takes it.
func (s *Server) Spec(p *Plant) fuzz.Spec {
	wire := s.Build(p)
	return fuzz.Spec{
		Dict: s.Dict, Isolated: s.isolated, Oracles: s.oracles(),
		Setup: func(w *fuzz.World) error { return wire(w) },
	}
}

func (s *Server) oracles() []fuzz.Oracle {
	if s.model == nil {
		return nil
	}
	return []fuzz.Oracle{s.model.oracle()}
}

// Build makes the server, and answers what wires it: once a run.
func (s *Server) Build(p *Plant) func(Room) error {
	wire := s.build(p)
	return func(r Room) error {
		p.begin()
		return wire(r)
	}
}

// Judge is what is wrong with what a connection got for what it sent, empty when
// nothing is. Whole says that it is open and nothing is on its way.
func (s *Server) Judge(sent, got []byte, whole bool) string {
	if s.model == nil {
		return ""
	}
	return s.model.judge(sent, got, whole)
}
