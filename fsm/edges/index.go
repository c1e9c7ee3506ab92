package main

import (
	"go/ast"
	"go/token"
	"go/types"
)

// index has the function bodies of a package and all assignments to its variables.
// Expressions can be evaluated when it is complete.
type index struct {
	bodies   map[*types.Func]*ast.FuncDecl
	assigned map[*types.Var][]assignment
}

// assignment is one assignment to a variable: of result i of an expression, of the zero
// value if there is no expression, or of an unknown value.
type assignment struct {
	expr    ast.Expr
	i       int // if expr is a call with several results
	unknown bool
	at      token.Pos
}

func makeIndex(info *types.Info, files []*ast.File) index {
	x := index{make(map[*types.Func]*ast.FuncDecl), make(map[*types.Var][]assignment)}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			x.add(info, n)
			return true
		})
	}
	return x
}

// add adds the function or the assignments of a node.
func (x *index) add(info *types.Info, n ast.Node) {
	assign := func(to ast.Expr, a assignment) {
		a.at = to.Pos()
		if id, ok := ast.Unparen(to).(*ast.Ident); ok {
			if v, ok := object(info, id).(*types.Var); ok {
				x.assigned[v] = append(x.assigned[v], a)
			}
		}
	}
	switch n := n.(type) {
	case *ast.FuncDecl:
		if f, ok := info.Defs[n.Name].(*types.Func); ok {
			x.bodies[f] = n
		}
	case *ast.FuncType: // named results start as zero
		if n.Results != nil {
			for _, field := range n.Results.List {
				for _, name := range field.Names {
					assign(name, assignment{})
				}
			}
		}
	case *ast.ValueSpec:
		for i, name := range n.Names {
			assign(name, pair(n.Values, len(n.Names), i))
		}
	case *ast.AssignStmt:
		for i, to := range n.Lhs {
			if n.Tok != token.ASSIGN && n.Tok != token.DEFINE {
				assign(to, assignment{unknown: true})
			} else {
				assign(to, pair(n.Rhs, len(n.Lhs), i))
			}
		}
	case *ast.RangeStmt:
		for _, to := range []ast.Expr{n.Key, n.Value} {
			if to != nil {
				assign(to, assignment{unknown: true})
			}
		}
	case *ast.IncDecStmt:
		assign(n.X, assignment{unknown: true})
	case *ast.UnaryExpr:
		if n.Op == token.AND { // anything may be assigned by way of the address
			assign(n.X, assignment{unknown: true})
		}
	}
}

// pair returns the assignment of a list of values to the i-th of n names.
func pair(values []ast.Expr, n, i int) assignment {
	switch len(values) {
	case 0:
		return assignment{}
	case n:
		return assignment{expr: values[i]}
	}
	return assignment{expr: values[0], i: i}
}

func object(info *types.Info, id *ast.Ident) types.Object {
	if o := info.Defs[id]; o != nil {
		return o
	}
	return info.Uses[id]
}
