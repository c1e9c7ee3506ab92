package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/stator-go/stator/eval/mutate"
	"github.com/stator-go/stator/eval/planted"
)

// blindSeed selects the places in the servers' source that are mutated.
const blindSeed = 1

// blind measures mutants: bugs that package mutate generates, drawn at random from all
// that are possible.
func blind(s settings, t *table, home string) error {
	source := filepath.Join(home, "planted")
	var sites []mutate.Site
	for _, server := range planted.Servers() {
		more, err := mutate.Sites(source, server.Files...)
		if err != nil {
			return err
		}
		sites = append(sites, more...)
	}
	for i, at := range rand.New(rand.NewPCG(blindSeed, 0)).Perm(len(sites)) {
		if s.mutants == 0 || s.interrupted() {
			break
		}
		server := ownerOf(sites[at].File)
		b := planted.Bug{Name: fmt.Sprintf("%s/mutant-%d", server.Name, i+1), What: sites[at].What, Bare: server.Name == "bare", Mutant: true}
		row, err := mutated(s, home, sites[at], server, b)
		if err != nil {
			return err
		}
		if row != nil {
			s.mutants--
			t.rows = append(t.rows, row)
		}
	}
	return nil
}

// ownerOf returns the server that has a source file.
func ownerOf(file string) *planted.Server {
	all := planted.Servers()
	return all[slices.IndexFunc(all, func(s *planted.Server) bool { return slices.Contains(s.Files, file) })]
}

// mutated measures one mutant. It returns nil if the mutant does not compile.
func mutated(s settings, home string, site mutate.Site, server *planted.Server, b planted.Bug) (*row, error) {
	dir, err := os.MkdirTemp("", "stator-eval-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	overlay, err := site.Overlay(dir)
	if err != nil {
		return nil, err
	}
	var all []searcher
	for i, way := range s.searchers {
		again := *way.(*program)
		p := &again
		defer p.finish()
		if err := p.prepare(home, overlay); err != nil && i == 0 {
			return nil, nil // not every change is a program
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return measure(s, all, server, b)
}
