// Package mutate generates bugs: it makes one small change in Go source without knowing
// what the source means. It replaces a comparison (< by <=), && by ||, + by -, an if's
// condition by true or false, or the state that a handler returns by another one.
//
// The changed expression calls planted.Mutated with the wrong value and the right one,
// so that it is known of these bugs, too, whether they were reached and made a
// difference. The source on disk is not modified: the go command takes the change as an
// overlay.
package mutate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Site is an expression in the source, and its replacement.
type Site struct {
	File string // its base name
	What string // describes the change: file, function, `wrong` for `right`

	path       string
	begin, end int // offsets of the right expression
	wrong      string
	right      string
}

// neighbours maps operators to their replacements.
var neighbours = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.EQL: token.NEQ, token.NEQ: token.EQL, token.LAND: token.LOR, token.LOR: token.LAND,
	token.ADD: token.SUB, token.SUB: token.ADD,
}

// Sites returns all possible changes in some files of a directory, in the order of the
// source. Not all of them compile.
func Sites(dir string, files ...string) (all []Site, err error) {
	for _, name := range files {
		f := &file{name: name, path: filepath.Join(dir, name), set: token.NewFileSet()}
		if f.tree, err = parser.ParseFile(f.set, f.path, nil, 0); err != nil {
			return nil, err
		}
		f.states = states(f.tree)
		for _, d := range f.tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && !strings.HasPrefix(fn.Name.Name, "build") {
				f.function(fn)
			}
		}
		all = append(all, f.sites...)
	}
	return all, nil
}

// file is a source file that is searched for sites.
type file struct {
	name, path string
	set        *token.FileSet
	tree       *ast.File
	states     []string
	fn         string
	sites      []Site
}

// states returns the names of a file's states: the constants that begin with fsm.First,
// and fsm.Stay and fsm.Stop.
func states(tree *ast.File) (names []string) {
	for _, d := range tree.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		first, ok := g.Specs[0].(*ast.ValueSpec)
		if !ok || len(first.Values) == 0 || !strings.HasPrefix(text(first.Values[0]), "fsm.First") {
			continue
		}
		for _, s := range g.Specs {
			names = append(names, s.(*ast.ValueSpec).Names[0].Name)
		}
	}
	return append(names, "fsm.Stay", "fsm.Stop")
}

// function adds the sites of a function.
func (f *file) function(fn *ast.FuncDecl) {
	f.fn = fn.Name.Name
	leads := fn.Type.Results != nil && len(fn.Type.Results.List) == 1 && text(fn.Type.Results.List[0].Type) == "fsm.State"
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			return !planted(n)
		case *ast.FuncLit:
			return false
		case *ast.BinaryExpr:
			f.operator(n)
		case *ast.IfStmt:
			f.site(n.Cond, "false")
			f.site(n.Cond, "true")
		case *ast.ReturnStmt:
			if leads && len(n.Results) == 1 {
				f.next(n.Results[0])
			}
		}
		return true
	})
}

// planted reports whether n calls what plants bugs by hand.
func planted(n ast.Node) (is bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok {
			name := text(c.Fun)
			is = is || name == "claim" || name == "swap" || strings.HasSuffix(name, "plant.Wrong")
		}
		return !is
	})
	return is
}

// operator adds the change of a binary operator.
func (f *file) operator(n *ast.BinaryExpr) {
	if op, ok := neighbours[n.Op]; ok {
		wrong := *n
		wrong.Op = op
		f.site(n, text(&wrong))
	}
}

// next adds the changes of a returned state to each other one.
func (f *file) next(n ast.Expr) {
	at := slices.Index(f.states, text(n))
	for i := range f.states {
		if at >= 0 && i != at {
			f.site(n, f.states[i])
		}
	}
}

// site adds a change, unless the right expression may have side effects.
func (f *file) site(right ast.Expr, wrong string) {
	if planted(right) || acts(right) {
		return
	}
	at, r := f.set.Position(right.Pos()), text(right)
	f.sites = append(f.sites, Site{
		File: f.name, path: f.path, wrong: wrong, right: r,
		begin: at.Offset, end: f.set.Position(right.End()).Offset,
		What: fmt.Sprintf("%s, %s: `%s` for `%s`", f.name, f.fn, wrong, r),
	})
}

// acts reports whether an expression has a call that may have side effects.
func acts(n ast.Node) (is bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		is = is || ok && !slices.Contains([]string{"len", "min", "max", "int", "string"}, text(c.Fun))
		return !is
	})
	return is
}

func text(n ast.Node) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, token.NewFileSet(), n); err != nil {
		panic(err) // the tree is from the parser, so it prints
	}
	return b.String()
}

// Overlay writes the changed source into a directory, and returns the name of the file
// for go build's -overlay.
func (s Site) Overlay(dir string) (string, error) {
	source, err := os.ReadFile(s.path)
	if err != nil {
		return "", err
	}
	changed := fmt.Appendf(nil, "%sMutated(%s, %s)%s", source[:s.begin], s.wrong, s.right, source[s.end:])
	to := filepath.Join(dir, s.File)
	if err := os.WriteFile(to, changed, 0o666); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {s.path: to}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, replace, 0o666)
}
