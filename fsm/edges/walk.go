package main

import (
	"go/ast"
	"go/constant"
	"go/token"
)

// walker goes through a body in order, leaves out what the machine's state
// excludes, and collects the returns that are reached.
type walker struct {
	*frame
	returns []*ast.ReturnStmt
}

// list walks statements and tells whether what follows them is reached.
func (w *walker) list(all []ast.Stmt) bool {
	goesOn := true
	for _, s := range all {
		if _, target := s.(*ast.LabeledStmt); target {
			goesOn = true
		}
		if goesOn {
			goesOn = w.stmt(s)
		} else {
			w.dead = append(w.dead, s)
		}
	}
	return goesOn
}

func (w *walker) stmt(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		w.returns = append(w.returns, s)
		return false
	case *ast.BranchStmt:
		return s.Tok == token.FALLTHROUGH
	case *ast.ExprStmt:
		return !isPanic(s.X)
	case *ast.BlockStmt:
		return w.list(s.List)
	case *ast.LabeledStmt:
		w.stmt(s.Stmt)
		return true // a break may name it
	case *ast.IfStmt:
		return w.branch(s)
	case *ast.ForStmt:
		w.list(s.Body.List)
		return s.Cond != nil || branches(s.Body, token.BREAK)
	case *ast.RangeStmt:
		w.list(s.Body.List)
	case *ast.SwitchStmt:
		return w.cases(s.Body, func(e ast.Expr) truth {
			if s.Tag == nil {
				return w.cond(e)
			}
			return w.equal(s.Tag, e)
		})
	case *ast.TypeSwitchStmt:
		return w.cases(s.Body, func(ast.Expr) truth { return perhaps })
	case *ast.SelectStmt:
		for _, c := range s.Body.List {
			w.list(c.(*ast.CommClause).Body)
		}
	}
	return true
}

func (w *walker) branch(s *ast.IfStmt) bool {
	is := w.cond(s.Cond)
	then, otherwise := false, true
	if is == no {
		w.dead = append(w.dead, s.Body)
	} else {
		then = w.list(s.Body.List)
	}
	if is == yes {
		otherwise = false
		if s.Else != nil {
			w.dead = append(w.dead, s.Else)
		}
	} else if s.Else != nil {
		otherwise = w.stmt(s.Else)
	}
	return then || otherwise
}

// cases walks the clauses of a switch that may be taken: none behind one that
// surely is. With a fallthrough in it, any may be.
func (w *walker) cases(body *ast.BlockStmt, is func(ast.Expr) truth) bool {
	if branches(body, token.FALLTHROUGH) {
		is = func(ast.Expr) truth { return perhaps }
	}
	goesOn, decided := branches(body, token.BREAK), false
	var rest *ast.CaseClause
	for _, c := range body.List {
		clause := c.(*ast.CaseClause)
		if clause.List == nil {
			rest = clause
			continue
		}
		none := yes
		for _, e := range clause.List {
			none = none.and(is(e).not())
		}
		if decided || none == yes {
			w.dead = append(w.dead, clause)
			continue
		}
		decided = none == no
		goesOn = w.list(clause.Body) || goesOn
	}
	switch {
	case rest == nil:
		return goesOn || !decided
	case decided:
		w.dead = append(w.dead, rest)
		return goesOn
	}
	return w.list(rest.Body) || goesOn
}

// branches tells whether there is a break, or a fallthrough, at any depth.
func branches(body *ast.BlockStmt, tok token.Token) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		b, ok := n.(*ast.BranchStmt)
		found = found || ok && b.Tok == tok
		return !found
	})
	return found
}

// cond is what is known of a condition in this state.
func (w *walker) cond(e ast.Expr) truth {
	e = ast.Unparen(e)
	if tv := w.ev.info.Types[e]; tv.Value != nil && tv.Value.Kind() == constant.Bool {
		return known(constant.BoolVal(tv.Value))
	}
	switch e := e.(type) {
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			return w.cond(e.X).not()
		}
	case *ast.BinaryExpr:
		switch e.Op {
		case token.LAND:
			return w.cond(e.X).and(w.cond(e.Y))
		case token.LOR:
			return w.cond(e.X).not().and(w.cond(e.Y).not()).not()
		case token.EQL:
			return w.equal(e.X, e.Y)
		case token.NEQ:
			return w.equal(e.X, e.Y).not()
		}
	}
	return perhaps
}

func (w *walker) equal(x, y ast.Expr) truth {
	if !isState(w.ev.info.Types[x].Type) {
		return perhaps
	}
	return equal(w.eval(x), w.eval(y))
}

func isPanic(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	id, ok := call.Fun.(*ast.Ident)
	return ok && id.Name == "panic"
}
