package main

import (
	"go/ast"
	"go/token"
	"go/types"
)

// index is what must be known of a whole package before one expression of it can
// be judged: the bodies of its functions, and what its variables are ever given.
type index struct {
	bodies map[*types.Func]*ast.FuncDecl
	given  map[*types.Var][]given
}

// given is one thing that a variable is given: result i of an expression; its zero
// value when there is no expression, or what can't be told.
type given struct {
	expr   ast.Expr
	i      int // of a call with several results
	opaque bool
	at     token.Pos
}

func makeIndex(info *types.Info, files []*ast.File) index {
	x := index{make(map[*types.Func]*ast.FuncDecl), make(map[*types.Var][]given)}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			x.note(info, n)
			return true
		})
	}
	return x
}

func (x *index) note(info *types.Info, n ast.Node) {
	give := func(to ast.Expr, g given) {
		g.at = to.Pos()
		if id, ok := ast.Unparen(to).(*ast.Ident); ok {
			if v, ok := object(info, id).(*types.Var); ok {
				x.given[v] = append(x.given[v], g)
			}
		}
	}
	switch n := n.(type) {
	case *ast.FuncDecl:
		if f, ok := info.Defs[n.Name].(*types.Func); ok {
			x.bodies[f] = n
		}
	case *ast.FuncType: // named results begin with zero
		if n.Results != nil {
			for _, field := range n.Results.List {
				for _, name := range field.Names {
					give(name, given{})
				}
			}
		}
	case *ast.ValueSpec:
		for i, name := range n.Names {
			give(name, pair(n.Values, len(n.Names), i))
		}
	case *ast.AssignStmt:
		for i, to := range n.Lhs {
			if n.Tok != token.ASSIGN && n.Tok != token.DEFINE {
				give(to, given{opaque: true})
			} else {
				give(to, pair(n.Rhs, len(n.Lhs), i))
			}
		}
	case *ast.RangeStmt:
		for _, to := range []ast.Expr{n.Key, n.Value} {
			if to != nil {
				give(to, given{opaque: true})
			}
		}
	case *ast.IncDecStmt:
		give(n.X, given{opaque: true})
	case *ast.UnaryExpr:
		if n.Op == token.AND { // who has the address may give it anything
			give(n.X, given{opaque: true})
		}
	}
}

// pair is what the i-th of n names gets from a list of values.
func pair(values []ast.Expr, n, i int) given {
	switch len(values) {
	case 0:
		return given{}
	case n:
		return given{expr: values[i]}
	}
	return given{expr: values[0], i: i}
}

func object(info *types.Info, id *ast.Ident) types.Object {
	if o := info.Defs[id]; o != nil {
		return o
	}
	return info.Uses[id]
}
